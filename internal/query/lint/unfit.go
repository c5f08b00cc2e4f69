package lint

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"esrule/internal/date"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// unfit says why no value of a field satisfies `field op constant`, which is written so in the
// query; it is empty where one may.
func unfit(m event.FieldMapping, c *cond.Literal, op cond.CompareOp, written string) string {
	switch m.Type {
	case event.Integer, event.Unsigned:
		return unfitNumber(m, c, op, written)
	case event.Float:
		if _, ok := decimal(c); !ok {
			return written + " is no number"
		}
	case event.Boolean:
		if c.Kind != cond.Bool && c.Text != "true" && c.Text != "false" {
			return written + " is neither true nor false"
		}
	case event.Date, event.DateNanos:
		if !isDate(m, c) {
			return fmt.Sprintf("%s is no date in its format", written)
		}
	case event.IP:
		return unfitAddress(c, written)
	case event.Unmapped, event.Keyword, event.Text, event.Version, event.Object, event.Other,
		event.Untyped:
	}
	return ""
}

// unfitNumber is about a field of whole numbers.
func unfitNumber(m event.FieldMapping, c *cond.Literal, op cond.CompareOp, written string) string {
	n, ok := decimal(c)
	if !ok {
		return written + " is no number"
	}
	equality := op == cond.Equal
	if n.Kind == event.KindFloat && n.Float == math.Trunc(n.Float) && math.Abs(n.Float) < 1<<53 {
		n = event.Value{Kind: event.KindInteger, Integer: int64(n.Float)}
	}
	if n.Kind == event.KindFloat && equality && n.Float != math.Trunc(n.Float) {
		return written + " is no whole number"
	}
	below, above := outOfRange(m, n)
	switch {
	case equality && (below || above):
		return written + " is out of its range"
	case above && (op == cond.Greater || op == cond.GreaterOrEqual):
		return "no value of it is so large as " + written
	case below && (op == cond.Less || op == cond.LessOrEqual), m.Type == event.Unsigned &&
		op == cond.Less && isZero(n):
		return "no value of it is so small as " + written
	}
	return ""
}

func isZero(n event.Value) bool { return n.Kind == event.KindInteger && n.Integer == 0 }

// outOfRange reports whether a number is below or above all that a field of whole numbers can hold.
func outOfRange(m event.FieldMapping, n event.Value) (below, above bool) {
	unsigned := m.Type == event.Unsigned
	switch n.Kind {
	case event.KindInteger:
		if unsigned {
			return n.Integer < 0, false
		}
		outside := !m.HoldsInteger(n.Integer)
		return outside && n.Integer < 0, outside && n.Integer > 0
	case event.KindUnsigned: // above what 64 bits with a sign hold
		return false, !unsigned
	case event.KindFloat:
		most := float64(math.MaxInt64)
		if unsigned {
			most = math.MaxUint64
			return n.Float <= -1, n.Float > most
		}
		return n.Float < -most, n.Float > most
	case event.KindNull, event.KindText, event.KindUntyped, event.KindBoolean, event.KindDate,
		event.KindDateNanos,
		event.KindAddress, event.KindVersion:
	}
	return false, false
}

// decimal is a constant as a number.
func decimal(c *cond.Literal) (event.Value, bool) {
	switch c.Kind {
	case cond.Int:
		return event.Value{Kind: event.KindInteger, Integer: c.Int}, true
	case cond.Uint:
		return event.Value{Kind: event.KindUnsigned, Integer: int64(c.Uint)}, true
	case cond.Float:
		return event.Value{Kind: event.KindFloat, Float: c.Float}, true
	case cond.String:
		return event.Number([]byte(c.Text))
	case cond.Null, cond.Bool:
	}
	return event.Value{}, false
}

// isDate reports whether a constant can be a date of a field. Where the server reads its format and
// was not asked about the constant, that is not known.
func isDate(m event.FieldMapping, c *cond.Literal) bool {
	if c.Kind != cond.String {
		return c.Kind != cond.Bool
	}
	_, _, _, ok := m.Dates().Range(c.Text, time.Now())
	return ok || m.ServerRead && m.Constants == nil
}

// unfitAddress is about a field of type ip, whose constants are addresses and blocks of them.
func unfitAddress(c *cond.Literal, written string) string {
	address, _, isBlock := strings.Cut(c.Text, "/")
	if _, ok := event.ParseAddress([]byte(address)); c.Kind != cond.String || !ok {
		return written + " is no address"
	}
	if _, err := netip.ParsePrefix(c.Text); isBlock && err != nil {
		return written + " is no block of addresses"
	}
	return ""
}

// adviceFor says what constants a field takes, where that is not plain.
func adviceFor(mappings []event.FieldMapping) string {
	switch m := mappings[0]; m.Type {
	case event.Date, event.DateNanos:
		const math = `Date math is taken too: "now-1d", "2026-01-31||-7d".`
		switch {
		case m.Formats != "":
			return fmt.Sprintf("Its format is %s. %s", m.Formats, math)
		case m.ServerRead:
			return math
		}
		return fmt.Sprintf("Its format is %s. %s", date.Default, math)
	case event.Boolean:
		return "Write true or false."
	case event.IP:
		return `Write an address ("10.0.0.1") or a block of them ("10.0.0.0/8").`
	case event.Unmapped, event.Keyword, event.Text, event.Integer, event.Unsigned, event.Float,
		event.Version, event.Object,
		event.Other, event.Untyped:
	}
	return ""
}
