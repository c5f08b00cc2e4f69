package cond

import (
	"encoding/json"
	"strconv"
)

// AnyOf returns what holds where one of the operands does; with none it never holds.
func AnyOf(operands []Expr) Expr {
	switch len(operands) {
	case 0:
		return &Literal{Kind: Bool}
	case 1:
		return operands[0]
	}
	return &Or{Operands: operands}
}

// ConstantOf returns the text of a constant that stands in a JSON document; ok is false for what is
// none, such as a list. What it means is up to the type of the field.
func ConstantOf(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}
