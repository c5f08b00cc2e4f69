package schedule

import (
	"context"
	"maps"
	"strings"

	"esrule/internal/query/search"
)

// findings are what one run over all rules has learned of the cluster's indices. Their health is the
// same for every rule, so it is asked once.
type findings struct {
	Reader
	there     map[string]bool // indices that were there when they were asked for
	standings map[string]map[string]search.Standing
	// unwell are the indices that no search of this run can read, with the reason.
	unwell map[string]string
}

func newFindings(r Reader) *findings {
	return &findings{
		Reader: r, there: map[string]bool{}, unwell: map[string]string{},
		standings: map[string]map[string]search.Standing{},
	}
}

// Exists asks for each index that is there once. One that is gone may come back.
func (f *findings) Exists(ctx context.Context, index string) (bool, error) {
	if f.there[index] {
		return true, nil
	}
	there, err := f.Reader.Exists(ctx, index)
	if err == nil && there {
		f.there[index] = true
	}
	return there, err
}

// known is Standings, asked once for each list of patterns.
func (f *findings) known(ctx context.Context, patterns []string) (map[string]search.Standing, error) {
	key := strings.Join(patterns, ",")
	if known, ok := f.standings[key]; ok {
		return maps.Clone(known), nil
	}
	all, err := f.Reader.Standings(ctx, patterns)
	if err == nil {
		f.standings[key] = maps.Clone(all)
	}
	return all, err
}

// forget makes the next question for what is known a new one.
func (f *findings) forget() { clear(f.standings) }

// note remembers which indices could not be read, whatever was asked of them.
func (f *findings) note(failures []Failure) {
	for _, one := range failures {
		if one.Unwell {
			f.unwell[one.Index] = one.Reason
		}
	}
}
