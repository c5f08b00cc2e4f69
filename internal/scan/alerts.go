package scan

import (
	"bytes"
	"errors"
	"fmt"

	"esrule/internal/event"
	"esrule/internal/sink/signal"
)

// alertMark is in the text of each alert, of this program and of Kibana since 8.0.
var alertMark = []byte(`"kibana.alert.uuid"`)

// overAlerts is the number of rules that judge alerts.
func (r *Rules) overAlerts() (n int) {
	for _, over := range r.over {
		if over {
			n++
		}
	}
	return n
}

// errOnlyFields is an alert that does not say which one it is.
var errOnlyFields = errors.New("it is an alert without its `_source`, which says of which alerts " +
	"and rules it comes: export alerts with `_source`")

// readChain reads of the document at hand whether it is an alert, and from which rules.
func (w *worker) readChain(text []byte, isHit bool) error {
	w.chain = signal.Chain{}
	// The field is known without a look at the text of each event, which costs as much as a rule.
	if len(w.event.Values(w.rules.alert)) == 0 || !bytes.Contains(text, alertMark) {
		return nil
	}
	line, err := lineOf(text, isHit)
	if err != nil {
		return err
	}
	w.chain = signal.ReadChain(line.Source)
	if !w.isAlert() && w.rules.overAlerts() > 0 && bytes.Contains(line.Fields, alertMark) {
		return errOnlyFields
	}
	return nil
}

// isAlert reports whether the document at hand is an alert.
func (w *worker) isAlert() bool { return len(w.chain.Links) > 0 }

// stop leaves out of the matchers that accept an alert those of the rules that do not judge it.
func (w *worker) stop(j *judged) {
	if !w.isAlert() {
		return
	}
	w.accepted = w.rules.matchers.Without(w.accepted, func(of int) bool {
		return w.rules.over[of] && w.chain.Stops(w.rules.rules[of].ID) != ""
	}, func(of int) { j.stopped = append(j.stopped, of) })
}

// lineOf reads a document.
func lineOf(text []byte, isHit bool) (event.Line, error) {
	if isHit {
		return event.Unwrap(text)
	}
	return event.Line{Document: event.Document{Source: text}}, nil
}

// AlertsText says how many documents of the input are alerts, and which rules judged them. It is
// empty where none is.
func (c InputCount) AlertsText() string {
	switch {
	case c.Alerts == 0:
		return ""
	case c.AlertRules == 0:
		return fmt.Sprintf("%d of %d documents are alerts, and were not judged: no rule here is "+
			"about alerts, by its index patterns or by its condition.", c.Alerts, c.Events)
	}
	return fmt.Sprintf("%d of %d documents are alerts: only the rules about alerts (%d) judged them.",
		c.Alerts, c.Events, c.AlertRules)
}
