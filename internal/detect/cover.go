package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/query/prefilter"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// Cluster is what covering reads of Elasticsearch. *search.Cluster is one.
type Cluster interface {
	OpenPointInTime(ctx context.Context, patterns []string) (*search.PointInTime, error)
	Mapper
	Exists(ctx context.Context, index string) (bool, error)
	Count(ctx context.Context, patterns []string, query dsl.Clause) (search.Count, error)
}

// Signals is where matches go. *sink.Writer is one. Write returns a verdict on each signal, and an
// error unless the cluster has acknowledged all.
type Signals interface {
	Write(ctx context.Context, signals []signal.Signal) ([]sink.Verdict, error)
}

// Coverer takes the events of a window from the cluster to signals: what a run does for each piece,
// and a backfill for each slice. It keeps no account; it is safe for concurrent use.
type Coverer struct {
	Cluster Cluster
	Signals Signals
	// Own are the program's indices. Only signals are read for events, by rules that look there.
	Own []string
	Log *slog.Logger
	// Bursts knows what rules that count events have found before.
	Bursts *Bursts
	// Indicators are those of rules that join events with them.
	Indicators *Indicators
}

// Target is what is searched: a window of time in some patterns, or in a part of their indices.
type Target struct {
	Patterns []string
	// Only are the indices that are searched; with none, all are.
	Only []string
	// Window is half-open; a zero end is no bound.
	Window     span.Interval
	Timestamps prefilter.Timestamps
	// Now is the instant that a relative date of the rule counts from.
	Now time.Time
	// Began is when the work began by the cluster's clock: an index made since is not waited for.
	Began time.Time
	// Stands, unless it is nil, are the indices that the patterns stood for when rules with other
	// patterns were put together: the search is [ErrMoved] where they stand for others by now.
	Stands []string
	// Accounted, if there is one, reports whether the caller accounts itself for an index that no
	// search holds: a closed one, or one that may not be read.
	Accounted func(index string) bool
	// Drained, if there is one, is called once every page was read and judged and the point in time
	// is closed, before the signals are written that are left.
	Drained func()
	// EachPage, if there is one, is told of each page once its candidates are judged, and called in
	// turn. Its error ends the reading; what was matched until then is written.
	EachPage func(*search.Page) error
}

// Outcome is what covering one window came to.
type Outcome struct {
	// Reached are the indices that were searched, or are among the failures. Of a target with Only
	// they are those of it that answered.
	Reached []string
	Indices int
	Counts
	// Rules are how many rules were searched together, by how many Searches. Whole says why these
	// read every event of the window in some indices; it is empty where pre-filters narrowed them.
	Rules, Searches int
	Whole           string
	// Failures are the indices that were not searched whole: the window stays open for them.
	Failures []Failure

	each      []Counts // by the rules' places in the group; Counts is their sum
	strangers []string // see [judge.sort]
}

// Of returns what covering a group came to for one of its rules, by its place.
func (o Outcome) Of(rule int) Outcome {
	o.Counts = o.each[rule]
	return o
}

// Cover searches the target for a rule's events and writes a signal for each match. With no error,
// everything but the failures in the outcome was read, judged and acknowledged.
func (c *Coverer) Cover(ctx context.Context, d *Detection, t Target,
	x signal.Execution) (Outcome, error) {
	return c.CoverGroup(ctx, d.alone(), t, []signal.Execution{x})
}

// ApartError is why rules cannot be searched together: some index cannot be judged for these of
// them, by their places in the group. Nothing was searched.
type ApartError struct{ Rules []int }

func (e *ApartError) Error() string {
	return fmt.Sprintf("an index cannot be judged for %d of the rules", len(e.Rules))
}

// CoverGroup is Cover for the rules of a group, each with an execution of its own. The indices and
// failures of the outcome are those of every rule; see [Outcome.Of]. The error may be an
// [*ApartError].
func (c *Coverer) CoverGroup(ctx context.Context, g *Group, t Target,
	x []signal.Execution) (Outcome, error) {
	var sum Outcome
	strange := false
	for range goneTries {
		out, err := c.once(ctx, g, t, x)
		sum = sum.add(out)
		if err != nil {
			return sum, err
		}
		if len(out.strangers) > 0 && strange {
			return sum, &strangerError{out.strangers, t.Patterns}
		}
		strange = len(out.strangers) > 0
		kept, gone, err := c.partGone(ctx, out.Failures)
		if err != nil {
			return sum, err
		}
		gone = append(gone, out.strangers...)
		slices.Sort(gone)
		if gone = slices.Compact(gone); len(gone) == 0 {
			return sum, nil
		}
		c.Log.Warn("indices were deleted or renamed while they were searched; the time is "+
			"searched again, in "+
			"case they go on under other names", "rule", g.name(), "indices", gone)
		sum.Failures, t.Only, t.Drained = kept, nil, nil
	}
	return sum, nil
}

// goneTries is how often a time is searched at most where indices are deleted meanwhile.
const goneTries = 3

func (o Outcome) add(other Outcome) Outcome {
	other.Indices = max(other.Indices, o.Indices)
	other.Searches += o.Searches
	other.Add(o.Counts)
	for i := range o.each {
		other.each[i].Add(o.each[i])
	}
	return other
}

// ErrMoved is that the patterns of rules that are searched together stand for other indices than
// when they were put together. Nothing was searched.
var ErrMoved = errors.New("the patterns of the rules stand for other indices by now")

// once searches the target. Indices that are gone by then are among the failures.
func (c *Coverer) once(ctx context.Context, g *Group, t Target,
	x []signal.Execution) (Outcome, error) {
	nothing := Outcome{each: make([]Counts, len(g.detections))}
	indicators, err := c.Indicators.of(ctx, g, t.Now)
	if err != nil {
		return nothing, err
	}
	pit, err := c.Cluster.OpenPointInTime(ctx, t.Patterns)
	if err != nil {
		return nothing, fmt.Errorf("open a point in time on %s: %w", t.Patterns, err)
	}
	closeIt := func() {
		if err := pit.Close(ctx); err != nil {
			c.Log.Debug("a point in time was not closed; it ends by itself", "rule", g.name(),
				"error", err)
		}
	}
	defer closeIt()
	reached, unreached, err := c.reach(ctx, g, t, pit)
	if err != nil {
		return nothing, err
	}
	if pit.Empty() {
		nothing.Reached, nothing.Failures = reached, unreached
		return only(outcomeOf(nothing, pit), t), nil
	}
	classes, err := g.Classes(ctx, c.Cluster, t.Patterns)
	if err != nil {
		return nothing, err
	}
	plan := c.choose(ctx, g, t, classes, indicators)
	if len(plan.uncovered) > 0 && len(g.detections) > 1 {
		return nothing, &ApartError{g.apart(classes)}
	}
	if len(t.Only) > 0 && !g.gathers() { // what is judged together may be in any of the indices
		plan.narrow(dsl.Terms("_index", t.Only))
	}
	if plan.whole != "" { // there are events to judge: make the set while the first page comes
		plan.prepare()
	}
	j := newJudge(c, g, t, plan, x)
	j.indicators = indicators
	if g.gathers() {
		err = j.gather(ctx, pit, classes, len(unreached) > 0)
	} else {
		err = j.read(ctx, pit)
	}
	if err != nil {
		return j.outcome, err // what was written until then was written
	}
	closeIt()
	if t.Drained != nil {
		t.Drained()
	}
	if err := j.flush(ctx); err != nil {
		return j.outcome, err
	}
	g.economy.saw(int64(j.outcome.Candidates))
	j.outcome.Rules, j.outcome.Searches = len(g.detections), plan.count()
	j.outcome.Whole = plan.whole
	if len(j.partial)+len(j.unanswered) > 0 && len(g.detections) > 1 {
		return j.outcome, errPartial
	}
	j.outcome.Indices = plan.indices()
	j.outcome.Reached = reached
	if len(t.Only) > 0 {
		j.outcome.Reached = slices.DeleteFunc(reached, func(index string) bool {
			return plan.mappings[index] == nil || !slices.Contains(t.Only, index)
		})
	}
	j.outcome.Failures = slices.Concat(plan.uncovered, unreached)
	j.sort(reached)
	out := outcomeOf(j.outcome, pit)
	if g.gathers() {
		out.Failures = failTogether(out.Failures, t.Only)
	}
	return only(out, t), nil
}

// outcomeOf adds the indices that did not answer.
func outcomeOf(out Outcome, pit *search.PointInTime) Outcome {
	for _, f := range pit.Failures() {
		unwell := f.Type == elastic.NoShardAvailable || f.Type == elastic.ClusterBlock
		out.Failures = append(out.Failures,
			Failure{Index: f.Index, Reason: f.Reason, Unwell: unwell, Refused: isOfRequest(f)})
	}
	return out
}

// only leaves out the failures of the indices that the target is not about.
func only(out Outcome, t Target) Outcome {
	if len(t.Only) > 0 {
		out.Failures = slices.DeleteFunc(out.Failures, func(f Failure) bool {
			return !slices.Contains(t.Only, f.Index)
		})
	}
	return out
}

// partGone sorts failures into those of indices that are there and the names of those that are
// gone.
func (c *Coverer) partGone(ctx context.Context,
	failures []Failure) (kept []Failure, gone []string, err error) {
	for _, f := range failures {
		there, err := c.Cluster.Exists(ctx, f.Index)
		if err != nil {
			return nil, nil, fmt.Errorf("ask whether index %s is still there: %w", f.Index, err)
		}
		if !there {
			gone = append(gone, f.Index)
			continue
		}
		kept = append(kept, f)
	}
	return kept, gone, nil
}
