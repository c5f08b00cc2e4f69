package prefilter

import (
	"math"
	"strconv"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// wholeNumber reads a constant that is a whole number, be it in quotes.
func wholeNumber(l *cond.Literal) (int64, bool) {
	switch l.Kind {
	case cond.Int:
		return l.Int, true
	case cond.String:
		n, err := strconv.ParseInt(l.Text, 10, 64)
		return n, err == nil
	case cond.Float:
		const exact = 1 << 53
		return int64(l.Float), l.Float == math.Trunc(l.Float) && math.Abs(l.Float) < exact
	case cond.Null, cond.Uint, cond.Bool:
	}
	return 0, false
}

// unsignedNumber reads a constant that an unsigned_long can equal, be it in quotes.
func unsignedNumber(l *cond.Literal) (uint64, bool) {
	switch l.Kind {
	case cond.Uint:
		return l.Uint, true
	case cond.String:
		n, err := strconv.ParseUint(l.Text, 10, 64)
		return n, err == nil
	case cond.Null, cond.Int, cond.Float, cond.Bool:
	}
	n, ok := wholeNumber(l)
	return uint64(n), ok && n >= 0
}

// decimalNumber reads a constant that is a number, be it in quotes, as a double: as the matcher
// does.
func decimalNumber(l *cond.Literal) (float64, bool) {
	switch l.Kind {
	case cond.Int:
		return float64(l.Int), true
	case cond.Uint:
		return float64(l.Uint), true
	case cond.Float:
		return l.Float, true
	case cond.String:
		v, ok := event.Decimal([]byte(l.Text))
		switch v.Kind {
		case event.KindInteger:
			return float64(v.Integer), ok
		case event.KindUnsigned:
			return float64(v.Unsigned()), ok
		}
		return v.Float, ok
	case cond.Null, cond.Bool:
	}
	return 0, false
}

// nearest gives the whole number that bounds the same, or one more: 4.5 from below is 4, from above
// 5.
func nearest(op cond.CompareOp, l *cond.Literal) (int64, bool) {
	if n, ok := wholeNumber(l); ok || l.Kind != cond.Float || math.Abs(l.Float) >= 1<<53 {
		return n, ok
	}
	if op == cond.Greater || op == cond.GreaterOrEqual {
		return int64(math.Floor(l.Float)), true
	}
	return int64(math.Ceil(l.Float)), true
}

// nearestUnsigned is nearest for an unsigned_long.
func nearestUnsigned(op cond.CompareOp, l *cond.Literal) (uint64, bool) {
	if n, ok := unsignedNumber(l); ok {
		return n, true
	}
	n, ok := nearest(op, l)
	return uint64(n), ok && n >= 0
}

// around gives the bounds of the numbers of a floating-point field that may equal c, or lie on
// either side of it: two of the field's own steps wider than c as the field would hold it, since
// servers differ in how they round, once or twice, what a document holds. ok is false near the ends
// of the type, where a server refuses the bound.
func around(f event.FieldMapping, c float64) (least, most float64, ok bool) {
	const steps = 2
	switch f.Name {
	case "double":
		least, most = c, c
		for range steps {
			least, most = math.Nextafter(least, math.Inf(-1)), math.Nextafter(most, math.Inf(1))
		}
		return least, most, math.Abs(c) < math.MaxFloat64/2
	case "float":
		narrow, wide := float32(c), float32(c)
		for range steps {
			narrow, wide = math.Nextafter32(
				narrow,
				float32(math.Inf(-1)),
			), math.Nextafter32(
				wide,
				float32(math.Inf(1)),
			)
		}
		return float64(narrow), float64(wide), math.Abs(c) < math.MaxFloat32/2
	case "half_float":
		// 11 bits of significance: a step is at most 1/1024 of the number, and at least 2^-24.
		step := math.Max(math.Abs(c)/1024, 1.0/(1<<24))
		return c - steps*step, c + steps*step, math.Abs(c) < 65504/2
	case "scaled_float":
		step := 1 / f.ScalingFactor
		return c - steps*step, c + steps*step, f.ScalingFactor > 0 &&
			math.Abs(c*f.ScalingFactor) < 1<<51
	}
	return 0, 0, false
}
