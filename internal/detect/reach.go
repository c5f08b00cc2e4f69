package detect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"esrule/internal/elastic/search"
)

// MissedReason is why an index is open that was there all the time for whoever looked.
const MissedReason = "it was closed, hidden or in none of the patterns when they were searched, " +
	"and is not " +
	"any more: nothing to do, it is searched by the next run"

// reach sorts the indices of a target into those that the point in time holds or names among its
// failures, and those that it passes over without a word. It is asked after the opening, so that no
// index can be closed, or opened, between the two unseen.
func (c *Coverer) reach(ctx context.Context, g *Group, t Target,
	pit *search.PointInTime) (reached []string, without []Failure, err error) {
	all, err := pit.Standings(ctx, t.Patterns)
	if err != nil {
		return nil, nil, fmt.Errorf("ask which indices %s stands for: %w", t.Patterns, err)
	}
	if t.moved(all) {
		return nil, nil, ErrMoved
	}
	lacking, err := pit.Lacks(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	own := c.unread(g)
	for _, index := range slices.Sorted(maps.Keys(all)) {
		switch s := all[index]; {
		case slices.Contains(own, index):
		case (s.Shut != "" || slices.Contains(lacking, index)) && t.Accounted != nil &&
			t.Accounted(index):
		case s.Shut != "":
			without = append(without, Failure{Index: index, Reason: shutReason(s)})
		case !slices.Contains(lacking, index):
			reached = append(reached, index)
		case s.Created.IsZero() || s.Created.Before(t.Began):
			without = append(without, Failure{Index: index, Reason: MissedReason})
		}
	}
	return reached, without, nil
}

// Stands returns the names of the indices that patterns stand for, as a target has them: not nil,
// which means that they are not known.
func Stands(all map[string]search.Standing) []string {
	names := slices.AppendSeq(make([]string, 0, len(all)), maps.Keys(all))
	slices.Sort(names)
	return names
}

// moved reports whether the patterns stand for other indices than they did.
func (t Target) moved(now map[string]search.Standing) bool {
	return t.Stands != nil && (len(t.Stands) != len(now) ||
		slices.ContainsFunc(t.Stands, func(index string) bool {
			_, there := now[index]
			return !there
		}))
}

// shutReason is why a closed index is open. It names no index, so that many are one message.
func shutReason(s search.Standing) string {
	return s.Shut + `, or leave it out with "-name" after the rule's pattern`
}
