package pushdown

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// Query is query DSL; it marshals to the same text each time.
type Query map[string]any

// Translate gives the query that Elasticsearch's EQL runs for a condition over indices of the given
// mapping.
func Translate(condition cond.Expr, m *event.Mapping) (Query, error) {
	t := translator{mapping: m}
	return t.translate(condition)
}

type translator struct{ mapping *event.Mapping }

// The reasons for which a part of a condition is refused.
var (
	errScript   = errors.New("run as a script by Elasticsearch")
	errComputed = errors.New("computed by Elasticsearch before it searches")
)

func refuse(x cond.Expr, reason error) error { return fmt.Errorf("%s: %w", eql.Print(x), reason) }

func (t translator) translate(x cond.Expr) (Query, error) {
	switch x := x.(type) {
	case *cond.And:
		return t.join("must", x.Operands)
	case *cond.Or:
		return t.join("should", x.Operands)
	case *cond.Not:
		return negated(t.translate(x.Operand))
	case *cond.Compare:
		return t.compare(x)
	case *cond.In:
		return t.in(x)
	case *cond.Like:
		return t.like(x)
	case *cond.Call:
		return t.call(x)
	case *cond.Field:
		return t.isTrue(x)
	case *cond.Literal:
		return truth(x)
	case *cond.Binary, *cond.Negate:
		return nil, refuse(x, errScript)
	}
	return nil, refuse(x, errors.New("not a condition"))
}

func (t translator) join(occur string, operands []cond.Expr) (Query, error) {
	queries := make([]Query, len(operands))
	for i, x := range operands {
		var err error
		if queries[i], err = t.translate(x); err != nil {
			return nil, err
		}
	}
	return Query{"bool": Query{occur: queries}}, nil
}

// anyOf joins the queries of a list's elements; that of one element stands alone.
func anyOf(queries []Query) Query {
	if len(queries) == 1 {
		return queries[0]
	}
	return Query{"bool": Query{"should": queries}}
}

func negated(q Query, err error) (Query, error) {
	if err != nil {
		return nil, err
	}
	return Query{"bool": Query{"must_not": []Query{q}}}, nil
}

// isTrue is a field that stands alone: `f` means `f == true`.
func (t translator) isTrue(f *cond.Field) (Query, error) {
	s, err := t.subject(f)
	if err != nil {
		return nil, err
	}
	if s.mapped.Type != event.Boolean {
		return nil, refuse(f,
			fmt.Errorf("a condition has to be boolean, and the field is of type %s", s.mapped.Name))
	}
	return term(s.exact, true, false), nil
}

// truth is a constant as a condition. Elasticsearch has no query for it: it searches everything or
// not at all.
func truth(l *cond.Literal) (Query, error) {
	switch {
	case l.Kind != cond.Bool:
		return nil, refuse(l, errors.New("a condition has to be boolean"))
	case l.Bool:
		return Query{"match_all": Query{}}, nil
	}
	return Query{"match_none": Query{}}, nil
}

// subject is the field of a leaf.
type subject struct {
	path string // as the rule writes it; what range and exists queries name
	// exact is the field with the whole values: the field itself, or the keyword sub-field of a
	// text.
	exact  string
	mapped event.FieldMapping
}

// subject gives the field on the left side of a leaf, the only thing there that a query can be made
// of.
func (t translator) subject(x cond.Expr) (subject, error) {
	// dropped over what is a string already
	if call, ok := x.(*cond.Call); ok && call.Name == "string" {
		if s, err := t.subject(call.Args[0]); err == nil && isString(s.mapped) {
			return s, nil
		}
	}
	f, ok := x.(*cond.Field)
	if !ok {
		return subject{}, refuse(x, errScript)
	}
	s := subject{path: f.Path, mapped: t.mapping.Fields[f.Path]}
	s.exact = s.mapped.Exact
	switch {
	case s.mapped.Type == event.Unmapped && f.Optional:
		return subject{}, refuse(f, errComputed) // becomes null and takes what is around it along
	case s.mapped.Type == event.Unmapped:
		return subject{}, refuse(f, errors.New("an unknown column: no index maps it"))
	case s.mapped.Nested != "":
		return subject{}, refuse(f,
			fmt.Errorf("inside the nested field %s, which EQL does not search", s.mapped.Nested))
	case s.exact == "" && s.mapped.Type == event.Text:
		return subject{}, refuse(f, errors.New("a text without a keyword sub-field, which EQL "+
			"does not search"))
	case s.exact == "":
		s.exact = f.Path
	}
	return s, nil
}

// text is a subject that an operator on strings takes.
func (t translator) text(x cond.Expr) (subject, error) {
	s, err := t.subject(x)
	if err == nil && !isString(s.mapped) {
		err = refuse(x, fmt.Errorf("has to be a string, and the field is of type %s",
			s.mapped.Name))
	}
	return s, err
}

func isString(m event.FieldMapping) bool { return m.Type == event.Keyword || m.Type == event.Text }

func term(field string, value any, fold bool) Query {
	return Query{"term": Query{field: options(Query{"value": value}, fold)}}
}

func exists(field string) Query { return Query{"exists": Query{"field": field}} }

// options adds the letter case to a query's options, where it is not the usual.
func options(q Query, fold bool) Query {
	if fold {
		q["case_insensitive"] = true
	}
	return q
}

// value gives a constant as JSON of its own type.
func value(l *cond.Literal) any {
	switch l.Kind {
	case cond.String:
		return l.Text
	case cond.Int:
		return l.Int
	case cond.Uint:
		return l.Uint
	case cond.Float:
		return floating(l.Float)
	case cond.Bool:
		return l.Bool
	case cond.Null:
		return nil
	}
	return nil
}

// floating keeps a whole number a floating-point one: without a point the server would read an
// integer.
func floating(f float64) json.RawMessage {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return json.RawMessage(text)
}
