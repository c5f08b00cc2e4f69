package signal

import (
	"errors"
	"fmt"

	"esrule/internal/query/rule"
)

// Reading is an event that was read once, for the signals of all rules that match it. It can read
// one event after the other, in the same memory. It is not safe for concurrent use.
type Reading struct {
	events []Event // the one; none where it is what several events have in common
	// enrichments are the indicators that it matches, see [Reading.Enrich].
	enrichments []Enrichment
	identity    identity
	lineage     lineage
	finerTime   int // see finerTimeField

	complete *node // with the values that the search's fields added
	// kept is what a signal has of it. An event that sets the rest would set its own alert's
	// status, or pass for another rule's alert.
	kept         *node
	originalTime string

	// What a signal says of its event, as it is written, where that was done.
	isWritten bool
	reason    string // its beginning
	originals block  // the event's event.*
	names     originalNames
	ofEvent   pathFields // event.*
	rest      jsonText

	parser   parser
	document jsonText
	room     documents // of those that are written once and for all
	fields   []field
}

// Read reads an event. Its texts must not change until the last signal is written.
func (r *Reading) Read(of Event) error {
	event, err := r.parser.parse(of.Source)
	if err == nil && event.kind != object {
		err = errors.New("not a JSON object")
	}
	if err != nil {
		return fmt.Errorf("read event %s of %s: %w", of.ID, of.Index, err)
	}
	// identified as it was stored, before anything is added or taken away
	r.events, r.finerTime = []Event{of}, belowMillisecond(event)
	r.enrichments, r.lineage = nil, lineageOf(of)
	if alert := r.lineage.alert; alert != "" {
		r.identity.readAlert(alert)
	} else {
		r.identity.read(event, r.finerTime)
	}
	if err := mergeMissing(event, of.Fields); err != nil {
		return fmt.Errorf("complete event %s of %s: %w", of.ID, of.Index, err)
	}
	r.complete = event
	r.originalTime = originalTime(&of, event)
	r.keep(event.without("kibana").without("signal"))
	return nil
}

// keep makes a value what signals have of the event.
func (r *Reading) keep(kept *node) { r.kept, r.isWritten = kept, false }

// write writes what all signals of the event have, once.
func (r *Reading) write() error {
	if r.isWritten {
		return nil
	}
	r.reason = reason(r.kept)
	fields := r.originalEventFields(r.originals.fields[:0], r.kept)
	if err := r.originals.write(fields); err != nil {
		return err
	}
	r.rest.Reset()
	if err := r.rest.membersOf(r.kept, []string{"event.kind", timestampField}); err != nil {
		return err
	}
	r.isWritten = true
	return nil
}

// Signal makes the signal of a rule that matches the event. The same rule and clock give the same
// bytes. What is read after it does not change the signal.
func (r *Reading) Signal(of *rule.Rule, x Execution) (Signal, error) {
	s := r.begin(of, x)
	if x.Seen.has(&s) {
		return s, nil
	}
	return s, s.finish(r, x.Texts)
}

// begin makes a signal without its document.
func (r *Reading) begin(of *rule.Rule, x Execution) Signal {
	s := Signal{
		ID: r.identity.first(of.ID), finerTime: r.finerTime,
		Match:     Match{Rule: of, Events: r.events, Enrichments: r.enrichments},
		execution: x, written: x.now(),
	}
	if x.Final {
		s.Match.Events = nil
	}
	// the smaller forms may be made by others at the same time
	s.execution.Seen, s.execution.Texts = nil, nil
	s.widerID = r.identity.second(s.ID)
	s.about = about{
		ancestors: r.lineage.ancestors, depth: r.lineage.depth + 1, originalTime: r.originalTime,
		// of a rule over alerts, by the alert's fields
		rating: ratingOf(of).override(of, r.complete),
	}
	return s
}
