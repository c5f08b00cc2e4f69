package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// common searches what several rules have in common: their live windows, the same pieces of their
// gaps and of their late sweeps, and what failed before. One search returns the events of all of
// them. What a rule's own step then asks for is there already.
//
// It only saves requests. A group that fails as a whole is halved, see [halving]; what cannot be
// searched so, each rule searches for itself, as if there were no groups.
type common struct {
	findings *findings
	coverer  *detect.Coverer
	// groups are those of the run before, and used those of this one, by their rules.
	groups, used map[string]*detect.Group
	// apart are rules that cannot be searched with others and can be alone, as a run has found; a
	// process knows them until it reads its rules again. See [Ledger.Alone] for those that fail.
	apart map[*detect.Detection]bool
	// vain are the first rules of groups that could not be searched in halves either.
	vain map[*detect.Detection]bool
}

// ahead is what was searched for a rule before its step.
type ahead struct {
	target detect.Target
	out    detect.Outcome
	err    error
	// Of all rules that it was searched for.
	took       time.Duration
	candidates int

	taken bool // by the step
}

// search searches what is due that rules have in common.
func (c *common) search(ctx context.Context, runs []*ruleRun) {
	for _, s := range runs {
		if s.err == nil {
			s.err = s.wakeUp(ctx) // its step would, too late for the others
		}
	}
	for _, rules := range c.together(ctx, runs) {
		err := c.searchGroup(ctx, rules)
		if errors.Is(err, detect.ErrMoved) { // an index came or went
			c.findings.forget()
			for _, again := range c.together(ctx, rules) {
				_ = c.searchGroup(ctx, again)
			}
		}
	}
}

// together returns the rules of which something is due that can be searched together, those of one
// search together.
func (c *common) together(ctx context.Context, runs []*ruleRun) (all [][]*ruleRun) {
	at := map[string]int{}
	for _, s := range runs {
		key, ok := s.commonKey(ctx)
		if !ok || c.apart[s.detection] || s.ledger.Alone {
			continue
		}
		i, known := at[key]
		if !known {
			i, at[key] = len(all), len(all)
			all = append(all, nil)
		}
		all[i] = append(all[i], s)
	}
	return slices.DeleteFunc(all, func(rules []*ruleRun) bool { return len(rules) < 2 })
}

// commonKey is equal for the rules that can be searched together for what is due: over the same
// indices, where it is known what their patterns stand for, else in the same patterns. ok is false
// where nothing is due.
func (s *ruleRun) commonKey(ctx context.Context) (key string, ok bool) {
	due, ok := s.joint(ctx)
	if !ok || len(s.patterns) == 0 {
		return "", false
	}
	target := due.target
	var accounted []string // what the search does not report for the rule
	for index := range s.shut.names {
		accounted = append(accounted, index)
	}
	for _, f := range s.forbidden {
		accounted = append(accounted, f.Index)
	}
	slices.Sort(accounted)
	place := fmt.Sprint(s.detection.Patterns, target.Patterns)
	if stands := s.stands(ctx); stands != nil && slices.Equal(target.Patterns, s.patterns) {
		place = fmt.Sprint(stands)
	}
	return fmt.Sprint(place, target.Only, target.Timestamps, target.Window, accounted,
		s.detection.Kind()), true
}

// stands returns the indices that the rule's patterns stand for, nil where it is not known what the
// patterns of many rules do, or a part of them is not searched.
func (s *ruleRun) stands(ctx context.Context) []string {
	if len(s.forbidden) > 0 || !slices.Equal(s.patterns, s.detection.Patterns) {
		return nil
	}
	all, ok := s.findings.resolved(ctx, s.patterns)
	if !ok {
		return nil
	}
	return detect.Stands(all)
}

// joint is what the rule's next step does, where rules can do it together.
func (s *ruleRun) joint(ctx context.Context) (job, bool) {
	if s.err != nil || s.ledger == nil {
		return job{}, false
	}
	next, ok := s.next(ctx)
	return next, ok && next.target != nil
}

// cover searches what is due of rules. An error is no rule's: each searches for itself then,
// and says what is wrong.
func (c *common) cover(ctx context.Context, rules []*ruleRun) error {
	if err := cmp.Or(ctx.Err(), c.findings.gone()); err != nil {
		return err
	}
	group, err := c.group(rules)
	if err != nil {
		return err
	}
	executions := make([]signal.Execution, len(rules))
	for i, s := range rules {
		executions[i] = s.execution
	}
	first, due := rules[0], make([]job, len(rules))
	for i, s := range rules {
		due[i], _ = s.joint(ctx)
	}
	target := *due[0].target
	if p := due[0].pace; p != nil {
		target.EachPage = p.limit(first.options.Now)
	}
	target.Began, target.Accounted = first.theirs, first.accounted
	target.Patterns, target.Stands = c.patterns(ctx, first, due)
	ctx = elastic.WithStalls(ctx, func(waited time.Duration) {
		for _, s := range rules {
			s.stalled.Add(int64(waited))
		}
	})
	began := first.options.Now()
	out, err := c.coverer.CoverGroup(ctx, group, target, executions)
	took := first.options.Now().Sub(began)
	tooDear := errors.Is(err, errTooDear)
	c.findings.noteSearched(out)
	for i, s := range rules {
		s.run.Duration += took / time.Duration(len(rules))
		s.run.Searches += float64(out.Searches) / float64(len(rules))
		its := out.Of(i)
		if err != nil && !tooDear {
			s.run.Add(its.Counts) // whatever becomes of the rest: these signals were written
			continue
		}
		ready := ahead{target: *due[i].target, out: its, took: took, candidates: out.Candidates}
		if tooDear {
			ready.err = errTooDear
		}
		s.prepared(ready)
	}
	if tooDear {
		return nil
	}
	if apart, ok := errors.AsType[*detect.ApartError](err); ok {
		return c.without(ctx, rules, apart.Rules)
	}
	if c.findings.doubt(err); err != nil && ctx.Err() == nil {
		_, _ = first.askTime(ctx)
		first.log.Debug("rules could not be searched together", "rules", len(rules), "error", err)
	}
	return err
}

// patterns returns what is searched for what is due of rules: its patterns, and the indices that
// they stand for where the patterns differ.
func (c *common) patterns(ctx context.Context, first *ruleRun,
	due []job) (patterns, stands []string) {
	lists := make([][]string, len(due))
	for i, one := range due {
		lists[i] = one.target.Patterns
	}
	patterns, same := indexpattern.Union(lists)
	if same {
		return patterns, nil
	}
	return patterns, first.stands(ctx)
}

// without searches for the rules but those at some places, which cannot be searched with others.
func (c *common) without(ctx context.Context, rules []*ruleRun, places []int) error {
	for _, i := range places {
		c.apart[rules[i].detection] = true
	}
	left := slices.DeleteFunc(slices.Clone(rules), func(s *ruleRun) bool {
		return c.apart[s.detection]
	})
	if len(left) > 1 && len(left) < len(rules) {
		return c.cover(ctx, left)
	}
	return nil
}

// group returns the rules as a group. What it is compiled from does not change between runs.
func (c *common) group(rules []*ruleRun) (*detect.Group, error) {
	detections := make([]*detect.Detection, len(rules))
	var key strings.Builder
	for i, s := range rules {
		detections[i] = s.detection
		fmt.Fprintf(&key, "%p ", s.detection)
	}
	g := c.groups[key.String()]
	if g == nil {
		var err error
		if g, err = detect.NewGroup(detections); err != nil {
			return nil, err
		}
	}
	c.used[key.String()] = g
	return g, nil
}

// prepared keeps what was searched for the rule's next step. What was before is searched again, in
// halves; its signals were written.
func (s *ruleRun) prepared(ready ahead) {
	if s.ahead != nil {
		s.run.Add(s.ahead.out.Counts)
	}
	s.ahead = &ready
}

// taken returns what was searched ahead for the rule, if that is what is to be searched.
func (s *ruleRun) taken(t detect.Target) (out detect.Outcome, ok bool, err error) {
	ready := s.ahead
	s.ahead = nil
	if ready == nil {
		return detect.Outcome{}, false, nil
	}
	if !sameTarget(ready.target, t) {
		s.run.Add(ready.out.Counts)
		return detect.Outcome{}, false, nil
	}
	ready.taken = true
	return ready.out, true, ready.err
}

func sameTarget(a, b detect.Target) bool {
	return slices.Equal(a.Patterns, b.Patterns) && slices.Equal(a.Only, b.Only) &&
		sameWindow(a.Window, b.Window) && a.Timestamps == b.Timestamps && a.Now.Equal(b.Now)
}

func sameWindow(a, b span.Interval) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }
