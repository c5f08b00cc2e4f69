package match

import (
	"fmt"
	"slices"
	"strconv"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Explanation is one node of a condition with what became of it for one event.
type Explanation struct {
	// Text is the node in canonical EQL.
	Text string `json:"text"`
	// Kind is "and", "or", "not" or "leaf".
	Kind  string `json:"kind"`
	Holds bool   `json:"holds"`
	// Decisive marks the nodes that made the whole what it is: of an `and` that fails the first
	// operand that fails, of an `or` that holds the first that holds, otherwise all operands.
	Decisive bool `json:"decisive"`
	// Fields are those that a leaf looked at.
	Fields []FieldValues `json:"fields,omitempty"`
	// Computed are the functions and the arithmetic in a leaf.
	Computed []Computed     `json:"computed,omitempty"`
	Operands []*Explanation `json:"operands,omitempty"`
}

// FieldValues is what an event holds for a field.
type FieldValues struct {
	Path   string   `json:"path"`
	Values []string `json:"values"`
	// Mapping is the index's word for the field's type, "unmapped", or empty where no mapping is
	// known.
	Mapping string `json:"mapping,omitempty"`
	// Ignored counts the values too long for the index (ignore_above): esrule sees them, a search
	// does not.
	Ignored int `json:"ignored,omitempty"`
	// Coerced are the values that the type changes, such as `"4.7" as 4` in a long.
	Coerced []string `json:"coerced,omitempty"`
	// NotTaken are values in the event that are none in its index: of an unmapped field, or not of
	// its type.
	NotTaken []string `json:"not_taken,omitempty"`
}

// Computed is a computed part of a leaf with what became of it, for each choice of the fields'
// values that gave something else.
type Computed struct {
	Text   string   `json:"text"`
	Values []string `json:"values"`
}

// Explain judges an event like Match and keeps the outcome of every node, those that Match need not
// have asked included.
func (m *Matcher) Explain(e *Evaluation) *Explanation {
	e.scratch = e.scratch[:0]
	x := m.explain(m.root, e)
	x.decide()
	if m.noSignals {
		x = m.explainSignal(x, e)
	}
	return x
}

// explainSignal puts the condition that Match adds, that no alert is alerted on, before the rule's
// own.
func (m *Matcher) explainSignal(x *Explanation, e *Evaluation) *Explanation {
	if !m.isSignal(e) {
		return x
	}
	refused := &Explanation{
		Text: `not event.kind == "signal"`, Kind: "leaf", Decisive: true,
		Fields: []FieldValues{fieldValues(signalField, m.signal, e)},
	}
	return &Explanation{Text: x.Text, Kind: "and", Decisive: true,
		Operands: []*Explanation{refused, x}}
}

func (m *Matcher) explain(n cond.Expr, e *Evaluation) *Explanation {
	x := &Explanation{Text: m.print(n), Holds: m.compiled[n](e)}
	var operands []cond.Expr
	switch n := n.(type) {
	case *cond.And:
		x.Kind, operands = "and", n.Operands
	case *cond.Or:
		x.Kind, operands = "or", n.Operands
	case *cond.Not:
		x.Kind, operands = "not", []cond.Expr{n.Operand}
	case *cond.Compare:
		if inner, ok := m.conditionIn(n); ok {
			x.Kind, operands = "and", []cond.Expr{inner}
			if x.Holds != m.compiled[inner](e) {
				x.Kind = "not"
			}
			break
		}
		x.Kind = "leaf"
		m.explainLeaf(x, m.leaves[n], e)
	default:
		x.Kind = "leaf"
		m.explainLeaf(x, m.leaves[n], e)
	}
	for _, operand := range operands {
		x.Operands = append(x.Operands, m.explain(operand, e))
	}
	return x
}

// conditionIn gives the condition that is compared with true or false, where n is such a
// comparison.
func (m *Matcher) conditionIn(n *cond.Compare) (cond.Expr, bool) {
	for _, side := range [...]cond.Expr{n.Left, n.Right} {
		if _, ok := m.compiled[side]; ok && isCondition(side) {
			return side, true
		}
	}
	return nil, false
}

// explainLeaf shows what a leaf looked at. A leaf over a condition (`(f > 1) == true`) shows
// nothing of its own.
func (m *Matcher) explainLeaf(x *Explanation, l *leaf, e *Evaluation) {
	if l == nil {
		return
	}
	shown := map[event.Slot]bool{}
	for i, slot := range l.slots {
		if !shown[slot] {
			shown[slot] = true
			x.Fields = append(x.Fields, fieldValues(l.paths[i], slot, e))
		}
	}
	for _, p := range l.parts {
		x.Computed = append(x.Computed,
			Computed{Text: m.print(p.node), Values: l.results(p.value, e)})
	}
}

// manyResults is how many results of a function are shown, and manyChoices how many choices are
// tried for them.
const (
	manyResults = 10
	manyChoices = 1000
)

// results gives the different values of a part of a leaf.
func (l *leaf) results(value evaluator, e *Evaluation) []string {
	list := []string{}
	tried := 0
	l.any(func(e *Evaluation) bool {
		v := value(e)
		result := "null"
		if v.Kind != event.KindNull {
			result = string(textOf(e, &v))
		}
		if !slices.Contains(list, result) {
			list = append(list, result)
		}
		tried++
		return len(list) == manyResults || tried == manyChoices
	})(e)
	return list
}

func fieldValues(path string, s event.Slot, e *Evaluation) FieldValues {
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
		if as := coerced(&v); as != "" {
			f.Coerced = append(f.Coerced, fmt.Sprintf("%q as %s", v.Text, as))
		}
	}
	if mapped.Normalizer != nil {
		return f // `_source` has the values before they are normalized
	}
	for _, text := range e.Written(s) {
		if mapped.ServerRead && (len(f.Values) > 0 || !e.HasFields()) {
			break // what the server makes of which text is not known
		}
		if !slices.Contains(f.Values, text) {
			f.NotTaken = append(f.NotTaken, text)
		}
	}
	return f
}

// coerced is what the field's type makes of a value, where that is another than is written; else
// empty.
func coerced(v *event.Value) string {
	switch v.Kind {
	case event.KindInteger:
		if number := strconv.FormatInt(v.Integer, 10); number != string(v.Text) {
			return number
		}
	case event.KindFloat:
		if written, ok := event.Decimal(v.Text); !ok || toFloat(&written) != v.Float {
			return strconv.FormatFloat(v.Float, 'g', -1, 64)
		}
	case event.KindBoolean:
		if len(v.Text) == 0 {
			return "false"
		}
	case event.KindNull, event.KindText, event.KindUntyped, event.KindUnsigned, event.KindDate,
		event.KindDateNanos, event.KindAddress, event.KindVersion:
	}
	return ""
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
