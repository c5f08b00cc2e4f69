package lint

import (
	"fmt"
	"slices"
	"strings"

	"esrule/internal/query/eql"
	"esrule/internal/query/event"
)

// Fields are what the indices of a pattern make of each field that a query reads: one entry for
// each mapping that differs, and a zero one where some index does not map the field.
type Fields map[string][]event.FieldMapping

// mapped returns the mappings of a field without the indices that lack it, where it is missing in
// every event.
func (f Fields) mapped(path string) []event.FieldMapping {
	isMissing := func(m event.FieldMapping) bool { return m.Type == event.Unmapped }
	return slices.DeleteFunc(slices.Clone(f[path]), isMissing)
}

// names are the mappings' words for the types of a field.
func names(mappings []event.FieldMapping) string {
	var list []string
	for _, m := range mappings {
		if !slices.Contains(list, m.Name) {
			list = append(list, m.Name)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// Types returns what is doubtful about a query where its fields are mapped so; category is the
// field that its event category is compared with. never are the parts that no event satisfies,
// texts the operators on texts over fields that hold none.
func Types(q *eql.Query, category string, fields Fields) (never, texts eql.Errors) {
	n, t := &linter{text: q.Text, fields: fields}, &linter{text: q.Text, fields: fields}
	where := q.Condition(category)
	eql.Walk(where, func(x eql.Expr) bool {
		t.onTexts(x)
		return !n.impossible(x)
	})
	n.flags(where)
	slices.SortStableFunc(n.found, func(a, b *eql.Error) int { return a.Span.Start - b.Span.Start })
	return n.found, t.found
}

// onTexts looks at the operators and functions that take texts.
func (l *linter) onTexts(x eql.Expr) {
	switch x := x.(type) {
	case *eql.In:
		if x.Fold {
			l.onText(x.Subject, "in~")
		}
	case *eql.Like:
		l.onText(x.Subject, x.Op.String())
	case *eql.Call:
		switch x.Name {
		case "startsWith", "endsWith", "stringContains", "length", "indexOf", "substring", "between":
			l.onText(x.Args[0], x.Name)
		case "cidrMatch":
			l.onAddress(x.Args[0])
		}
	case *eql.Compare, *eql.And, *eql.Or, *eql.Not, *eql.Field, *eql.Literal, *eql.Binary, *eql.Negate:
	}
}

func (l *linter) onText(subject eql.Expr, operator string) {
	f, ok := subject.(*eql.Field)
	if !ok {
		return
	}
	for _, m := range l.fields.mapped(f.Path) {
		switch m.Type {
		case event.Integer, event.Unsigned, event.Float, event.Boolean, event.Date, event.DateNanos, event.IP, event.Version:
			l.doubt(f, "Write == or in where the whole value is meant.",
				"%s is of type %s there, so %s looks at its text; Elasticsearch refuses that", f.Path, m.Name, operator)
			return
		case event.Unmapped, event.Keyword, event.Text, event.Object, event.Other, event.Untyped:
		}
	}
}

func (l *linter) onAddress(subject eql.Expr) {
	f, ok := subject.(*eql.Field)
	if !ok {
		return
	}
	for _, m := range l.fields.mapped(f.Path) {
		if m.Type != event.IP {
			l.doubt(f, "", "%s is of type %s there, so cidrMatch looks at texts that are "+
				"addresses; Elasticsearch refuses that", f.Path, m.Name)
			return
		}
	}
}

// impossible looks at a part that compares, and reports whether no event satisfies it.
func (l *linter) impossible(x eql.Expr) bool {
	before := len(l.found)
	switch x := x.(type) {
	case *eql.Compare:
		l.compared(x, x.Left, x.Right, x.Op)
		l.compared(x, x.Right, x.Left, x.Op.Turned())
	case *eql.In:
		for _, item := range x.List {
			if !x.Negated {
				l.compared(item, x.Subject, item, eql.Equal)
			}
		}
	case *eql.Like, *eql.Call, *eql.And, *eql.Or, *eql.Not, *eql.Field, *eql.Literal, *eql.Binary, *eql.Negate:
	}
	if len(l.found) == before {
		l.object(x)
	}
	if len(l.found) == before {
		l.constantKeyword(x)
	}
	return len(l.found) > before
}

// compared looks at a comparison with a constant. A != that always holds is none of a comparison
// that never does.
func (l *linter) compared(at, subject, constant eql.Expr, op eql.CompareOp) {
	f, isField := subject.(*eql.Field)
	c, isConstant := constant.(*eql.Literal)
	if !isField || !isConstant || c.Kind == eql.Null || op == eql.NotEqual {
		return
	}
	mappings := l.fields.mapped(f.Path)
	reason := ""
	for _, m := range mappings {
		if reason = unfit(m, c, op); reason == "" {
			return
		}
	}
	if reason != "" {
		l.doubt(at, adviceFor(mappings), "no event satisfies this: %s is of type %s there, and %s",
			f.Path, names(mappings), reason)
	}
}

// flags looks at fields that stand as conditions, which is f == true.
func (l *linter) flags(where eql.Expr) {
	conditions := []eql.Expr{where}
	eql.Walk(where, func(x eql.Expr) bool {
		switch x := x.(type) {
		case *eql.And:
			conditions = append(conditions, x.Operands...)
		case *eql.Or:
			conditions = append(conditions, x.Operands...)
		case *eql.Not:
			conditions = append(conditions, x.Operand)
		case *eql.Compare, *eql.In, *eql.Like, *eql.Call, *eql.Field, *eql.Literal, *eql.Binary, *eql.Negate:
			return false
		}
		return true
	})
	for _, x := range conditions {
		if f, ok := x.(*eql.Field); ok {
			l.compared(f, f, &eql.Literal{Span: f.Span, Kind: eql.Bool, Bool: true}, eql.Equal)
		}
	}
}

// object looks at a part over a field that is an object, which has no value of its own.
func (l *linter) object(x eql.Expr) {
	switch x := x.(type) {
	case *eql.Compare:
		if x.Op == eql.NotEqual || isNull(x.Right) || isNull(x.Left) {
			return
		}
	case *eql.In:
		if x.Negated {
			return
		}
	case *eql.Like:
	case *eql.Call:
		if eql.ResultOf(x.Name) != eql.Boolean {
			return
		}
	case *eql.And, *eql.Or, *eql.Not, *eql.Field, *eql.Literal, *eql.Binary, *eql.Negate:
		return
	}
	for _, f := range fieldsOf(x) {
		mappings := l.fields.mapped(f.Path)
		isValue := func(m event.FieldMapping) bool { return m.Type != event.Object }
		if len(mappings) > 0 && !slices.ContainsFunc(mappings, isValue) {
			l.doubt(x, fmt.Sprintf("Write one of its fields: %s.name.", f.Path),
				"no event satisfies this: %s is an object there, which has no value of its own", f.Path)
			return
		}
	}
}

func fieldsOf(x eql.Expr) []*eql.Field { return eql.Fields(&eql.Query{Where: x}) }
