package report

import "esrule/internal/query/match"

// longDecided is how long a value is beside the part of the rule that looked at it; the event's own
// list has all of it.
const longDecided = 600

// decided is a [match.Explanation] as the page's script reads it. Its keys are short because a page
// has thousands.
type decided struct {
	Kind     string     `json:"k"`
	Text     string     `json:"t,omitempty"` // of a leaf
	Holds    bool       `json:"h"`
	Decisive bool       `json:"d"`
	Seen     []seen     `json:"s,omitempty"`
	Operands []*decided `json:"o,omitempty"`
}

// seen is a field, or a computed part of a leaf, with its values.
type seen struct {
	Path   string   `json:"p"`
	Values []string `json:"v"`
	Note   string   `json:"n,omitempty"`
}

func newDecided(x *match.Explanation) *decided {
	if x == nil {
		return nil
	}
	d := &decided{Kind: x.Kind, Holds: x.Holds, Decisive: x.Decisive}
	if len(x.Operands) == 0 {
		d.Text = visible(x.Text)
	}
	for _, f := range x.Fields {
		d.Seen = append(d.Seen, seen{Path: visible(f.Path), Values: shown(f.Values),
			Note: f.Mapping})
	}
	for _, c := range x.Computed {
		d.Seen = append(d.Seen, seen{Path: visible(c.Text), Values: shown(c.Values)})
	}
	for _, operand := range x.Operands {
		d.Operands = append(d.Operands, newDecided(operand))
	}
	return d
}

func shown(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		if end := cutAt(v, longDecided); end < len(v) {
			v = v[:end] + "…"
		}
		out[i] = visible(v)
	}
	return out
}

// leaves are the leaves that decided, for the page without a script.
func (d *decided) leaves() []*decided {
	if d == nil || !d.Decisive {
		return nil
	}
	if len(d.Operands) == 0 {
		return []*decided{d}
	}
	var all []*decided
	for _, operand := range d.Operands {
		all = append(all, operand.leaves()...)
	}
	return all
}
