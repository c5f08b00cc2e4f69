package match

import (
	"esrule/internal/query/eql"
	"esrule/internal/query/event"
)

// Explanation is one node of a condition with what became of it for one event.
type Explanation struct {
	// Text is the node in canonical EQL.
	Text string `json:"text"`
	// Kind is "and", "or", "not" or "leaf".
	Kind  string `json:"kind"`
	Holds bool   `json:"holds"`
	// Decisive marks the nodes that made the whole what it is: of an `and` that fails the first operand
	// that fails, of an `or` that holds the first that holds, otherwise all operands.
	Decisive bool `json:"decisive"`
	// Fields are those that a leaf looked at.
	Fields   []FieldValues  `json:"fields,omitempty"`
	Operands []*Explanation `json:"operands,omitempty"`
}

// FieldValues is what an event holds for a field.
type FieldValues struct {
	Path   string   `json:"path"`
	Values []string `json:"values"`
	// Mapping is the index's word for the field's type, "unmapped", or empty where no mapping is known.
	Mapping string `json:"mapping,omitempty"`
	// Ignored counts the values too long for the index (ignore_above): esrule sees them, a search does not.
	Ignored int `json:"ignored,omitempty"`
}

// Explain judges an event like Match and keeps the outcome of every node, those that Match need not
// have asked included.
func (m *Matcher) Explain(e *event.Event) *Explanation {
	x := m.explain(m.root, e)
	x.decide()
	if m.noSignals {
		x = m.explainSignal(x, e)
	}
	return x
}

// explainSignal puts the condition that Match adds, that no alert is alerted on, before the rule's own.
func (m *Matcher) explainSignal(x *Explanation, e *event.Event) *Explanation {
	if !m.isSignal(e) {
		return x
	}
	refused := &Explanation{
		Text: `not event.kind == "signal"`, Kind: "leaf", Decisive: true,
		Fields: []FieldValues{fieldValues(m.fields.Path(m.signal), m.signal, e)},
	}
	return &Explanation{Text: x.Text, Kind: "and", Decisive: true, Operands: []*Explanation{refused, x}}
}

func (m *Matcher) explain(n eql.Expr, e *event.Event) *Explanation {
	x := &Explanation{Text: eql.Print(n), Holds: m.compiled[n](e)}
	var operands []eql.Expr
	switch n := n.(type) {
	case *eql.And:
		x.Kind, operands = "and", n.Operands
	case *eql.Or:
		x.Kind, operands = "or", n.Operands
	case *eql.Not:
		x.Kind, operands = "not", []eql.Expr{n.Operand}
	default:
		x.Kind = "leaf"
		for _, f := range fieldsOf(n) {
			slot := m.slots[f]
			x.Fields = append(x.Fields, fieldValues(f.Path, slot, e))
		}
	}
	for _, operand := range operands {
		x.Operands = append(x.Operands, m.explain(operand, e))
	}
	return x
}

func fieldsOf(n eql.Expr) []*eql.Field {
	var fields []*eql.Field
	eql.Walk(n, func(x eql.Expr) bool {
		if f, ok := x.(*eql.Field); ok {
			fields = append(fields, f)
		}
		return true
	})
	return fields
}

func fieldValues(path string, s event.Slot, e *event.Event) FieldValues {
	f := FieldValues{Path: path, Values: []string{}}
	mapped, known := e.Mapped(s)
	switch {
	case !known:
	case mapped.Type == event.Unmapped:
		f.Mapping = "unmapped"
	default:
		f.Mapping = mapped.Name
	}
	for _, v := range e.Values(s) {
		f.Values = append(f.Values, string(v.Text))
		if mapped.Ignores(v.Text) {
			f.Ignored++
		}
	}
	return f
}

// decide marks x and those of its operands that made it what it is.
func (x *Explanation) decide() {
	x.Decisive = true
	one := x.Kind == "and" && !x.Holds || x.Kind == "or" && x.Holds
	for _, operand := range x.Operands {
		if one && operand.Holds != x.Holds {
			continue
		}
		operand.decide()
		if one {
			return
		}
	}
}
