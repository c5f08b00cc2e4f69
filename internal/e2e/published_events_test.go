package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/schedule"
)

// loadMade puts events made from the rules' own conditions into an index with the widest template and into one without,
// for few of the rules match anything that was recorded.
func loadMade(t *testing.T, s *stage, detections []*schedule.Detection) {
	t.Helper()
	var lenient map[string]map[string]any
	if err := json.Unmarshal(estest.CorpusTemplate(t, "rally_security-winlogbeat.json"), &lenient); err != nil {
		t.Fatal(err)
	}
	lenient["settings"]["index.mapping.ignore_malformed"] = true // a made value need not suit its field
	s.Create(s.name("winlogbeat-made"), lenient)
	s.Create(s.name("dynamic-made"), dynamicIndex)
	var made []recorded
	for _, d := range detections {
		for variation := range 3 {
			m := maker{event: recorded{"@timestamp": "2026-01-02T03:04:05.000Z"}, variation: variation}
			m.meet(d.Matcher.Condition())
			made = append(made, m.event)
		}
	}
	s.Load(s.name("winlogbeat-made"), ndjson(t, made))
	s.Load(s.name("dynamic-made"), ndjson(t, made))
}

// maker makes an event that meets a condition, as far as that can be read off the condition: what is negated, and what a
// function gives, is left to chance. Its variation decides between alternatives, and on letter case and what stands
// for a wildcard.
type maker struct {
	event     recorded
	variation int
}

func (m *maker) meet(condition eql.Expr) {
	switch c := condition.(type) {
	case *eql.And:
		for _, operand := range c.Operands {
			m.meet(operand)
		}
	case *eql.Or:
		m.meet(c.Operands[m.variation%len(c.Operands)])
	case *eql.In:
		if l, ok := c.List[m.variation%len(c.List)].(*eql.Literal); ok && !c.Negated {
			m.add(c.Subject, valueOf(l, 0))
		}
	case *eql.Like:
		if c.Op != eql.Regex && c.Op != eql.RegexFold {
			m.add(c.Subject, m.fit(c.Patterns[m.variation%len(c.Patterns)].Text, c.Op != eql.LikeExact))
		}
	case *eql.Compare:
		if l, ok := c.Right.(*eql.Literal); ok {
			m.compare(c.Op, c.Left, l)
		}
	}
}

func (m *maker) compare(op eql.CompareOp, subject eql.Expr, l *eql.Literal) {
	switch {
	case op == eql.NotEqual && l.Kind == eql.Null:
		m.add(subject, "1")
	case op == eql.Less:
		m.add(subject, valueOf(l, -1))
	case op == eql.Greater:
		m.add(subject, valueOf(l, 1))
	case op != eql.NotEqual && l.Kind != eql.Null:
		m.add(subject, valueOf(l, 0))
	}
}

// fit gives a text that a pattern fits.
func (m *maker) fit(pattern string, fold bool) string {
	text := strings.NewReplacer("*", []string{"", "z", `z\y`}[m.variation%3], "?", "c").Replace(pattern)
	if fold && m.variation%2 == 1 {
		return strings.ToUpper(text)
	}
	return text
}

// add gives a field one more value.
func (m *maker) add(subject eql.Expr, value any) {
	field, ok := subject.(*eql.Field)
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
	m.event.set(field.Path, value)
}

func valueOf(l *eql.Literal, more int64) any {
	switch l.Kind {
	case eql.Int:
		return l.Int + more
	case eql.Float:
		return l.Float + float64(more)
	case eql.Bool:
		return l.Bool
	default:
		return l.Text
	}
}
