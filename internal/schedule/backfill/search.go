package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// found is what the search of a slice came to, for the rules of its part.
type found struct {
	counts   detect.Counts
	each     map[rule.ID]detect.Counts // that are not zero
	failures []detect.Failure
	blind    []rule.ID // that the failures are about
}

// groups are the rules of a plan's parts as they are searched together. It may be used
// concurrently.
type groups struct {
	mu    sync.Mutex
	parts []joint
	// ready are those that were made, by their rules. What they learn of the cluster is kept.
	ready map[string]*detect.Group
	// apart are rules that cannot be searched with others, as a search has found.
	apart map[*detect.Detection]bool
}

func newGroups(p *Plan, detections []*detect.Detection) *groups {
	of := map[rule.ID]*detect.Detection{}
	for _, d := range detections {
		of[d.Rule.ID] = d
	}
	g := &groups{ready: map[string]*detect.Group{}, apart: map[*detect.Detection]bool{}}
	for _, part := range p.Parts {
		j := joint{patterns: part.Patterns}
		for _, id := range part.IDs() {
			j.detections = append(j.detections, of[id])
		}
		g.parts = append(g.parts, j)
	}
	return g
}

// of returns what is searched one after the other for a part of the plan: all of its rules
// together, but those that cannot be. alone is that none of them is to be searched with others.
func (g *groups) of(part int, alone bool) []joint {
	g.mu.Lock()
	defer g.mu.Unlock()
	j := g.parts[part]
	if alone {
		return j.without(nil)
	}
	return g.divide(j)
}

// divide takes the rules out that cannot be searched with others.
func (g *groups) divide(j joint) []joint {
	var places []int
	for i, d := range j.detections {
		if g.apart[d] {
			places = append(places, i)
		}
	}
	if places == nil {
		return []joint{j}
	}
	return j.without(places)
}

// split remembers that rules, by their places, cannot be searched with the others.
func (g *groups) split(j joint, places []int) []joint {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, d := range j.detections {
		if len(places) == 0 || slices.Contains(places, i) {
			g.apart[d] = true
		}
	}
	return g.divide(j)
}

// group returns the rules as a group.
func (g *groups) group(j joint) (*detect.Group, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := fmt.Sprint(j.ids())
	group := g.ready[key]
	if group == nil {
		var err error
		if group, err = detect.NewGroup(j.detections); err != nil {
			return nil, err
		}
		g.ready[key] = group
	}
	return group, nil
}

// errTogether is an error of a search for several rules that may be due to some of them.
type errTogether struct{ error }

func (e errTogether) Unwrap() error { return e.error }

// search covers a slice for the rules of its part: for all of them together, or one after the other
// where that failed before. Where nothing may be read there is nothing to search: the plan says so.
func (r *Runner) search(ctx context.Context, t *task, target detect.Target) (found, error) {
	var sum found
	if len(target.Patterns) == 0 {
		return sum, nil
	}
	known := func(index string) bool { return slices.Contains(r.unsearched, index) }
	target.Began, target.Accounted = r.plan.MadeAt, known
	all, drained := len(t.Rules), target.Drained
	var lacks lacks
	for left := r.groups.of(t.Part, t.alone); len(left) > 0; {
		one := left[0]
		left = left[1:]
		target.Drained = nil
		if len(left) == 0 {
			target.Drained = drained
		}
		out, err := r.cover(ctx, one, target)
		if apart, ok := errors.AsType[*detect.ApartError](err); ok {
			left = append(r.groups.split(one, apart.Rules), left...)
			continue
		}
		failures := slices.DeleteFunc(out.Failures, func(f detect.Failure) bool {
			return known(f.Index)
		})
		sum.add(one, out, all)
		switch {
		case err == nil:
		case !detect.MayBeOneRules(err):
			return sum, err
		case len(one.detections) > 1:
			return sum, errTogether{err}
		case all == 1:
			return sum, err
		default:
			failures = append(failures, failed(err))
		}
		if len(failures) > 0 {
			sum.blind = append(sum.blind, one.ids()...)
		}
		lacks.add(failures, one.ids())
	}
	sum.failures = lacks.named(all)
	return sum, nil
}

// cover searches a time for some rules together.
func (r *Runner) cover(ctx context.Context, rules joint,
	target detect.Target) (detect.Outcome, error) {
	group, err := r.groups.group(rules)
	if err != nil {
		return detect.Outcome{}, err
	}
	return r.coverer.CoverGroup(ctx, group, target,
		slices.Repeat([]signal.Execution{r.execution}, len(rules.detections)))
}

// add adds what a search for some rules of the part found.
func (f *found) add(rules joint, out detect.Outcome, all int) {
	f.counts.Add(out.Counts)
	if all == 1 {
		return // the counts are that rule's
	}
	if f.each == nil {
		f.each = map[rule.ID]detect.Counts{}
	}
	for i, d := range rules.detections {
		its := out.Of(i).Counts
		if its.Candidates == 0 {
			continue
		}
		its.Add(f.each[d.Rule.ID])
		f.each[d.Rule.ID] = its
	}
}
