package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"esrule/internal/detect"
	"esrule/internal/detect/indicator"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// indicators are those of the rules that match events with them. Their documents are on disk.
type indicators struct {
	sets   []*indicator.Set // by the rules' places; nil for other rules
	places [][]onDisk       // of the documents of each set, by their numbers
	texts  disk
}

// errNoIndicators is a rule that matches events with indicators in a scan that has none.
var errNoIndicators = errors.New("it matches events with indicators: give a file of them with " +
	"--indicators")

// ReadIndicators reads the indicators of the rules that match events with them, from files as a
// scan reads them. Whatever is wrong with a file is an error: without all indicators the rules
// cannot be judged. none are the rules of which no document is an indicator.
func (r *Rules) ReadIndicators(ctx context.Context, inputs []Input,
	now time.Time) (none []*rule.Rule, err error) {
	r.indicators = &indicators{sets: make([]*indicator.Set, len(r.rules)),
		places: make([][]onDisk, len(r.rules))}
	w := &indicatorWriter{indicators: r.indicators}
	for i, c := range r.matchers.Compiled {
		if c.Threat != nil {
			source := c.Threat.Source
			builder := indicator.NewBuilder(c.Threat.Plan, source.Fields, 0)
			w.readers = append(w.readers, &indicatorReader{rule: i, id: source.Rule.ID,
				source: source, builder: builder,
				event: match.NewEvaluation(source.Fields, now)})
		}
	}
	for _, input := range inputs {
		if err := w.readAll(ctx, input); err != nil {
			return nil, err
		}
	}
	for _, one := range w.readers {
		set := one.builder.Set()
		r.indicators.sets[one.rule] = set
		if set.Documents() == 0 {
			none = append(none, r.rules[one.rule])
		}
	}
	return none, nil
}

// Close removes the indicators from the disk.
func (r *Rules) Close() {
	if r.indicators != nil {
		r.indicators.texts.close()
	}
}

// indicatorWriter takes documents to the sets of the rules.
type indicatorWriter struct {
	*indicators
	readers []*indicatorReader
}

// indicatorReader judges which documents are indicators of a rule.
type indicatorReader struct {
	rule    int
	id      rule.ID
	source  *detect.Detection
	event   *match.Evaluation
	builder *indicator.Builder
}

func (w *indicatorWriter) readAll(ctx context.Context, input Input) error {
	file, err := input.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", input.Name, err)
	}
	defer file.Close()
	from, err := opened(file)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Name, err)
	}
	chunks := &chunker{input: input.Name, from: from, line: 1}
	var buffer []byte
	for {
		k, err := chunks.next(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: breaks off at line %d: %w", input.Name, chunks.line, err)
		}
		line := k.line
		for text := range bytes.Lines(k.text) {
			if text = bare(text); len(text) > 0 {
				if err := w.read(text); err != nil {
					return LineError{Input: input.Name, Line: line, Err: err}
				}
			}
			line++
		}
		buffer = k.text
	}
}

// read takes one document to the rules of which it is an indicator. Its text is written once.
func (w *indicatorWriter) read(text []byte) error {
	var at *onDisk
	for _, one := range w.readers {
		isHit, err := one.event.ReadLine(text, nil)
		if err != nil {
			return err
		}
		if !one.source.Matchers[0].Match(one.event) {
			continue
		}
		document, err := lineOf(text, isHit)
		if err != nil {
			return err
		}
		if one.source.Signals != "" && signal.ReadChain(document.Source).Stops(one.id) != "" {
			continue // as in a run, a rule does not feed itself
		}
		held, err := one.builder.Add(one.event.Event,
			indicator.Document{Index: document.Index, ID: document.ID})
		if err != nil {
			return fmt.Errorf("the indicators of rule %s have more than %d values: %w", one.id,
				indicator.Most, err)
		}
		if !held {
			continue
		}
		if at == nil {
			place, err := w.texts.write(document.Source)
			if err != nil {
				return fmt.Errorf("hold indicators on disk: %w", err)
			}
			at = &place
		}
		w.places[one.rule] = append(w.places[one.rule], *at)
	}
	return nil
}

// enrichments are the indicators of a rule that the event at hand matches.
func (w *worker) enrichments(of int) (list []signal.Enrichment, err error) {
	known := w.rules.indicators
	if known == nil {
		return nil, nil // see [joiner.judge]
	}
	threat := w.rules.matchers.Compiled[of].Threat
	for _, m := range threat.Plan.Match(known.sets[of], w.event.Event) {
		place, at := known.places[of][m.Document], known.sets[of].Document(m.Document)
		source, err := known.texts.read(place)
		if err != nil {
			return nil, err
		}
		list = append(list, signal.Enrichment{Field: m.Field, Value: m.Text, Index: at.Index,
			ID: at.ID, Source: source, Path: threat.Path})
	}
	return list, nil
}

// enriched makes the signal of a rule that matches the event at hand with indicators.
func (w *worker) enriched(of int, text []byte, isHit bool,
	with []signal.Enrichment) (signal.Signal, error) {
	event, err := w.rules.eventOf(of, text, isHit)
	if err != nil {
		return signal.Signal{}, err
	}
	return signal.New(signal.Match{Rule: w.rules.rules[of], Events: []signal.Event{event},
		Enrichments: with}, w.execution)
}
