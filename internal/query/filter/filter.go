// Package filter reads the filters of a detection rule, which are Elasticsearch's query DSL, into
// the condition tree.
//
// It reads the clauses that compare a field with constants, and bool. Anything else, and any option
// that changes what a clause accepts, is an error that names it: a filter is read whole or not at
// all. The rule loader calls [Parse]; the nodes have no place in a query's text, so their spans are
// zero.
package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// Parse reads one entry of a rule's filters: {meta, query}, or {meta} with the clause beside it, as
// old files have it. It returns nil for one that is disabled. What narrows nothing ($state, names
// and boosts) is passed over.
func Parse(entry map[string]any) (cond.Expr, error) {
	meta, _ := entry["meta"].(map[string]any)
	if disabled, _ := meta["disabled"].(bool); disabled {
		return nil, nil
	}
	query, ok := entry["query"].(map[string]any)
	if !ok {
		query = maps.Clone(entry)
		delete(query, "meta")
		delete(query, "$state")
		delete(query, "query")
	}
	e, err := clause(query)
	if err != nil {
		return nil, err
	}
	if negate, _ := meta["negate"].(bool); negate {
		return &cond.Not{Operand: e}, nil
	}
	return e, nil
}

// clause reads a clause, which is an object with one key.
func clause(query map[string]any) (cond.Expr, error) {
	if len(query) == 0 {
		return nil, errors.New("a filter without a clause is not supported")
	}
	if len(query) != 1 {
		return nil, fmt.Errorf("a clause has one key, found %d: %s", len(query), shown(query))
	}
	kind := one(query)
	body, ok := query[kind].(map[string]any)
	if !ok {
		return nil, unknown(kind, query[kind])
	}
	switch kind {
	case "match_all":
		return &cond.Literal{Kind: cond.Bool, Bool: true}, onlyOptions(kind, body)
	case "match_none":
		return &cond.Literal{Kind: cond.Bool}, onlyOptions(kind, body)
	case "exists":
		name, ok := body["field"].(string)
		if !ok || name == "" {
			return nil, unknown(kind, body)
		}
		return &cond.Exists{Field: &cond.Field{Path: name}}, onlyOptions(kind, body, "field")
	case "bool":
		return boolean(body)
	case "match", "match_phrase", "term", "wildcard", "prefix":
		return compared(kind, body)
	case "terms":
		return terms(body)
	case "range":
		return order(body)
	}
	return nil, fmt.Errorf("the clause %s is not supported", kind)
}

// compared reads a clause that compares a field with one value: {field: value}, or {field:
// {value: …}} with options.
func compared(kind string, body map[string]any) (cond.Expr, error) {
	name, given, err := ofField(kind, body)
	if err != nil {
		return nil, err
	}
	key := "value"
	if strings.HasPrefix(kind, "match") {
		key = "query"
	}
	options, isObject := given.(map[string]any)
	if isObject {
		given = options[key]
		if kind == "wildcard" && given == nil {
			key = "wildcard"
			given = options[key]
		}
	}
	text, ok := cond.ConstantOf(given)
	if !ok {
		return nil, unknown(kind, body)
	}
	known := []string{key}
	fold := false
	switch kind {
	case "wildcard", "prefix", "term":
		fold, _ = options["case_insensitive"].(bool)
		known = append(known, "case_insensitive", "rewrite")
	case "match":
		// The old form of match_phrase.
		if options["type"] == "phrase" {
			kind, known = "match_phrase", append(known, "type")
		}
	}
	if err := onlyOptions(kind, options, known...); err != nil {
		return nil, err
	}
	field := &cond.Field{Path: name}
	switch {
	case kind == "wildcard":
		return &cond.Glob{Field: field, Pattern: text, Fold: fold}, nil
	case kind == "prefix":
		return &cond.Glob{Field: field, Pattern: literal(text) + "*", Fold: fold}, nil
	case fold:
		return &cond.Glob{Field: field, Pattern: literal(text), Fold: true}, nil
	}
	return is(field, text, kind != "match"), nil
}

func is(field *cond.Field, text string, quoted bool) cond.Expr {
	return &cond.Is{Field: field, Value: constant(text), Quoted: quoted}
}

func constant(text string) *cond.Literal { return &cond.Literal{Kind: cond.String, Text: text} }

// literal returns the wildcard pattern that only the text fits. Only what has a meaning is escaped:
// an escaped letter keeps its case.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(text)
}

// terms reads {field: [value, …]}.
func terms(body map[string]any) (cond.Expr, error) {
	name, given, err := ofField("terms", body)
	if err != nil {
		return nil, err
	}
	list, ok := given.([]any)
	if !ok {
		return nil, unknown("terms", body) // values of another document, among others
	}
	var operands []cond.Expr
	for _, one := range list {
		text, ok := cond.ConstantOf(one)
		if !ok {
			return nil, unknown("terms", body)
		}
		operands = append(operands, is(&cond.Field{Path: name}, text, true))
	}
	return cond.AnyOf(operands), nil
}

// order reads {field: {gte: …}}. Two bounds have to hold for one value of the field, which the tree
// cannot say.
func order(body map[string]any) (cond.Expr, error) {
	name, given, err := ofField("range", body)
	if err != nil {
		return nil, err
	}
	bounds, ok := given.(map[string]any)
	if !ok {
		return nil, unknown("range", body)
	}
	operators := map[string]cond.CompareOp{"lt": cond.Less, "lte": cond.LessOrEqual,
		"gt": cond.Greater, "gte": cond.GreaterOrEqual}
	if err := onlyOptions("range", bounds, slices.Collect(maps.Keys(operators))...); err != nil {
		return nil, err
	}
	field := &cond.Field{Path: name}
	var e cond.Expr = &cond.Exists{Field: field}
	found := 0
	for key, op := range operators {
		if bounds[key] == nil {
			continue
		}
		text, ok := cond.ConstantOf(bounds[key])
		if !ok {
			return nil, unknown("range", body)
		}
		found++
		e = &cond.Order{Field: field, Op: op, Value: constant(text)}
	}
	if found > 1 {
		return nil, fmt.Errorf("a range with two bounds is not supported: %s", shown(body))
	}
	return e, nil
}

// boolean reads a bool clause. Without must and filter, one clause of should has to hold.
func boolean(body map[string]any) (cond.Expr, error) {
	all, err := clauses(body, "must", "filter")
	if err != nil {
		return nil, err
	}
	some, err := clauses(body, "should")
	if err != nil {
		return nil, err
	}
	none, err := clauses(body, "must_not")
	if err != nil {
		return nil, err
	}
	if err := onlyOptions("bool", body, "must", "filter", "should", "must_not",
		"minimum_should_match", "adjust_pure_negative"); err != nil {
		return nil, err
	}
	least := 0
	if len(all) == 0 && len(some) > 0 {
		least = 1
	}
	if given, ok := body["minimum_should_match"]; ok {
		text, _ := cond.ConstantOf(given)
		if least, err = strconv.Atoi(text); err != nil || least < 0 || least > 1 {
			return nil, fmt.Errorf("minimum_should_match %s is not supported", shown(given))
		}
	}
	if least == 1 {
		all = append(all, cond.AnyOf(some))
	}
	for _, e := range none {
		all = append(all, &cond.Not{Operand: e})
	}
	switch len(all) {
	case 0:
		return &cond.Literal{Kind: cond.Bool, Bool: true}, nil
	case 1:
		return all[0], nil
	}
	return &cond.And{Operands: all}, nil
}

// clauses reads the clauses below keys of a bool clause: one, or a list of them.
func clauses(body map[string]any, keys ...string) ([]cond.Expr, error) {
	var list []cond.Expr
	for _, key := range keys {
		entries, isList := body[key].([]any)
		if !isList && body[key] != nil {
			entries = []any{body[key]}
		}
		for _, entry := range entries {
			query, ok := entry.(map[string]any)
			if !ok {
				return nil, unknown(key, entry)
			}
			e, err := clause(query)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}

// ofField returns the field of a clause and what stands there.
func ofField(kind string, body map[string]any) (name string, given any, err error) {
	fields := maps.Clone(body)
	maps.DeleteFunc(fields, func(key string, _ any) bool { return narrowsNothing(key) })
	if len(fields) != 1 || one(fields) == "" {
		return "", nil, unknown(kind, body)
	}
	name = one(fields)
	return name, fields[name], nil
}

// narrowsNothing reports whether an option of a clause changes nothing that it accepts.
func narrowsNothing(key string) bool { return key == "boost" || key == "_name" }

// onlyOptions returns an error for an option that is not known.
func onlyOptions(kind string, options map[string]any, known ...string) error {
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if !slices.Contains(known, key) && !narrowsNothing(key) {
			return fmt.Errorf("the option %s of the clause %s is not supported", key, kind)
		}
	}
	return nil
}

func unknown(kind string, body any) error {
	return fmt.Errorf("the clause %s is not supported as it is written: %s", kind, shown(body))
}

// one returns the key of a map that has one.
func one(m map[string]any) string {
	for key := range m {
		return key
	}
	return ""
}

// shown returns a part of a filter for a message.
func shown(v any) string {
	const most = 80
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}
