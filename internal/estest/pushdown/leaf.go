package pushdown

import (
	"errors"

	"esrule/internal/query/cond"
)

func (t translator) compare(x *cond.Compare) (Query, error) {
	left, op, right := x.Left, x.Op, x.Right
	if _, ok := left.(*cond.Literal); ok {
		left, op, right = right, op.Turned(), left
	}
	constant, ok := right.(*cond.Literal)
	if _, both := left.(*cond.Literal); both || !ok {
		return nil, refuse(x, errComputed)
	}
	if call, ok := left.(*cond.Call); ok && isBoolean(call) && constant.Kind == cond.Bool &&
		(op == cond.Equal || op == cond.NotEqual) {
		if (op == cond.Equal) != constant.Bool {
			return negated(t.call(call))
		}
		return t.call(call)
	}
	s, err := t.subject(left)
	if err != nil {
		return nil, refuse(x, errors.Unwrap(err))
	}
	switch op {
	case cond.Equal:
		return s.equal(constant), nil
	case cond.NotEqual: // parsed as not (a == b)
		return negated(s.equal(constant), nil)
	case cond.Less:
		return s.bounded(x, "lt", constant)
	case cond.LessOrEqual:
		return s.bounded(x, "lte", constant)
	case cond.Greater:
		return s.bounded(x, "gt", constant)
	case cond.GreaterOrEqual:
		return s.bounded(x, "gte", constant)
	}
	return nil, refuse(x, errors.New("not a comparison"))
}

func (s subject) equal(constant *cond.Literal) Query {
	if constant.Kind == cond.Null {
		q, _ := negated(exists(s.path), nil)
		return q
	}
	return term(s.exact, value(constant), false)
}

func (s subject) bounded(x cond.Expr, bound string, constant *cond.Literal) (Query, error) {
	if constant.Kind == cond.Null {
		return nil, refuse(x, errComputed)
	}
	return Query{"range": Query{s.path: Query{bound: value(constant)}}}, nil
}

func (t translator) in(x *cond.In) (Query, error) {
	get := t.subject
	if x.Fold {
		get = t.text
	}
	s, err := get(x.Subject)
	if err != nil {
		return nil, refuse(x, errors.Unwrap(err))
	}
	var values []any
	var folded []Query
	for _, item := range x.List {
		l, ok := item.(*cond.Literal)
		if !ok {
			return nil, refuse(x, errComputed)
		}
		if l.Kind != cond.Null { // dropped
			values = append(values, value(l))
			folded = append(folded, term(s.exact, value(l), true))
		}
	}
	if len(values) == 0 {
		return nil, refuse(x, errComputed)
	}
	q := Query{"terms": Query{s.exact: values}}
	if x.Fold {
		q = anyOf(folded)
	}
	if x.Negated {
		return negated(q, nil)
	}
	return q, nil
}

// isBoolean tells whether a function gives a boolean.
func isBoolean(x *cond.Call) bool {
	switch x.Name {
	case "startsWith", "endsWith", "stringContains", "cidrMatch":
		return true
	}
	return false
}

// call translates the functions that Elasticsearch has a query for.
func (t translator) call(x *cond.Call) (Query, error) {
	if !isBoolean(x) {
		return nil, refuse(x, errScript)
	}
	if x.Name == "cidrMatch" {
		return t.cidrMatch(x)
	}
	s, err := t.text(x.Args[0])
	if err != nil {
		return nil, refuse(x, errors.Unwrap(err))
	}
	constant, ok := x.Args[1].(*cond.Literal)
	if !ok {
		return nil, refuse(x, errScript)
	}
	if constant.Kind != cond.String {
		return nil, refuse(x, errComputed)
	}
	switch text := constant.Text; x.Name {
	case "startsWith":
		return Query{"prefix": Query{s.exact: options(Query{"value": text}, x.Fold)}}, nil
	case "endsWith":
		return wildcard(s.exact, "*"+text, x.Fold), nil
	default: // stringContains
		return wildcard(s.exact, "*"+text+"*", x.Fold), nil
	}
}

func (t translator) cidrMatch(x *cond.Call) (Query, error) {
	s, err := t.subject(x.Args[0])
	if err != nil {
		return nil, refuse(x, errors.Unwrap(err))
	}
	var blocks []any
	for _, arg := range x.Args[1:] {
		l, ok := arg.(*cond.Literal)
		if !ok || l.Kind != cond.String {
			return nil, refuse(x, errComputed)
		}
		blocks = append(blocks, l.Text)
	}
	return Query{"terms": Query{s.exact: blocks}}, nil
}
