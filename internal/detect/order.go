package detect

import (
	"cmp"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/match"
)

// Order puts events in the order in which a sequence has them.
type Order struct {
	time, tie  event.Slot
	tiebreaker string // empty where there is none
}

// newOrder returns the order by @timestamp and, where there is one, by a tiebreaker. It adds both
// to fields.
func newOrder(fields *event.Fields, tiebreaker string) Order {
	o := Order{time: fields.Add(timestamp), tiebreaker: tiebreaker}
	if tiebreaker != "" {
		o.tie = fields.Add(tiebreaker)
	}
	return o
}

// Position is an event's place in time, and among those of the same time.
type Position struct {
	At     time.Time
	tied   bool // it has a tiebreaker; those that have none come last
	number float64
	text   string
}

// Position returns an event's position; ok is false where it has no time that can be read. Of
// several times it is the earliest, as in the index.
func (o Order) Position(e *match.Evaluation) (p Position, ok bool) {
	p.At, ok = earliest(e.Values(o.time))
	if o.tiebreaker == "" || len(e.Values(o.tie)) == 0 {
		return p, ok
	}
	p.tied = true
	switch v := &e.Values(o.tie)[0]; v.Kind {
	case event.KindInteger, event.KindDate, event.KindDateNanos:
		p.number = float64(v.Integer)
	case event.KindUnsigned:
		p.number = float64(v.Unsigned())
	case event.KindFloat:
		p.number = v.Float
	default:
		p.text = string(v.Text)
	}
	return p, ok
}

// Compare orders positions; events of equal ones stand in no order of their own.
func (p Position) Compare(other Position) int {
	switch c := p.At.Compare(other.At); {
	case c != 0:
		return c
	case p.tied != other.tied && p.tied:
		return -1
	case p.tied != other.tied:
		return 1
	}
	return cmp.Or(cmp.Compare(p.number, other.number), cmp.Compare(p.text, other.text))
}

// earliest returns the first of the times of an event.
func earliest(times []event.Value) (first time.Time, ok bool) {
	for i := range times {
		if at, is := times[i].Time(); is && (!ok || at.Before(first)) {
			first, ok = at, true
		}
	}
	return first, ok
}
