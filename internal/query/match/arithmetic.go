package match

import (
	"math"
	"math/big"
	"math/bits"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// operation gives the function of an arithmetic operator. Where Elasticsearch would end the query
// with an exception, at an overflow or a division by the integer zero, the result is null (eql.md
// §10).
func operation(op cond.ArithmeticOp) func(a, b *event.Value) event.Value {
	return func(a, b *event.Value) event.Value {
		x, ok := numberOf(a)
		if !ok {
			return event.Value{}
		}
		y, ok := numberOf(b)
		if !ok {
			return event.Value{}
		}
		switch {
		case x.Kind == event.KindFloat || y.Kind == event.KindFloat:
			return float(floatOperation(op, toFloat(&x), toFloat(&y)))
		case x.Kind == event.KindUnsigned || y.Kind == event.KindUnsigned:
			return bigOperation(op, toBig(&x), toBig(&y))
		}
		return integerOperation(op, x.Integer, y.Integer)
	}
}

func floatOperation(op cond.ArithmeticOp, a, b float64) float64 {
	switch op {
	case cond.Add:
		return a + b
	case cond.Subtract:
		return a - b
	case cond.Multiply:
		return a * b
	case cond.Divide:
		return a / b
	case cond.Modulo:
		return math.Mod(a, b)
	}
	return math.NaN()
}

func integerOperation(op cond.ArithmeticOp, a, b int64) event.Value {
	switch op {
	case cond.Add:
		if sum := a + b; (sum > a) == (b > 0) {
			return integer(sum)
		}
	case cond.Subtract:
		if difference := a - b; (difference < a) == (b > 0) {
			return integer(difference)
		}
	case cond.Multiply:
		return multiply(a, b)
	case cond.Divide:
		if b != 0 && !(a == math.MinInt64 && b == -1) {
			return integer(a / b)
		}
	case cond.Modulo:
		if b != 0 {
			return integer(a % b)
		}
	}
	return event.Value{}
}

func multiply(a, b int64) event.Value {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	switch {
	case high != 0 || low > 1<<63 || low == 1<<63 && !negative:
		return event.Value{}
	case negative:
		return integer(-int64(low))
	}
	return integer(int64(low))
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func bigOperation(op cond.ArithmeticOp, a, b *big.Int) event.Value {
	switch op {
	case cond.Add:
		return fromBig(a.Add(a, b))
	case cond.Subtract:
		return fromBig(a.Sub(a, b))
	case cond.Multiply:
		return fromBig(a.Mul(a, b))
	case cond.Divide:
		if b.Sign() != 0 {
			return fromBig(a.Quo(a, b))
		}
	case cond.Modulo:
		if b.Sign() != 0 {
			return fromBig(a.Rem(a, b))
		}
	}
	return event.Value{}
}

func negate(v *event.Value) event.Value {
	x, ok := numberOf(v)
	switch {
	case !ok:
	case x.Kind == event.KindFloat:
		return float(-x.Float)
	case x.Kind == event.KindUnsigned:
		return fromBig(new(big.Int).Neg(toBig(&x)))
	case x.Integer != math.MinInt64:
		return integer(-x.Integer)
	}
	return event.Value{}
}
