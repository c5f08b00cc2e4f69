package backfill

import (
	"cmp"
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
	// moved are rules whose part stands for other indices by now.
	moved map[*detect.Detection]bool
}

func newGroups(p *Plan, detections []*detect.Detection) *groups {
	of := map[rule.ID]*detect.Detection{}
	for _, d := range detections {
		of[d.Rule.ID] = d
	}
	g := &groups{ready: map[string]*detect.Group{}, apart: map[*detect.Detection]bool{},
		moved: map[*detect.Detection]bool{}}
	for _, part := range p.Parts {
		j := joint{patterns: part.Patterns, stands: part.Stands}
		for _, id := range part.IDs() {
			j.detections = append(j.detections, of[id])
		}
		g.parts = append(g.parts, j)
	}
	return g
}

// inOrder reports whether the slices of a part are searched in the order of time, one at a time:
// what a rule that counts events finds in one decides what it finds in the next.
func (g *groups) inOrder(part int) bool { return g.parts[part].detections[0].Threshold != nil }

// of returns what is searched one after the other for a part of the plan: all of its rules
// together, but those that cannot be.
func (g *groups) of(part int) []joint {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.divide(g.parts[part])
}

// divide takes the rules out that cannot be searched with others.
func (g *groups) divide(j joint) (all []joint) {
	if j.stands != nil && g.moved[j.detections[0]] {
		every := func(string) bool { return true }
		for _, one := range joined(j.detections, every, nil) {
			all = append(all, g.divide(one)...)
		}
		return all
	}
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

// move remembers that the patterns of rules do not stand for the same indices any more.
func (g *groups) move(j joint) []joint {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, d := range j.detections {
		g.moved[d] = true
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

// mostVain is how often a search for rules of a slice may fail before another has worked, until
// what fails is taken for the cluster and not for the rules: of both halves, of all quarters.
const mostVain = 6

// sharing is the search of one slice for the rules of its part.
type sharing struct {
	*Runner
	task   *task
	left   []joint // to be searched
	found  found
	lacks  lacks
	worked bool // some search
	failed int  // searches
}

// search covers a slice for the rules of its part: for all of them together, or in halves where
// that failed before. Where nothing may be read there is nothing to search: the plan says so.
func (r *Runner) search(ctx context.Context, t *task, target detect.Target) (found, error) {
	if len(target.Patterns) == 0 {
		return found{}, nil
	}
	target.Began, target.Accounted = r.plan.MadeAt, r.isKnown
	s := sharing{Runner: r, task: t, left: r.groups.of(t.Part)}
	drained := target.Drained
	for len(s.left) > 0 {
		one := s.left[0]
		s.left = s.left[1:]
		target.Patterns, target.Stands, target.Drained = one.patterns, one.stands, nil
		if len(s.left) == 0 && !t.halved { // nothing is searched after it
			target.Drained = drained
		}
		out, err := r.cover(ctx, one, target)
		if err = s.take(one, out, err); err != nil {
			return s.found, err
		}
	}
	s.found.failures = s.lacks.named(len(t.Rules))
	return s.found, nil
}

// isKnown reports whether the plan says that an index is not searched.
func (r *Runner) isKnown(index string) bool { return slices.Contains(r.unsearched, index) }

// take takes what a search for some rules came to. Its error ends the search of the slice.
func (s *sharing) take(rules joint, out detect.Outcome, err error) error {
	if apart, ok := errors.AsType[*detect.ApartError](err); ok {
		s.left = append(s.groups.split(rules, apart.Rules), s.left...)
		return nil
	}
	if errors.Is(err, detect.ErrMoved) {
		s.left = append(s.groups.move(rules), s.left...)
		return nil
	}
	failures := slices.DeleteFunc(out.Failures, func(f detect.Failure) bool {
		return s.isKnown(f.Index)
	})
	s.found.add(rules, out, len(s.task.Rules))
	switch ofRules := len(s.task.Rules) > 1 && isOfRules(err, failures); {
	case !ofRules && err != nil:
		return err
	case !ofRules:
		s.worked = true
	case !s.task.halved && len(rules.detections) > 1:
		return errTogether{cmp.Or(err, refusal(failures))}
	default:
		if s.failed++; s.failed >= mostVain && !s.worked {
			return cmp.Or(err, refusal(failures))
		}
		if len(rules.detections) > 1 {
			s.left = append(s.left, rules.halves()...)
			return nil
		}
		s.groups.split(rules, nil)
		if err != nil {
			failures = append(failures, failed(err))
		}
	}
	if len(failures) > 0 {
		s.found.blind = append(s.found.blind, rules.ids()...)
	}
	s.lacks.add(failures, rules.ids())
	return nil
}

// refusal is an index's failure as an error.
func refusal(failures []detect.Failure) error {
	if len(failures) == 0 {
		return nil
	}
	return fmt.Errorf("index %s: %s", failures[0].Index, failures[0].Reason)
}

// isOfRules reports whether a search for fewer rules may find what that for these did not.
func isOfRules(err error, failures []detect.Failure) bool {
	return err != nil && detect.MayBeOneRules(err) || detect.AnyRefused(failures)
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
