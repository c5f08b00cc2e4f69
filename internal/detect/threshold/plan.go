package threshold

import (
	"slices"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/match"
)

// Options are what a rule counts.
type Options struct {
	// Fields are those by whose values events are counted.
	Fields []string
	// Value is how many events there must be, from 1.
	Value int
	// Cardinality is how many different values of fields they must have.
	Cardinality []Cardinality
	// Span is the time within which they must be.
	Span time.Duration
	// Marked says that events have marks, see [Look.Mark].
	Marked bool
}

// Cardinality is how many different values of a field are asked for.
type Cardinality struct {
	Field string
	Value int
}

// Plan is a compiled threshold. It is safe for concurrent use by many judges.
type Plan struct {
	Options
	keys     []event.Slot
	distinct []event.Slot // of Cardinality
}

// Compile compiles a threshold, and adds its fields to fields.
func Compile(o Options, fields *event.Fields) *Plan {
	p := &Plan{Options: o}
	for _, path := range o.Fields {
		p.keys = append(p.keys, fields.Add(path))
	}
	for _, c := range o.Cardinality {
		p.distinct = append(p.distinct, fields.Add(c.Field))
	}
	return p
}

// Paths returns the paths of the fields that are read.
func (p *Plan) Paths() []string {
	paths := slices.Clone(p.Fields)
	for _, c := range p.Cardinality {
		paths = append(paths, c.Field)
	}
	return paths
}

// Look is what a judge needs of an event. It holds nothing of the event itself, so that the looks
// of many events can be kept and put in order before they are judged.
type Look struct {
	keys     []string   // as [Plan.key] makes them
	distinct [][]string // the values of the fields of the cardinality
	tooMany  bool       // combinations of values: the keys were not made
}

// mostKeys bounds the combinations of values of one event, which multiply.
const mostKeys = 1 << 14

// Look looks at an event. ok is false where it has no key.
func (p *Plan) Look(e *match.Evaluation) (l Look, ok bool) {
	l.keys = []string{""}
	for _, slot := range p.keys {
		values := texts(e.Values(slot))
		if len(values) == 0 {
			return Look{}, false
		}
		if l.tooMany = l.tooMany || len(l.keys)*len(values) > mostKeys; l.tooMany {
			continue // another field may be missing
		}
		keys := make([]string, 0, len(l.keys)*len(values))
		for _, before := range l.keys {
			for _, value := range values {
				keys = append(keys, appendPart(before, value))
			}
		}
		l.keys = keys
	}
	for _, slot := range p.distinct {
		l.distinct = append(l.distinct, texts(e.Values(slot)))
	}
	if p.Marked {
		l.distinct = append(l.distinct, nil)
	}
	return l, true
}

// Mark adds what else is known of an event of a marked plan: a burst has the marks of its events.
func (l *Look) Mark(marks []string) { l.distinct[len(l.distinct)-1] = marks }

// lists is how many lists of values a look has beside its keys.
func (p *Plan) lists() int {
	if p.Marked {
		return len(p.distinct) + 1
	}
	return len(p.distinct)
}
