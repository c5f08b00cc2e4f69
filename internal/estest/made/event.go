package made

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// Event is the values of an event by the paths of their fields.
type Event map[string]any

// For returns an event that meets a condition. Its variation decides between alternatives, and on
// letter case and what stands for a wildcard.
func For(condition cond.Expr, variation int) Event {
	m := maker{event: Event{}, variation: variation}
	m.meet(condition)
	return m.event
}

// Clone returns a copy whose fields can be changed.
func (e Event) Clone() Event { return maps.Clone(e) }

// Document returns the event as the tree that a `_source` is.
func (e Event) Document() map[string]any {
	document := map[string]any{}
	for _, path := range slices.Sorted(maps.Keys(e)) { // parents first
		at, rest := document, path
		for {
			key, below, deeper := strings.Cut(rest, ".")
			child, isObject := at[key].(map[string]any)
			if !deeper || at[key] != nil && !isObject {
				at[rest] = e[path] // where a parent has a value: the dots are a part of the key
				break
			}
			if !isObject {
				child = map[string]any{}
				at[key] = child
			}
			at, rest = child, below
		}
	}
	return document
}

// maker makes one event.
type maker struct {
	event     Event
	variation int
}

func (m *maker) meet(condition cond.Expr) {
	switch c := condition.(type) {
	case *cond.And:
		for _, operand := range c.Operands {
			m.meet(operand)
		}
	case *cond.Or:
		m.meet(c.Operands[m.variation%len(c.Operands)])
	case *cond.Not:
		m.avoid(c.Operand)
	case *cond.In:
		if l, ok := c.List[m.variation%len(c.List)].(*cond.Literal); ok && !c.Negated {
			m.add(c.Subject, valueOf(l, 0))
		}
	case *cond.Like:
		if c.Op != cond.Regex && c.Op != cond.RegexFold {
			m.add(c.Subject, m.fit(c.Patterns[m.variation%len(c.Patterns)].Text,
				c.Op != cond.LikeExact))
		}
	case *cond.Compare:
		if l, ok := c.Right.(*cond.Literal); ok {
			m.compare(c.Op, c.Left, l)
		}
	case *cond.Call:
		m.call(c)
	case *cond.Is:
		m.add(c.Field, c.Value.Text)
	case *cond.Wildcard:
		m.add(c.Field, strings.Join(c.Pieces, []string{"", "z", `z\y`}[m.variation%3]))
	case *cond.Exists:
		m.some(c.Field)
	case *cond.Order:
		m.compare(c.Op, c.Field, number(c.Value))
	case *cond.Nested:
		m.meet(c.Operand)
	}
}

// avoid meets the opposite of a condition, where that asks for a value: mostly it is met by none.
func (m *maker) avoid(condition cond.Expr) {
	switch c := condition.(type) {
	case *cond.Or:
		for _, operand := range c.Operands {
			m.avoid(operand)
		}
	case *cond.Not:
		m.meet(c.Operand)
	case *cond.Compare:
		if l, ok := c.Right.(*cond.Literal); ok && c.Op == cond.Equal && l.Kind == cond.Null {
			m.some(c.Left)
		}
	}
}

// number returns a constant of KQL, which is a text, as the number that it is.
func number(l *cond.Literal) *cond.Literal {
	if n, err := strconv.ParseInt(l.Text, 10, 64); err == nil {
		return &cond.Literal{Kind: cond.Int, Int: n}
	}
	return l
}

func (m *maker) compare(op cond.CompareOp, subject cond.Expr, l *cond.Literal) {
	switch {
	case op == cond.NotEqual && l.Kind == cond.Null:
		m.some(subject)
	case op == cond.Less:
		m.add(subject, valueOf(l, -1))
	case op == cond.Greater:
		m.add(subject, valueOf(l, 1))
	case op != cond.NotEqual && l.Kind != cond.Null:
		m.add(subject, valueOf(l, 0))
	}
}

// call meets a condition that is a function of a field and constants.
func (m *maker) call(c *cond.Call) {
	if len(c.Args) < 2 {
		return
	}
	l, ok := c.Args[1+m.variation%(len(c.Args)-1)].(*cond.Literal)
	if !ok {
		return
	}
	text := l.Text
	switch c.Name {
	case "startsWith":
		text += "z"
	case "endsWith":
		text = "z" + text
	case "stringContains":
	case "cidrMatch":
		text, _, _ = strings.Cut(text, "/")
	default:
		return
	}
	m.add(c.Args[0], text)
}

// some gives a field some value, if it has none.
func (m *maker) some(subject cond.Expr) {
	if f, ok := subject.(*cond.Field); ok && m.event[f.Path] == nil {
		m.add(subject, Some(f.Path, 1+m.variation))
	}
}

// Some returns the n-th value of a kind that a field of this name has.
func Some(path string, n int) any {
	switch path[strings.LastIndex(path, ".")+1:] {
	case "ip", "address":
		return netip.AddrFrom4([4]byte{8, byte(n >> 16), byte(n >> 8), byte(n)}).String()
	case "pid", "port":
		return 20_000 + n
	}
	return strconv.Itoa(n)
}

// fit returns a text that a pattern fits.
func (m *maker) fit(pattern string, fold bool) string {
	text := strings.NewReplacer("*", []string{"", "z", `z\y`}[m.variation%3], "?",
		"c").Replace(pattern)
	if fold && m.variation%2 == 1 {
		return strings.ToUpper(text)
	}
	return text
}

// add gives a field one more value.
func (m *maker) add(subject cond.Expr, value any) {
	field, ok := subject.(*cond.Field)
	if !ok {
		return
	}
	path := strings.ReplaceAll(field.Path, "*", "z")
	if before := m.event[path]; before != nil {
		values, several := before.([]any)
		if !several {
			values = []any{before}
		}
		value = append(slices.Clone(values), value)
	}
	m.event[path] = value
}

func valueOf(l *cond.Literal, more int64) any {
	switch l.Kind {
	case cond.Int:
		return l.Int + more
	case cond.Float:
		return l.Float + float64(more)
	case cond.Bool:
		return l.Bool
	default:
		return l.Text
	}
}
