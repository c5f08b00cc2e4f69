package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"esrule/internal/detect"
	"esrule/internal/estest"
	"esrule/internal/query/cond"
)

// loadMade puts events made from the rules' own conditions into an index with the widest template
// and into one without, for few of the rules match anything that was recorded.
func loadMade(t *testing.T, s *stage, detections []*detect.Detection) {
	t.Helper()
	var lenient map[string]map[string]any
	if err := json.Unmarshal(estest.CorpusTemplate(t, "rally_security-winlogbeat.json"),
		&lenient); err != nil {
		t.Fatal(err)
	}
	// a made value need not suit its field
	lenient["settings"]["index.mapping.ignore_malformed"] = true
	s.Create(s.name("winlogbeat-made"), lenient)
	s.Create(s.name("dynamic-made"), dynamicIndex)
	var made []recorded
	for _, d := range detections {
		for variation := range 3 {
			m := maker{event: recorded{"@timestamp": "2026-01-02T03:04:05.000Z"},
				variation: variation}
			m.meet(d.Matchers[0].Condition())
			made = append(made, m.event)
		}
	}
	s.Load(s.name("winlogbeat-made"), ndjson(t, made))
	s.Load(s.name("dynamic-made"), ndjson(t, made))
}

// maker makes an event that meets a condition, as far as that can be read off the condition: what
// is negated, and what a function gives, is left to chance. Its variation decides between
// alternatives, and on letter case and what stands for a wildcard.
type maker struct {
	event     recorded
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
	case *cond.Is:
		m.add(c.Field, c.Value.Text)
	case *cond.Wildcard:
		m.add(c.Field, strings.Join(c.Pieces, []string{"", "z", `z\y`}[m.variation%3]))
	case *cond.Exists:
		m.add(c.Field, "1")
	case *cond.Order:
		m.compare(c.Op, c.Field, number(c.Value))
	case *cond.Nested:
		m.meet(c.Operand)
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
		m.add(subject, "1")
	case op == cond.Less:
		m.add(subject, valueOf(l, -1))
	case op == cond.Greater:
		m.add(subject, valueOf(l, 1))
	case op != cond.NotEqual && l.Kind != cond.Null:
		m.add(subject, valueOf(l, 0))
	}
}

// fit gives a text that a pattern fits.
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
	if before := m.event.get(field.Path); before != nil {
		values, several := before.([]any)
		if !several {
			values = []any{before}
		}
		value = append(values, value)
	}
	m.event.set(strings.ReplaceAll(field.Path, "*", "z"), value)
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
