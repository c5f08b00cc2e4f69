package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/query/rule"
)

// findings are what one run over all rules has learned of the cluster's indices. Their health is
// the same for every rule, so it is asked once.
type findings struct {
	Reader
	patterns []string // of all rules, those that are searched
	// resolution is what they stand for; nil before it is asked, and where it cannot be told.
	resolution *search.Resolution
	unresolved bool            // it cannot be told
	there      map[string]bool // indices that were there when they were asked for
	real       map[string]bool // names asked for in this turn: whether they are an index's
	standings  map[string]map[string]search.Standing
	// unwell are the indices that no search of this run can read, with the reason.
	unwell map[string]string
	said   map[string]bool
	// silent is why the question at the end of the run brought no answer: it is asked for no other
	// rule.
	silent   error
	searched map[string]bool // indices, by whatever rule's search
	notes    notes
	// released are open indices that are gone and not waited for any more, with the rules.
	released map[string][]rule.ID
	// down are the remote clusters that did not answer, with the reason.
	down map[string]string
	// asked are the privileges that are missing, by the patterns that were asked for.
	asked map[string][]search.MissingPrivilege
	// ours and theirs are our clock and the cluster's, as they were when they were asked in this
	// turn of the rules; zero before.
	ours, theirs time.Time
	// noClock is why the cluster's was not told in this turn.
	noClock error
}

// clocks returns our clock and the cluster's, asked once a turn.
func (f *findings) clocks(ctx context.Context, o Options) (ours, theirs time.Time, err error) {
	if f.theirs.IsZero() && f.noClock == nil {
		theirs, err := f.Now(ctx, o.StateIndex, "updated_at")
		if err != nil {
			f.noClock = err
		} else {
			f.ours, f.theirs = o.Now(), theirs
		}
	}
	return f.ours, f.theirs, f.noClock
}

// nextTurn makes the next question for the clocks a new one.
func (f *findings) nextTurn() {
	f.ours, f.theirs, f.noClock = time.Time{}, time.Time{}, nil
	clear(f.real)
}

// doubt makes the next question for the clocks a new one where no answer came to something else: it
// tells whether the cluster is gone.
func (f *findings) doubt(err error) {
	if errors.Is(err, elastic.ErrUnreachable) && f.noClock == nil {
		f.nextTurn()
	}
}

// gone is the error of a cluster that does not answer any more, not even what the time is: no rule
// asks it for more, where each would wait for as long as the first did.
func (f *findings) gone() error {
	if !errors.Is(f.noClock, elastic.ErrUnreachable) {
		return nil
	}
	return fmt.Errorf("ask the cluster for its clock: %w", f.noClock)
}

// askPrivileges asks once for all patterns of the rules.
func (f *findings) askPrivileges(ctx context.Context) error {
	missing, err := f.Reader.Privileges(ctx, f.patterns)
	if err != nil {
		return err
	}
	f.asked = map[string][]search.MissingPrivilege{}
	for _, pattern := range f.patterns {
		f.asked[pattern] = nil
	}
	for _, m := range missing {
		f.asked[m.Pattern] = append(f.asked[m.Pattern], m)
	}
	return nil
}

func isSearched(pattern string) bool { return indexpattern.NotSearched(pattern) == "" }

// Privileges asks for patterns of which it is not known yet.
func (f *findings) Privileges(ctx context.Context,
	patterns []string) ([]search.MissingPrivilege, error) {
	var missing []search.MissingPrivilege
	for _, p := range patterns {
		of, ok := f.asked[p]
		if !ok {
			return f.Reader.Privileges(ctx, patterns)
		}
		missing = append(missing, of...)
	}
	return missing, nil
}

func (f *findings) letGo(index string, by rule.ID) {
	if !slices.Contains(f.released[index], by) {
		f.released[index] = append(f.released[index], by)
	}
}

// tellReleased logs the indices that are not waited for any more, in one line.
func (f *findings) tellReleased(log *slog.Logger) {
	if len(f.released) == 0 {
		return
	}
	indices := slices.Sorted(maps.Keys(f.released))
	var rules []rule.ID
	for _, index := range indices {
		rules = append(rules, f.released[index]...)
	}
	slices.Sort(rules)
	rules = slices.Compact(rules)
	log.Warn("an index was deleted before it was covered, or is in none of the rule's patterns "+
		"any more; "+
		"its time was searched again in all of them, and it is no longer waited for",
		"index_count", len(indices), "indices", indices[:min(len(indices), listed)],
		"rule_count", len(rules), "rules", rules[:min(len(rules), listed)])
}

// first reports whether something is said for the first time in this run, by whatever rule.
func (f *findings) first(text string) bool {
	before := f.said[text]
	f.said[text] = true
	return !before
}

func newFindings(r Reader, detections []*detect.Detection) *findings {
	var all []string
	for _, d := range detections {
		all = append(all, indexpattern.Adding(indexpattern.Keep(d.Patterns, isSearched))...)
	}
	slices.Sort(all)
	return &findings{
		Reader: r, patterns: slices.Compact(all),
		there: map[string]bool{}, real: map[string]bool{},
		unwell: map[string]string{}, said: map[string]bool{},
		searched:  map[string]bool{},
		released:  map[string][]rule.ID{},
		standings: map[string]map[string]search.Standing{}, down: map[string]string{},
	}
}

// Unanswered asks a remote cluster that does not answer once: it may take 30 s to say so.
func (f *findings) Unanswered(ctx context.Context,
	patterns []string) (failures []search.Failure, aliases []string, err error) {
	for _, alias := range slices.Sorted(maps.Keys(f.down)) {
		own := indexpattern.Adding(indexpattern.OfCluster(patterns, alias))
		for _, p := range own {
			failures = append(failures, search.Failure{Index: p, Type: search.Unanswered,
				Reason: f.down[alias]})
		}
		if len(own) > 0 {
			aliases = append(aliases, alias)
		}
	}
	more, others, err := f.Reader.Unanswered(ctx, indexpattern.WithoutClusters(patterns, aliases))
	for _, one := range more {
		if alias := indexpattern.Cluster(one.Index); one.Type == search.Unanswered &&
			!strings.Contains(alias, "*") {
			f.down[alias] = one.Reason
		}
	}
	return append(failures, more...), append(aliases, others...), err
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

// known is Standings, asked once for each list of patterns, or for all lists at once where that can
// be told.
func (f *findings) known(ctx context.Context,
	patterns []string) (map[string]search.Standing, error) {
	key := strings.Join(patterns, ",")
	if known, ok := f.standings[key]; ok {
		return maps.Clone(known), nil
	}
	all, ok := f.resolved(ctx, patterns)
	if !ok {
		var err error
		if all, err = f.Reader.Standings(ctx, patterns); err != nil {
			return nil, err
		}
	}
	f.standings[key] = maps.Clone(all)
	return all, nil
}

// resolved returns what a list of patterns stands for where that is told for all rules at once.
// With one list, nothing is saved by that.
func (f *findings) resolved(ctx context.Context,
	patterns []string) (map[string]search.Standing, bool) {
	if len(f.patterns) == len(patterns) {
		return nil, false
	}
	if f.resolution == nil && !f.unresolved {
		var err error
		// Where it cannot be told, each list is asked for by itself, and says what is wrong.
		f.resolution, err = f.Resolve(ctx, f.patterns)
		f.unresolved = err != nil
	}
	if f.resolution == nil {
		return nil, false
	}
	return f.resolution.Standings(patterns)
}

// forget makes the next question for what is known a new one.
func (f *findings) forget() {
	clear(f.standings)
	f.resolution, f.unresolved = nil, false
}

// noteSearched remembers which indices were searched.
func (f *findings) noteSearched(out detect.Outcome) {
	for _, index := range out.Reached {
		f.searched[index] = true
	}
}

// note remembers which indices could not be read, whatever was asked of them.
func (f *findings) note(failures []detect.Failure) {
	for _, one := range failures {
		if one.Unwell {
			f.unwell[one.Index] = one.Reason
		}
	}
}
