package match

import (
	"bytes"
	"strconv"

	"esrule/internal/query/eql"
	"esrule/internal/query/event"
)

// constant is a literal of a rule, ready to be compared with a value of whatever kind the event's
// mapping gives the field: the other side decides (eql.md §10, "Types").
type constant struct {
	kind  eql.LiteralKind
	text  []byte
	lower []byte

	integer   int64
	isInteger bool
	float     float64
	isNumber  bool
	boolean   bool
	isBoolean bool
}

func newConstant(l *eql.Literal) constant {
	c := constant{kind: l.Kind, text: []byte(l.Text)}
	switch l.Kind {
	case eql.String:
		c.readNumber(l.Text)
		c.boolean, c.isBoolean = l.Text == "true", l.Text == "true" || l.Text == "false"
	case eql.Int:
		c.text = strconv.AppendInt(nil, l.Int, 10)
		c.readNumber(string(c.text))
	case eql.Uint:
		c.text = strconv.AppendUint(nil, l.Uint, 10)
		c.readNumber(string(c.text))
	case eql.Float:
		c.float, c.isNumber = l.Float, true
	case eql.Bool:
		c.text = strconv.AppendBool(nil, l.Bool)
		c.boolean, c.isBoolean = l.Bool, true
	case eql.Null:
	}
	c.lower = lowerASCII(c.text)
	return c
}

func (c *constant) readNumber(text string) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		c.integer, c.isInteger = n, true
	}
	if !decimal(text) {
		return
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		c.float, c.isNumber = f, true
	}
}

// decimal tells whether text is a decimal number: no blanks, NaN, infinity, hexadecimal or underscores,
// all of which strconv would take.
func decimal(text string) bool {
	for _, r := range text {
		if (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' && r != 'e' && r != 'E' {
			return false
		}
	}
	return text != ""
}

// equals is `value == constant`.
func (c *constant) equals(v *event.Value) bool {
	switch v.Kind {
	case event.KindText:
		return bytes.Equal(v.Text, c.text)
	case event.KindInteger:
		if c.isInteger {
			return v.Integer == c.integer
		}
		return c.isNumber && float64(v.Integer) == c.float
	case event.KindFloat:
		return c.isNumber && v.Float == c.float
	case event.KindBoolean:
		return c.isBoolean && v.Boolean == c.boolean
	}
	return false
}

// equalsFolded is `value : constant` and `value in~ (constant)`, for a constant without wildcards.
func (c *constant) equalsFolded(e *event.Event, v *event.Value) bool {
	return len(v.Text) == len(c.lower) && bytes.Equal(e.Lower(v), c.lower)
}
