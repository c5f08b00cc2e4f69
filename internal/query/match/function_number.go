package match

import (
	"bytes"
	"math"
	"strconv"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// number reads a text as a number, in a base. What is no number is null, where Elasticsearch ends
// the query.
func (l *leaf) number(x *cond.Call) evaluator {
	argument, base := l.textArgument(x.Args[0], false), l.wholeArgument(x, 1)
	return func(e *Evaluation) event.Value {
		b, ok := argument(e)
		if !ok {
			return event.Value{}
		}
		radix, isNull, ok := base(e)
		if !ok {
			return event.Value{}
		}
		digits, isHex := bytes.CutPrefix(b, []byte("0x"))
		switch {
		case isNull && isHex:
			radix = 16
		case isNull:
			radix = 10
		}
		if radix != 16 {
			digits = b
		}
		return parseNumber(digits, radix)
	}
}

func parseNumber(digits []byte, radix int) event.Value {
	if radix < 2 || radix > 36 {
		return event.Value{}
	}
	if isWhole(digits, radix) {
		if n, err := strconv.ParseInt(string(digits), radix, 64); err == nil {
			return integer(n)
		}
	}
	if radix != 10 {
		return event.Value{}
	}
	return parseDouble(digits)
}

// isWhole tells whether a text is made of digits of a base, and maybe a sign. Asking strconv would
// cost memory for every text that is none.
func isWhole(text []byte, radix int) bool {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'z':
			c -= 'a' - 10
		case 'A' <= c && c <= 'Z':
			c -= 'A' - 10
		default:
			return false
		}
		if int(c) >= radix {
			return false
		}
	}
	return len(text) > 0
}

// parseDouble reads what Java's Double.valueOf takes: blanks around it, a suffix d or f, NaN and
// Infinity.
func parseDouble(digits []byte) event.Value {
	digits = bytes.TrimFunc(digits, func(r rune) bool { return r <= ' ' })
	unsigned := bytes.TrimLeft(digits, "+-")
	if len(digits)-len(unsigned) <= 1 {
		switch string(unsigned) {
		case "NaN":
			return float(math.NaN())
		case "Infinity":
			if digits[0] == '-' {
				return float(math.Inf(-1))
			}
			return float(math.Inf(1))
		}
	}
	number := digits
	if n := len(digits); n > 0 && bytes.IndexByte([]byte("dDfF"), digits[n-1]) >= 0 {
		number = digits[:n-1]
	}
	for _, c := range number {
		if (c < '0' || c > '9') && bytes.IndexByte([]byte("+-.eE"), c) < 0 {
			return event.Value{}
		}
	}
	if len(number) == 0 {
		return event.Value{}
	}
	// ParseFloat gives infinity beside its error for what is too large, as Java does.
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil && !math.IsInf(f, 0) {
		return event.Value{}
	}
	return float(f)
}
