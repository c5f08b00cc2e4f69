package detect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/date"
	"esrule/internal/detect/indicator"
	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// flushAt is how many signals are held before they are written: each takes several times its text
// in memory until then.
const flushAt = 100

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
	// Own are the program's indices, never read for events.
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
	reached, unreached, err := c.reach(ctx, t, pit)
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
	if len(j.partial) > 0 && len(g.detections) > 1 {
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
			Failure{Index: f.Index, Reason: f.Reason, Unwell: unwell, Refused: isTooMuch(f)})
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

// errPartial is that a document came without its content in a search for several rules: only of a
// search for one rule is it known that the rule could match it.
var errPartial = errors.New("a document came without its _source, and which of the rules it " +
	"concerns is not known")

// judge takes the candidates of one search to signals.
type judge struct {
	coverer    *Coverer
	group      *Group
	target     Target
	plan       plan
	executions []signal.Execution
	event      *match.Evaluation
	part       part              // that is searched for
	index      string            // of the last hit
	mapping    *event.Mapping    // of that index; nil where it is not known
	unknown    map[string]bool   // indices whose mapping could not be read, by their hits
	partial    map[string]string // indices of which a document came without its content, and which
	unplaced   map[string]string // indices of which an accepted event has no time, and which
	candidates []int             // the matchers that could accept the event at hand
	accepted   []int             // those that do
	gatherer   gatherer          // of rules that judge several events together; else nil
	reading    signal.Reading    // of the event of the last signal
	indicators []*indicator.Set  // of the rules that have some
	joined     []joined          // events that match some, without their signals yet
	signals    []signal.Signal
	of         []int                   // the rule of each of signals
	asked      map[int]map[string]bool // see [judge.asking]
	outcome    Outcome
}

func newJudge(c *Coverer, g *Group, t Target, p plan, x []signal.Execution) *judge {
	texts := signal.NewTexts()
	x = slices.Clone(x)
	for i := range x {
		x[i].Texts = texts
	}
	return &judge{coverer: c, group: g, target: t, plan: p, executions: x,
		event:   match.NewEvaluation(g.fields, t.Now),
		unknown: map[string]bool{}, partial: map[string]string{},
		unplaced: map[string]string{}, asked: map[int]map[string]bool{},
		outcome: Outcome{each: make([]Counts, len(g.detections))}}
}

// read reads the candidates of every search. Signals are left in hand at the end.
func (j *judge) read(ctx context.Context, pit *search.PointInTime) error {
	for _, one := range j.plan.searches {
		j.part = one.part
		for _, request := range one.searches {
			if err := j.readPages(ctx, pit, request); err != nil {
				return err
			}
		}
	}
	return nil
}

// readPages takes page after page, each while the next is under way.
func (j *judge) readPages(ctx context.Context, pit *search.PointInTime,
	request search.Request) error {
	for page, err := range pit.Pages(ctx, request) {
		if err != nil {
			return fmt.Errorf("read candidates: %w", err)
		}
		for hit := range page.Hits(j.begin) {
			if err := j.judge(hit); err != nil {
				return &judgeError{err}
			}
			if len(j.signals)+len(j.joined) < flushAt {
				continue
			}
			if err := j.flush(ctx); err != nil {
				return err
			}
		}
		if j.target.EachPage == nil {
			continue
		}
		if err := j.target.EachPage(page); err != nil {
			return errors.Join(err, j.flush(ctx))
		}
	}
	return nil
}

func (j *judge) judge(hit *search.Hit) error {
	mapping := j.mappingOf(hit.Index)
	if mapping == nil {
		j.unknown[hit.Index] = true
		return nil
	}
	j.outcome.Candidates++
	if !j.isWhole(hit, mapping) {
		j.partial[hit.Index] = hit.ID()
		return nil
	}
	document := hit.Document()
	if err := j.event.Read(mapping, document); err != nil {
		return fmt.Errorf("document %s of index %s: %w", hit.ID(), hit.Index, err)
	}
	j.candidates = j.candidates[:0]
	j.part.each(j.event, func(matcher int) { j.candidates = append(j.candidates, matcher) })
	of := j.group.matchers.Of
	for i, matcher := range j.candidates {
		if i == 0 || of[matcher] != of[j.candidates[i-1]] {
			j.outcome.each[of[matcher]].Candidates++
		}
	}
	j.accepted = j.group.matchers.Accepting(j.event, j.target.Now, j.candidates, j.accepted[:0],
		j.except)
	if j.gatherer != nil {
		return j.gatherer.note(hit, j.accepted)
	}
	for _, matcher := range j.accepted {
		take := j.matched
		if j.group.matchers.Compiled[of[matcher]].Threat != nil {
			take = j.join
		}
		if err := take(of[matcher], hit, document, mapping); err != nil {
			return err
		}
	}
	return nil
}

// except counts an event that an exception of a rule accepts.
func (j *judge) except(rule int, by *rule.Exception) {
	j.outcome.Except(by)
	j.outcome.each[rule].Except(by)
}

// matched makes the signal of a hit that a rule matches.
func (j *judge) matched(rule int, hit *search.Hit, document event.Document,
	mapping *event.Mapping) error {
	given, err := j.given(rule, document.Fields)
	if err != nil {
		return fmt.Errorf("document %s of index %s: %w", hit.ID(), hit.Index, err)
	}
	var made signal.Signal
	err = j.reading.Read(eventOf(hit, document, given, mapping))
	if err == nil {
		made, err = j.reading.Signal(j.group.detections[rule].Rule, j.executions[rule])
	}
	if err != nil {
		return fmt.Errorf("make a signal of document %s of index %s: %w", hit.ID(), hit.Index, err)
	}
	j.add(rule, made)
	return nil
}

// add takes signals of a rule in hand, to be written.
func (j *judge) add(rule int, made ...signal.Signal) {
	j.outcome.Matched += len(made)
	j.outcome.each[rule].Matched += len(made)
	for _, one := range made {
		j.signals, j.of = append(j.signals, one), append(j.of, rule)
	}
}

// eventOf is what a signal is made of, of a hit.
func eventOf(hit *search.Hit, document event.Document, given []byte,
	mapping *event.Mapping) signal.Event {
	return signal.Event{Index: hit.Index, ID: hit.ID(), Source: bytes.Clone(document.Source),
		Fields: given, Time: eventTime(document, mapping)}
}

// eventTime returns when an event happened, as the search gave it; nil where its `_source` says it.
func eventTime(document event.Document, mapping *event.Mapping) *time.Time {
	f := mapping.Fields[timestamp]
	if !f.IsDate() || plainTime(f) {
		return nil
	}
	var at time.Time // stays zero where the index has none
	if i, ok := date.Served(nil).Parse(
		fastjson.GetBytes(document.Fields, timestamp, "0")); ok {
		at = i.Time()
	}
	return &at
}

// begin makes the judge's event that of the document that a text begins with, if it can; it is a
// [search.Reader].
func (j *judge) begin(index string, text []byte) int {
	mapping := j.mappingOf(index)
	if mapping == nil {
		return -1
	}
	return j.event.Begin(mapping, text)
}

// mappingOf returns an index's mapping, nil where it is not known. Hits of one index come after
// each other.
func (j *judge) mappingOf(index string) *event.Mapping {
	if index != j.index {
		j.index, j.mapping = index, j.plan.mappings[index]
	}
	return j.mapping
}

func (j *judge) flush(ctx context.Context) error {
	if err := j.enrich(ctx); err != nil {
		return err
	}
	if len(j.signals) == 0 {
		return nil
	}
	verdicts, err := j.coverer.Signals.Write(ctx, j.signals)
	j.outcome.Enter(verdicts)
	for i := range verdicts {
		j.outcome.each[j.of[i]].Enter(verdicts[i : i+1])
	}
	if err != nil {
		return fmt.Errorf("write %d signals: %w", len(j.signals), err)
	}
	clear(j.signals) // they hold their events
	j.signals, j.of = j.signals[:0], j.of[:0]
	return nil
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
