package match

import (
	"cmp"
	"math"
	"math/big"

	"esrule/internal/event"
)

func compareIntegers(a, b int64) int { return cmp.Compare(a, b) }

func compareBooleans(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// compareFloats orders doubles as Java and Lucene do: NaN is the greatest, and -0.0 is less than
// 0.0.
func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a != a || b != b:
		return compareBooleans(a != a, b != b)
	}
	return -compareBooleans(math.Signbit(a), math.Signbit(b))
}

// compareNumbers compares by value, whatever the kinds of numbers, without rounding either.
func compareNumbers(a, b *event.Value) int {
	switch {
	case a.Kind == event.KindFloat && b.Kind == event.KindFloat:
		return compareFloats(a.Float, b.Float)
	case a.Kind == event.KindFloat:
		return -compareWithFloat(b, a.Float)
	case b.Kind == event.KindFloat:
		return compareWithFloat(a, b.Float)
	case a.Kind == event.KindUnsigned && b.Kind == event.KindUnsigned:
		return cmp.Compare(a.Unsigned(), b.Unsigned())
	case a.Kind == event.KindUnsigned:
		return 1
	case b.Kind == event.KindUnsigned:
		return -1
	}
	return cmp.Compare(a.Integer, b.Integer)
}

// compareWithFloat compares a whole number with a double exactly: beyond 2⁵³ a conversion would
// round.
func compareWithFloat(n *event.Value, f float64) int {
	switch {
	case f != f || f >= 1<<64:
		return -1
	case f < -(1 << 63):
		return 1
	}
	whole := math.Floor(f)
	var c int
	switch {
	case n.Kind == event.KindUnsigned && whole < 1<<63:
		return 1
	case n.Kind == event.KindUnsigned:
		c = cmp.Compare(n.Unsigned(), uint64(whole))
	case whole >= 1<<63:
		return -1
	default:
		c = cmp.Compare(n.Integer, int64(whole))
	}
	if c == 0 && f > whole {
		return -1
	}
	if c == 0 && f == 0 && math.Signbit(f) {
		return 1 // 0 is greater than -0.0
	}
	return c
}

func toFloat(v *event.Value) float64 {
	switch v.Kind {
	case event.KindInteger:
		return float64(v.Integer)
	case event.KindUnsigned:
		return float64(v.Unsigned())
	}
	return v.Float
}

func toBig(v *event.Value) *big.Int {
	if v.Kind == event.KindUnsigned {
		return new(big.Int).SetUint64(v.Unsigned())
	}
	return big.NewInt(v.Integer)
}

// fromBig is null beyond 64 bits.
func fromBig(n *big.Int) event.Value {
	switch {
	case n.IsInt64():
		return integer(n.Int64())
	case n.IsUint64():
		return event.Value{Kind: event.KindUnsigned, Integer: int64(n.Uint64())}
	}
	return event.Value{}
}

func integer(n int64) event.Value { return event.Value{Kind: event.KindInteger, Integer: n} }

func float(f float64) event.Value { return event.Value{Kind: event.KindFloat, Float: f} }

func boolean(b bool) event.Value { return event.Value{Kind: event.KindBoolean, Boolean: b} }

func text(b []byte) event.Value { return event.Value{Kind: event.KindText, Text: b} }

// numberOf reads a value as an operand of arithmetic. A text counts where it is a decimal number.
func numberOf(v *event.Value) (event.Value, bool) {
	switch v.Kind {
	case event.KindInteger, event.KindUnsigned, event.KindFloat:
		return *v, true
	case event.KindText, event.KindUntyped:
		return event.Decimal(v.Text)
	case event.KindNull, event.KindBoolean, event.KindDate, event.KindDateNanos, event.KindAddress,
		event.KindVersion:
	}
	return event.Value{}, false
}
