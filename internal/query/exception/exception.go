// Package exception reads the exception items that Kibana exports into the condition tree.
//
// An item accepts the events that are no matches of a rule. It is read whole or not at all: an
// entry of a kind that cannot be evaluated, such as a value list that the export does not hold, is
// an error that names it. The rule loader calls [Parse]; the nodes have no place in a query's text,
// so their spans are zero.
package exception

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"esrule/internal/query/cond"
)

// Parse reads the entries and the operating systems of an item: all entries have to hold, and the
// event's host has to run one of the systems, if there are any.
func Parse(item map[string]any) (cond.Expr, error) {
	if kind, given := item["type"]; given && kind != "simple" {
		return nil, fmt.Errorf("an item of type %v is not evaluated", kind)
	}
	e, err := all(item["entries"], "")
	if err != nil {
		return nil, err
	}
	systems, _ := item["os_types"].([]any)
	var of []cond.Expr
	for _, one := range systems {
		name, ok := one.(string)
		if !ok {
			return nil, fmt.Errorf("os_types has %v, which is no text", one)
		}
		of = append(of, is("host.os.type", name), is("host.os.name.caseless", name))
	}
	if len(of) == 0 {
		return e, nil
	}
	return &cond.And{Operands: []cond.Expr{cond.AnyOf(of), e}}, nil
}

// all reads a list of entries; prefix is before the fields' names.
func all(entries any, prefix string) (cond.Expr, error) {
	list, _ := entries.([]any)
	if len(list) == 0 {
		return nil, errors.New("it has no entries")
	}
	operands := make([]cond.Expr, len(list))
	for i, one := range list {
		values, ok := one.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("entry %d is no object", i+1)
		}
		e, err := entry(values, prefix)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		operands[i] = e
	}
	if len(operands) == 1 {
		return operands[0], nil
	}
	return &cond.And{Operands: operands}, nil
}

// entry reads one entry.
func entry(values map[string]any, prefix string) (cond.Expr, error) {
	field, _ := values["field"].(string)
	kind, _ := values["type"].(string)
	if field == "" {
		return nil, errors.New("it has no field")
	}
	path := prefix + field
	known := []string{"field", "type", "operator", "value"}
	var e cond.Expr
	switch kind {
	case "exists":
		known = known[:3]
		e = &cond.Exists{Field: &cond.Field{Path: path}}
	case "match", "wildcard":
		text, ok := cond.ConstantOf(values["value"])
		if !ok {
			return nil, fmt.Errorf("its value for %s is no text", path)
		}
		e = is(path, text)
		if kind == "wildcard" {
			e = &cond.Glob{Field: &cond.Field{Path: path}, Pattern: text}
		}
	case "match_any":
		var err error
		if e, err = oneOf(path, values["value"]); err != nil {
			return nil, err
		}
	case "nested":
		known = []string{"field", "type", "entries"}
		operand, err := all(values["entries"], path+".")
		if err != nil {
			return nil, err
		}
		e = &cond.Nested{Path: path, Operand: operand}
	case "list":
		list, _ := values["list"].(map[string]any)
		return nil, fmt.Errorf("the value list %v of %s is not in the export", list["id"], path)
	default:
		return nil, fmt.Errorf("an entry of type %q is not evaluated", kind)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("an entry of type %s with the key %q is not evaluated", kind,
				key)
		}
	}
	return operated(e, values["operator"], kind)
}

// operated applies the entry's operator.
func operated(e cond.Expr, operator any, kind string) (cond.Expr, error) {
	switch {
	case operator == "included", kind == "nested":
		return e, nil
	case operator == "excluded":
		return &cond.Not{Operand: e}, nil
	}
	return nil, fmt.Errorf("the operator %v is not evaluated", operator)
}

// oneOf reads the values of match_any.
func oneOf(path string, given any) (cond.Expr, error) {
	list, _ := given.([]any)
	var operands []cond.Expr
	for _, one := range list {
		text, ok := cond.ConstantOf(one)
		if !ok {
			return nil, fmt.Errorf("a value for %s is no text", path)
		}
		operands = append(operands, is(path, text))
	}
	if len(operands) == 0 {
		return nil, fmt.Errorf("it has no values for %s", path)
	}
	return cond.AnyOf(operands), nil
}

// is compares a field with a value as match_phrase does: letter case counts on a keyword.
func is(path, text string) cond.Expr {
	return &cond.Is{Field: &cond.Field{Path: path}, Quoted: true,
		Value: &cond.Literal{Kind: cond.String, Text: text}}
}
