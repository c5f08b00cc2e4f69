package kuerydsl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Query is query DSL; it marshals to the same text each time.
type Query map[string]any

// Translate returns the query that Kibana sends for a condition where its data view knows the
// fields of a mapping. The clauses of leaves and fields for which refused is true become a query
// that finds nothing: Kibana sends them, and the server refuses the whole query.
func Translate(x cond.Expr, m *event.Mapping, refused Refused) (Query, error) {
	t := translator{mapping: m, refused: refused}
	return t.translate(x)
}

// Refused reports whether the server refuses a leaf for the type of a field.
type Refused func(leaf cond.Expr, path string) bool

type translator struct {
	mapping *event.Mapping
	refused Refused
	inside  string // the path of the nested objects that are looked at
}

func (t *translator) translate(x cond.Expr) (Query, error) {
	switch x := x.(type) {
	case *cond.And:
		return t.join(x.Operands, func(all []Query) Query { return boolean("filter", all) })
	case *cond.Or:
		return t.join(x.Operands, anyOf)
	case *cond.Not:
		return t.join([]cond.Expr{x.Operand}, func(all []Query) Query {
			return boolean("must_not", all[0])
		})
	case *cond.Nested:
		inner := *t
		inner.inside = x.Path
		q, err := inner.translate(x.Operand)
		return nested(x.Path, q), err
	case *cond.Is:
		return t.each(x, x.Field, func(path, kind string) Query {
			return is(path, kind, x.Value.Text, x.Quoted)
		}), nil
	case *cond.Wildcard:
		return t.each(x, x.Field, func(path, kind string) Query {
			return wildcard(path, kind, x.Pieces)
		}), nil
	case *cond.Exists:
		return t.each(x, x.Field, func(path, _ string) Query {
			return Query{"exists": Query{"field": path}}
		}), nil
	case *cond.Order:
		return t.each(x, x.Field, func(path, kind string) Query {
			return order(path, kind, x.Op, x.Value.Text)
		}), nil
	}
	return nil, fmt.Errorf("%T is no part of KQL", x)
}

func (t *translator) join(operands []cond.Expr, join func([]Query) Query) (Query, error) {
	var all []Query
	for _, x := range operands {
		q, err := t.translate(x)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return join(all), nil
}

// each returns the clause of each field that is meant; of one that is not known, the clause for the
// name as it is written.
func (t *translator) each(x cond.Expr, f *cond.Field,
	clause func(path, kind string) Query) Query {
	var all []Query
	for _, path := range slices.Sorted(maps.Keys(t.mapping.Fields)) {
		m := t.mapping.Fields[path]
		switch {
		case m.Type == event.Object || !Names(f, path):
		case t.refused(x, path):
			all = append(all, Query{"match_none": Query{}})
		case m.Nested != t.inside:
			all = append(all, nested(m.Nested, clause(path, m.Name)))
		default:
			all = append(all, clause(path, m.Name))
		}
	}
	if len(all) == 0 {
		all = []Query{clause(f.Path, "")}
	}
	return anyOf(all)
}

// Names reports whether a field, or a pattern of fields, means a path.
func Names(f *cond.Field, path string) bool {
	if !f.Wild {
		return f.Path == path
	}
	pieces := strings.Split(f.Path, "*")
	rest, ok := strings.CutPrefix(path, pieces[0])
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, behind, found := strings.Cut(rest, piece)
		rest, ok = behind, ok && found
	}
	return ok && strings.HasSuffix(rest, pieces[len(pieces)-1])
}

func nested(path string, q Query) Query {
	return Query{"nested": Query{"path": path, "query": q, "score_mode": "none"}}
}

func anyOf(all []Query) Query {
	return Query{"bool": Query{"should": all, "minimum_should_match": 1}}
}

func boolean(occurs string, clauses any) Query { return Query{"bool": Query{occurs: clauses}} }

func isDate(kind string) bool { return kind == "date" || kind == "date_nanos" }

func is(path, kind, text string, quoted bool) Query {
	switch {
	case isDate(kind):
		return Query{"range": Query{path: zoned(Query{"gte": text, "lte": text}, text)}}
	case kind == "keyword":
		return Query{"term": Query{path: Query{"value": scalar(text, quoted)}}}
	case quoted:
		return Query{"match_phrase": Query{path: text}}
	}
	return Query{"match": Query{path: scalar(text, quoted)}}
}

// scalar is a value as JSON: a word that means a boolean is one.
func scalar(text string, quoted bool) any {
	if !quoted && (text == "true" || text == "false") {
		return text == "true"
	}
	return text
}

// zoned adds the time zone of the detection engine; numbers have none.
func zoned(bounds Query, text string) Query {
	if strings.Trim(text, "0123456789") != "" {
		bounds["time_zone"] = "Zulu"
	}
	return bounds
}

func order(path, kind string, op cond.CompareOp, text string) Query {
	bound := map[cond.CompareOp]string{cond.Less: "lt", cond.LessOrEqual: "lte",
		cond.Greater: "gt", cond.GreaterOrEqual: "gte"}[op]
	bounds := Query{bound: text}
	if isDate(kind) {
		bounds = zoned(bounds, text)
	}
	return Query{"range": Query{path: bounds}}
}

func wildcard(path, kind string, pieces []string) Query {
	escaped := make([]string, len(pieces))
	for i, piece := range pieces {
		escaped[i] = escape(piece)
	}
	pattern := strings.Join(escaped, "*")
	if kind == "keyword" {
		return Query{"wildcard": Query{path: Query{"value": pattern}}}
	}
	return Query{"query_string": Query{"fields": []string{path}, "query": pattern}}
}

// escape writes a backslash before the signs of the query_string syntax.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`+-=&|><!(){}[]^"~*?:\/`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
