package detect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/date"
	"esrule/internal/detect/indicator"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// flushAt is how many signals are held before they are written: each takes several times its text
// in memory until then.
const flushAt = 100

// errPartial is that a document came without its content, or without what was asked about it, in a
// search for several rules: only of a search for one rule is it known that the rule could match it.
var errPartial = errors.New("a document came without its _source or its matched_queries, and " +
	"which of the rules it concerns is not known")

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
	// answers says whether the indices of a mapping are asked about each hit, and unanswered which
	// indices did not say it, and of which document.
	answers    map[*event.Mapping]bool
	unanswered map[string]string
	candidates []int            // the matchers that could accept the event at hand
	accepted   []int            // those that do
	chain      signal.Chain     // of the event at hand, where it is a signal
	gatherer   gatherer         // of rules that judge several events together; else nil
	reading    signal.Reading   // of the event of the last signal
	indicators []*indicator.Set // of the rules that have some
	joined     []joined         // events that match some, without their signals yet
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
		unplaced: map[string]string{}, unanswered: map[string]string{},
		asked:   map[int]map[string]bool{},
		outcome: Outcome{each: make([]Counts, len(g.detections))}}
}

// read reads the candidates of every search. Signals are left in hand at the end.
func (j *judge) read(ctx context.Context, pit *search.PointInTime) error {
	for _, one := range j.plan.searches {
		j.part, j.answers = one.part, one.asked
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
	if j.answers[mapping] && !j.event.Answered() {
		j.unanswered[hit.Index] = hit.ID()
		return nil
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
	j.stop(hit, document.Source)
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
	err = j.reading.Read(j.eventOf(hit, document, given, mapping))
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
func (j *judge) eventOf(hit *search.Hit, document event.Document, given []byte,
	mapping *event.Mapping) signal.Event {
	return signal.Event{Index: hit.Index, ID: hit.ID(), Source: bytes.Clone(document.Source),
		Fields: given, Time: eventTime(document, mapping), Alert: j.group.isAlert(hit.Index)}
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
