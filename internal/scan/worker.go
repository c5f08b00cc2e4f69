package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"esrule/internal/detect"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// judged is what a worker made of a chunk, in the order of its lines.
type judged struct {
	signals []found
	except  []excepted
	stopped []int // rules, by their places, that an alert would have matched but for its chain
	joined  []joined
	bad     []LineError
	events  int
	alerts  int // of the events
	bytes   int

	// Of the events, those without a category, and without a time beside; of the first of them, its
	// keys.
	noCategory, noTime int
	asText             []textUse // what was not among those of a chunk before it

	strange      int // documents that are no events as the rules read them
	firstStrange *Strange
}

// Strange is a document that was not judged, since nothing in it is what a rule reads.
type Strange struct {
	Line   int
	Keys   []string // its first ones
	Inside string   // the field that holds an event; empty where none is seen
}

// found is a match of one rule, by its place in [Rules].
type found struct {
	rule   int
	signal signal.Signal

	explanation *match.Explanation // where it is asked for
}

// excepted is a match of a rule, by its place in [Rules], that an exception of it accepts.
type excepted struct {
	rule int
	by   *rule.Exception
}

// textUse is a field that a rule, by its place in [Rules], compared as a text without a mapping.
type textUse struct {
	rule  int
	field string
}

// LineError is a line that is no event. The scan goes on behind it.
type LineError struct {
	Input string
	Line  int
	Err   error
}

func (e LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Input, e.Line, e.Err) }
func (e LineError) Unwrap() error { return e.Err }

// worker judges chunks, one at a time.
type worker struct {
	rules      *Rules
	execution  signal.Execution
	now        time.Time // that exceptions expire by
	event      *match.Evaluation
	fields     []event.Slot // that the rules read
	explains   bool         // every match
	asText     map[textUse]bool
	set        *match.Set   // of the rules
	candidates []int        // of the event at hand: the matchers that could accept it
	accepted   []int        // those that do
	chain      signal.Chain // of the event at hand, where it is an alert
	events     reading      // of it, where rules match it
	alerts     reading      // the same for rules over alerts
	buffer     []byte       // of the chunk at hand
	found      int          // signals of the chunk before
}

func newWorker(r *Rules, x signal.Execution, now time.Time) *worker {
	x.Final, x.Texts = true, signal.NewTexts() // each worker its own
	return &worker{rules: r, execution: x, now: now, event: match.NewEvaluation(r.fields, now),
		fields: r.fields.Slots(), set: r.together(), asText: map[textUse]bool{}}
}

// work judges chunk after chunk until all inputs are read.
func (w *worker) work(ctx context.Context, r *reader) error {
	for {
		j, err := r.next(ctx, w.buffer)
		if j == nil || err != nil {
			return err
		}
		j.done <- w.judge(j.chunk)
		if w.buffer = j.chunk.text; cap(w.buffer) > 8*chunkSize { // an outsized line made it
			w.buffer = nil
		}
	}
}

func (w *worker) judge(c chunk) judged {
	j := judged{bytes: len(c.text), signals: make([]found, 0, w.found)} // as the chunk before
	defer func() { w.found = len(j.signals) }()
	line := c.line
	for text := range bytes.Lines(c.text) {
		if text = bare(text); len(text) > 0 {
			j.events++
			if err := w.judgeLine(text, line, &j); err != nil {
				j.events--
				j.bad = append(j.bad, LineError{Input: c.input, Line: line, Err: err})
			}
		}
		line++
	}
	return j
}

// bare returns a line without what is around its document: blanks, a byte order mark where files
// were joined, the comma of a list.
func bare(text []byte) []byte {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] == '{' && text[len(text)-1] == '}' {
		return text
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	if start, ok := bytes.CutSuffix(text, []byte("},")); ok {
		text = text[:len(start)+1]
	}
	return text
}

func (w *worker) judgeLine(text []byte, line int, j *judged) error {
	isHit, err := w.event.ReadLine(text, w.rules.categories)
	if err != nil {
		return err
	}
	if err := w.readChain(text, isHit); err != nil {
		return err
	}
	if w.isAlert() {
		j.alerts++
	}
	matches, all := len(j.signals), &w.rules.matchers
	w.candidates = w.candidates[:0]
	w.set.Candidates(w.event, func(i int) { w.candidates = append(w.candidates, i) })
	for _, i := range w.candidates {
		w.noteTexts(all.Of[i], all.All[i], j)
	}
	w.accepted = all.Accepting(w.event, w.now, w.candidates, w.accepted[:0],
		func(rule int, by *rule.Exception) { j.except = append(j.except, excepted{rule, by}) })
	w.stop(j)
	together := w.accepted[:0] // those of rules that ask for several events
	w.events.isRead, w.alerts.isRead = false, false
	for _, i := range w.accepted {
		of := all.Of[i]
		if all.Compiled[of].Together() {
			together = append(together, i)
			continue
		}
		one := found{rule: of}
		if all.Compiled[of].Threat != nil {
			with, err := w.enrichments(of)
			if err != nil {
				return err
			}
			if len(with) == 0 {
				continue
			}
			if one.signal, err = w.enriched(of, text, isHit, with); err != nil {
				return err
			}
		} else {
			read, err := w.read(of, text, isHit)
			if err != nil {
				return err
			}
			if one.signal, err = read.Signal(w.rules.rules[of], w.execution); err != nil {
				return err
			}
		}
		if w.explains {
			one.explanation = all.All[i].Explain(w.event)
		}
		j.signals = append(j.signals, one)
	}
	if err := w.join(together, text, isHit, j); err != nil {
		return err
	}
	switch {
	case w.hasCategory():
	case w.isAlert(): // as those of thresholds, which have nothing of an event
		j.noCategory++
	default:
		w.doubt(text, line, len(j.signals) > matches || len(together) > 0, j)
	}
	return nil
}

// errNoTime is an event that a rule judges together with others and that has no place among them.
var errNoTime = errors.New("a rule judges it together with other events, and it has no " +
	"timestamp that can be read")

// join hands on the event at hand to the rules that judge several events together, of which these
// matchers accept it.
func (w *worker) join(accepting []int, text []byte, isHit bool, j *judged) error {
	if len(accepting) == 0 {
		return nil
	}
	text = bytes.Clone(text) // the chunk it comes from is used again
	looks, err := w.rules.matchers.Looks(w.event, accepting)
	if err != nil {
		return err
	}
	for _, l := range looks {
		at, ok := w.rules.matchers.Compiled[l.Rule].Position(w.event)
		if !ok {
			return errNoTime
		}
		if w.rules.signals[l.Rule] != "" && w.rules.matchers.Compiled[l.Rule].Threshold != nil {
			l.Count.Mark(detect.MarksOf(w.chain))
		}
		j.joined = append(j.joined, joined{RuleLook: l, at: at, text: text, isHit: isHit})
	}
	return nil
}

// noteTexts notes what a rule compares as text in the event at hand, each field of it once.
func (w *worker) noteTexts(i int, m *match.Matcher, j *judged) {
	m.ComparedAsText(w.event, func(field string) {
		if use := (textUse{i, field}); !w.asText[use] {
			w.asText[use] = true
			j.asText = append(j.asText, use)
		}
	})
}

// reading is the event at hand for signals of several rules, once it is read.
type reading struct {
	signal.Reading
	isRead bool
}

// read reads the event at hand for the signal of a rule, unless it was read. The signal keeps
// nothing of the text: the chunk that it comes from is used again.
func (w *worker) read(of int, text []byte, isHit bool) (*reading, error) {
	r := &w.events
	if w.rules.over[of] {
		r = &w.alerts
	}
	if r.isRead {
		return r, nil
	}
	event, err := w.rules.eventOf(of, text, isHit)
	if err != nil {
		return nil, err
	}
	r.isRead = true
	return r, r.Read(event)
}

// eventOf returns what signals of a rule are made of, of a line.
func (r *Rules) eventOf(of int, text []byte, isHit bool) (signal.Event, error) {
	line, err := lineOf(text, isHit)
	if err != nil {
		return signal.Event{}, err
	}
	return signal.Event{Index: line.Index, ID: line.ID, Source: line.Source,
		Fields: line.Fields, Alert: r.over[of]}, nil
}
