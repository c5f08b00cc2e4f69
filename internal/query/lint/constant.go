package lint

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/cond"
	"esrule/internal/query/match"
)

// constantKeyword looks at a part over one field that has the same value in all events of an index
// (constant_keyword): where no index has a value that fits, it is never true.
func (l *linter) constantKeyword(x cond.Expr) {
	fields := cond.Fields(x)
	if cond.TypeOf(x) != cond.Boolean || len(fields) != 1 || fields[0].Wild {
		return
	}
	path := fields[0].Path
	mappings := l.fields.mapped(path)
	if len(mappings) == 0 {
		return
	}
	var values []string
	for _, m := range l.fields[path] {
		isConstant := m.Name == "constant_keyword" && m.Constant != ""
		if !isConstant && m.Type != event.Unmapped {
			return // other values, or none until the first event
		}
		if holds, ok := heldBy(l.text, x, path, m); holds || !ok {
			return
		}
		if isConstant {
			values = append(values, strconv.Quote(m.Constant))
		}
	}
	l.doubt(x, finding.OtherConstant, "", "no event satisfies this: %s is %s in every event there",
		path,
		strings.Join(values, " or "))
}

// heldBy reports whether an event that has nothing but the field's constant satisfies a part of a
// query.
func heldBy(text string, x cond.Expr, path string, m event.FieldMapping) (holds, ok bool) {
	fields := &event.Fields{}
	matcher, err := match.Compile(&cond.Query{Text: text, Where: x}, fields, match.Options{})
	if err != nil {
		return false, false
	}
	source := map[string]string{}
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{}}
	if m.Type != event.Unmapped {
		source[path] = m.Constant
		mapping.Fields[path] = event.FieldMapping{Type: event.Keyword, Name: "keyword"}
	}
	encoded, err := json.Marshal(source)
	if err != nil {
		return false, false
	}
	e := match.NewEvaluation(fields, time.Now())
	if err := e.Read(mapping, event.Document{Source: encoded}); err != nil {
		return false, false
	}
	return matcher.Match(e), true
}
