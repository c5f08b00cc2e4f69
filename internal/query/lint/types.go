package lint

import (
	"fmt"
	"slices"
	"strings"

	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/cond"
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

// Types returns what is doubtful about a query where its fields are mapped so. never are the parts
// that no event satisfies, texts the operators on texts over fields that hold none.
func Types(q *cond.Query, fields Fields) (never, texts Doubts) {
	n := &linter{text: q.Text, print: q.Print, fields: fields}
	t := &linter{text: q.Text, print: q.Print, fields: fields}
	where := q.Condition()
	cond.Walk(where, func(x cond.Expr) bool {
		t.onTexts(x)
		t.onWords(x)
		return !n.impossible(x)
	})
	n.flags(where)
	n.found.sort()
	return n.found, t.found
}

// onTexts looks at the operators and functions that take texts.
func (l *linter) onTexts(x cond.Expr) {
	switch x := x.(type) {
	case *cond.In:
		if x.Fold {
			l.onText(x.Subject, "in~")
		}
	case *cond.Like:
		l.onText(x.Subject, x.Op.String())
	case *cond.Call:
		switch x.Name {
		case "startsWith", "endsWith", "stringContains", "length", "indexOf", "substring",
			"between":
			l.onText(x.Args[0], x.Name)
		case "cidrMatch":
			l.onAddress(x.Args[0])
		}
	case *cond.Compare, *cond.And, *cond.Or, *cond.Not, *cond.Field, *cond.Literal, *cond.Binary,
		*cond.Negate, *cond.Is, *cond.Wildcard, *cond.Exists, *cond.Order, *cond.Glob, *cond.Nested:
	}
}

func (l *linter) onText(subject cond.Expr, operator string) {
	f, ok := subject.(*cond.Field)
	if !ok {
		return
	}
	for _, m := range l.fields.mapped(f.Path) {
		switch m.Type {
		case event.Integer, event.Unsigned, event.Float, event.Boolean, event.Date, event.DateNanos,
			event.IP, event.Version:
			l.doubt(f, finding.TextOperator, "Write == or in where the whole value is meant.",
				"%s is of type %s there, so %s looks at its text; Elasticsearch refuses that",
				f.Path, m.Name, operator)
			return
		case event.Unmapped, event.Keyword, event.Text, event.Object, event.Other, event.Untyped:
		}
	}
}

func (l *linter) onAddress(subject cond.Expr) {
	f, ok := subject.(*cond.Field)
	if !ok {
		return
	}
	for _, m := range l.fields.mapped(f.Path) {
		if m.Type != event.IP {
			l.doubt(f, finding.TextOperator, "",
				"%s is of type %s there, so cidrMatch looks at texts that are "+
					"addresses; Elasticsearch refuses that", f.Path, m.Name)
			return
		}
	}
}

// impossible looks at a part that compares, and reports whether no event satisfies it.
func (l *linter) impossible(x cond.Expr) bool {
	before := len(l.found)
	switch x := x.(type) {
	case *cond.Compare:
		l.compared(x, x.Left, x.Right, x.Op)
		l.compared(x, x.Right, x.Left, x.Op.Turned())
	case *cond.In:
		for _, item := range x.List {
			if !x.Negated {
				l.compared(item, x.Subject, item, cond.Equal)
			}
		}
	case *cond.Is:
		l.compared(x, x.Field, x.Value, cond.Equal)
	case *cond.Order:
		l.compared(x, x.Field, x.Value, x.Op)
	case *cond.Wildcard:
		l.pattern(x, x.Field)
	case *cond.Glob:
		l.pattern(x, x.Field)
	case *cond.Like, *cond.Call, *cond.And, *cond.Or, *cond.Not, *cond.Field, *cond.Literal,
		*cond.Binary, *cond.Negate, *cond.Exists, *cond.Nested:
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
func (l *linter) compared(at, subject, constant cond.Expr, op cond.CompareOp) {
	f, isField := subject.(*cond.Field)
	c, isConstant := constant.(*cond.Literal)
	if !isField || f.Wild || !isConstant || c.Kind == cond.Null || op == cond.NotEqual {
		return
	}
	mappings := l.fields.mapped(f.Path)
	reason := ""
	for _, m := range mappings {
		if reason = unfit(m, c, op, l.print(c)); reason == "" {
			return
		}
	}
	if reason != "" {
		l.doubt(at, finding.ValueNeverFits, adviceFor(mappings),
			"no event satisfies this: %s is of type %s there, and %s",
			f.Path, names(mappings), reason)
	}
}

// flags looks at fields that stand as conditions, which is f == true.
func (l *linter) flags(where cond.Expr) {
	conditions := []cond.Expr{where}
	cond.Walk(where, func(x cond.Expr) bool {
		switch x := x.(type) {
		case *cond.And:
			conditions = append(conditions, x.Operands...)
		case *cond.Or:
			conditions = append(conditions, x.Operands...)
		case *cond.Not:
			conditions = append(conditions, x.Operand)
		case *cond.Compare, *cond.In, *cond.Like, *cond.Call, *cond.Field, *cond.Literal,
			*cond.Binary, *cond.Negate, *cond.Is, *cond.Wildcard, *cond.Exists, *cond.Order,
			*cond.Glob, *cond.Nested:
			return false
		}
		return true
	})
	for _, x := range conditions {
		if f, ok := x.(*cond.Field); ok {
			l.compared(f, f, &cond.Literal{Span: f.Span, Kind: cond.Bool, Bool: true}, cond.Equal)
		}
	}
}

// object looks at a part over a field that is an object, which has no value of its own.
func (l *linter) object(x cond.Expr) {
	switch x := x.(type) {
	case *cond.Compare:
		if x.Op == cond.NotEqual || isNull(x.Right) || isNull(x.Left) {
			return
		}
	case *cond.In:
		if x.Negated {
			return
		}
	case *cond.Like:
	case *cond.Call:
		if x.Result != cond.Boolean {
			return
		}
	case *cond.Is, *cond.Wildcard, *cond.Order, *cond.Glob, *cond.Exists:
	case *cond.And, *cond.Or, *cond.Not, *cond.Field, *cond.Literal, *cond.Binary, *cond.Negate,
		*cond.Nested:
		return
	}
	for _, f := range cond.Fields(x) {
		mappings := l.fields.mapped(f.Path)
		isValue := func(m event.FieldMapping) bool { return m.Type != event.Object }
		if len(mappings) > 0 && !slices.ContainsFunc(mappings, isValue) {
			l.doubt(x, finding.ObjectCompared, fmt.Sprintf("Write one of its fields: %s.name.",
				f.Path),
				"no event satisfies this: %s is an object there, which has no value of its own",
				f.Path)
			return
		}
	}
}
