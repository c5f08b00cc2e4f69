package report

import (
	"slices"
	"strings"
	"time"

	"esrule/internal/query/match"
)

// What the page shows without a script: this many of the earliest signals, and of each value this
// much.
const (
	opened     = 50
	longOpened = 2000
)

// opening keeps the earliest signals.
type opening struct{ signals []firstSignal }

// firstSignal is a signal as the template shows it.
type firstSignal struct {
	at                           time.Time
	Time, Severity, Rule, Reason string
	Subject, Host, User, Process string
	ID                           string
	Event                        []openedField
	Decided                      []*decided
}

type openedField struct{ Path, Value string }

func (o *opening) add(f facts, rule string, x *match.Explanation) {
	at := slices.IndexFunc(o.signals, func(s firstSignal) bool { return sooner(f.at, s.at) })
	if at < 0 {
		at = len(o.signals)
	}
	if at >= opened {
		return
	}
	s := firstSignal{
		at: f.at, Time: clock(f.at), Severity: severities[severityNumber(f.severity)],
		Rule: visible(rule), Reason: visible(f.reason),
		Subject: f.subject, Host: strings.Join(f.names[hosts], ", "),
		User: strings.Join(f.names[users], ", "), Process: strings.Join(f.names[processes], ", "),
		ID: f.id, Decided: newDecided(x).leaves(),
	}
	for _, p := range f.event {
		s.Event = append(s.Event,
			openedField{visible(p.path), short(strings.Join(p.values, ", "), longOpened)})
	}
	o.signals = slices.Insert(o.signals, at, s)
	o.signals = o.signals[:min(opened, len(o.signals))]
}

// sooner orders by time; what has none comes last.
func sooner(a, b time.Time) bool {
	if a.IsZero() || b.IsZero() {
		return !a.IsZero() && b.IsZero()
	}
	return a.Before(b)
}

func clock(at time.Time) string {
	if at.IsZero() {
		return "no time"
	}
	return at.UTC().Format("2006-01-02 15:04:05.000")
}
