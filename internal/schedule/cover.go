package schedule

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/query/event"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/search"
	"esrule/internal/sink"
)

// flushAt is how many signals are held before they are written.
const flushAt = 500

// target is what is searched for an interval: the patterns, or of their indices only one.
type target struct {
	patterns []string
	only     string
	// now is the instant that a relative date of the rule counts from, one for a whole run.
	now time.Time
}

// outcome is what covering one interval came to.
type outcome struct {
	reached    bool // the one index that was asked for is among those that answered
	indices    int
	candidates int
	matched    int
	written    sink.Result
	// failures are the indices that were not searched whole: the interval stays open for them.
	failures []Failure
}

// cover searches the target for a rule's events of one interval and writes a signal for each match.
// With no error, everything but the failures in the outcome was read, judged and acknowledged.
func (r *Runner) cover(ctx context.Context, d *Detection, t target, i Interval, x sink.Execution) (outcome, error) {
	pit, err := r.cluster.OpenPointInTime(ctx, t.patterns)
	if err != nil {
		return outcome{}, fmt.Errorf("open a point in time on %s: %w", t.patterns, err)
	}
	defer func() {
		if err := pit.Close(context.WithoutCancel(ctx)); err != nil {
			r.log.Debug("a point in time was not closed; it ends by itself", "rule", d.Rule.ID, "error", err)
		}
	}()
	if pit.Empty() {
		return r.outcomeOf(ctx, outcome{}, t, pit)
	}
	classes, err := r.cluster.Mappings(ctx, t.patterns, d.Mapped())
	if err != nil {
		return outcome{}, fmt.Errorf("read the mappings of %s: %w", t.patterns, err)
	}
	plan := d.plan(classes, reading(d.Rule, i), r.own)
	if t.only != "" {
		plan.request = prefilter.And(prefilter.Terms("_index", []string{t.only}), plan.request)
	}
	j := newJudge(r, d, plan, x)
	j.event.SetNow(t.now)
	if err := j.read(ctx, pit); err != nil {
		return j.outcome, err // what was written until then was written
	}
	j.outcome.indices = plan.indices()
	j.outcome.reached = plan.mappings[t.only] != nil
	j.outcome.failures = plan.uncovered
	for index := range j.unknown {
		j.outcome.failures = append(j.outcome.failures, Failure{Index: index, Reason: "its mapping could not be read: what its fields are is not known"})
	}
	return r.outcomeOf(ctx, j.outcome, t, pit)
}

// outcomeOf adds the indices that did not answer, except those that are gone or were not asked.
func (r *Runner) outcomeOf(ctx context.Context, out outcome, t target, pit *search.PointInTime) (outcome, error) {
	for _, f := range pit.Failures() {
		out.failures = append(out.failures, Failure{Index: f.Index, Reason: f.Reason})
	}
	if t.only != "" {
		out.failures = slices.DeleteFunc(out.failures, func(f Failure) bool { return f.Index != t.only })
	}
	var err error
	out.failures, err = r.dropDeleted(ctx, out.failures)
	return out, err
}

// judge takes the candidates of one search to signals.
type judge struct {
	runner    *Runner
	detection *Detection
	plan      plan
	execution sink.Execution
	event     *event.Event
	deep      fastjson.Parser
	unknown   map[string]bool // indices whose mapping could not be read, by their hits
	signals   []sink.Signal
	outcome   outcome
}

func newJudge(r *Runner, d *Detection, p plan, x sink.Execution) *judge {
	return &judge{runner: r, detection: d, plan: p, execution: x, event: event.New(d.Fields), unknown: map[string]bool{}}
}

// read takes page after page, each while the next is under way, and writes what is left at the end.
func (j *judge) read(ctx context.Context, pit *search.PointInTime) error {
	for page, err := range pit.Pages(ctx, search.Request{Query: j.plan.request, Fields: j.plan.fields}) {
		if err != nil {
			return fmt.Errorf("read candidates: %w", err)
		}
		for k := range page.Hits {
			if err := j.judge(&page.Hits[k]); err != nil {
				return err
			}
		}
		if len(j.signals) >= flushAt {
			if err := j.flush(ctx); err != nil {
				return err
			}
		}
	}
	return j.flush(ctx)
}

func (j *judge) judge(hit *search.Hit) error {
	mapping, known := j.plan.mappings[hit.Index]
	if !known {
		j.unknown[hit.Index] = true
		return nil
	}
	j.outcome.candidates++
	source := hit.Source
	if hit.Deep != nil {
		flat, err := event.Shallow(hit.Deep, j.detection.Fields, mapping)
		if err != nil {
			return fmt.Errorf("document %s of index %s: %w", hit.ID, hit.Index, err)
		}
		if source, err = j.deep.ParseBytes(flat); err != nil {
			return fmt.Errorf("document %s of index %s: %w", hit.ID, hit.Index, err)
		}
	}
	j.event.Reset(mapping, source, hit.Fields)
	if !j.detection.Matcher.Match(j.event) {
		return nil
	}
	j.outcome.matched++
	signal, err := sink.NewSignal(sink.Match{
		Rule: j.detection.Rule, Index: hit.Index, ID: hit.ID, Source: hit.SourceJSON(), Fields: hit.FieldsJSON(),
	}, j.execution)
	if err != nil {
		return fmt.Errorf("make a signal of document %s of index %s: %w", hit.ID, hit.Index, err)
	}
	j.signals = append(j.signals, signal)
	return nil
}

func (j *judge) flush(ctx context.Context) error {
	if len(j.signals) == 0 {
		return nil
	}
	written, err := j.runner.signals.Write(ctx, j.signals)
	j.outcome.written = j.outcome.written.Add(written)
	if err != nil {
		return fmt.Errorf("write %d signals: %w", len(j.signals), err)
	}
	j.signals = j.signals[:0]
	return nil
}

// dropDeleted takes out the failures of indices that are gone: there is nothing left to search.
func (r *Runner) dropDeleted(ctx context.Context, failures []Failure) ([]Failure, error) {
	var kept []Failure
	for _, f := range failures {
		there, err := r.cluster.Exists(ctx, f.Index)
		if err != nil {
			return failures, fmt.Errorf("ask whether index %s is still there: %w", f.Index, err)
		}
		if !there {
			r.log.Warn("an index was deleted while it was searched; it is no longer waited for", "index", f.Index, "reason", f.Reason)
			continue
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// plan is one search, laid out for the mappings of the moment.
type plan struct {
	request  prefilter.Clause
	fields   []string // asked of the search beside `_source`
	mappings map[string]*event.Mapping
	// uncovered are the indices that cannot be judged, whatever they answer.
	uncovered []Failure
}

func (p plan) indices() int { return len(p.mappings) }

// plan builds the search of a window over the classes of mappings that the patterns have now.
func (d *Detection) plan(classes []search.Class, window Interval, own []string) plan {
	p := plan{mappings: map[string]*event.Mapping{}}
	var searched []prefilter.Class
	var left []string
	asked := map[string]bool{}
	for _, c := range classes {
		if reason := unjudgeable(c.Mapping); reason != "" {
			for _, index := range c.Indices {
				left = append(left, index)
				p.uncovered = append(p.uncovered, Failure{Index: index, Reason: reason})
			}
			continue
		}
		for _, index := range c.Indices {
			p.mappings[index] = c.Mapping
		}
		for _, path := range d.Fields.Paths() {
			if c.Mapping.Fields[path].FromFields && !asked[path] {
				asked[path] = true
				p.fields = append(p.fields, path)
			}
		}
		searched = append(searched, prefilter.Class{
			Indices: c.Indices,
			Window:  prefilter.Between(c.Mapping, d.Timestamps(), window.From, window.To),
			Filter:  prefilter.Build(d.Matcher.Condition(), c.Mapping).Clause,
		})
	}
	unseen := prefilter.Anytime(d.Timestamps(), window.From, window.To)
	p.request = prefilter.Guarded(searched, unseen)
	if left = append(left, own...); len(left) > 0 {
		p.request = prefilter.And(p.request, prefilter.Not(prefilter.Terms("_index", left)))
	}
	return p
}

// unjudgeable says why the documents of a mapping cannot be read back, or is empty where they can.
func unjudgeable(m *event.Mapping) string {
	switch {
	case m.Source == event.SourceOff:
		return "the index keeps no _source: its events cannot be judged"
	case len(m.SourceMissing) > 0:
		return fmt.Sprintf("_source leaves out %s, which the rule reads: its events cannot be judged", m.SourceMissing)
	}
	return ""
}
