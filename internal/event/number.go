package event

import (
	"bytes"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Decimal reads a text that is a decimal number: digits with a sign, a fraction, an exponent.
// Blanks, NaN, infinity, hexadecimal and underscores, all of which strconv would take, are not
// numbers.
func Decimal(text []byte) (Value, bool) {
	isNumber, isWhole := decimal(text)
	if !isNumber {
		return Value{}, false
	}
	if !isWhole { // an error of strconv would cost memory
		f, err := strconv.ParseFloat(string(text), 64)
		return Value{Kind: KindFloat, Text: text, Float: f}, err == nil
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return Value{Kind: KindInteger, Text: text, Integer: n}, true
	}
	if n, err := strconv.ParseUint(string(text), 10, 64); err == nil {
		return Value{Kind: KindUnsigned, Text: text, Integer: int64(n)}, true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return Value{}, false
	}
	return Value{Kind: KindFloat, Text: text, Float: f}, true
}

// Number reads the text of a constant as number fields do: a decimal number, or what else Java
// takes for a double.
func Number(text []byte) (Value, bool) {
	if v, ok := Decimal(text); ok && string(text) != "-0" { // which has its sign in a double
		return v, true
	}
	f, ok := javaDouble(text)
	return Value{Kind: KindFloat, Text: text, Float: f}, ok
}

// decimal tells whether a text may be a number, and if so whether one without fraction and
// exponent.
func decimal(text []byte) (isNumber, isWhole bool) {
	isWhole = true
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			isNumber = true
		case c == '.' || c == 'e' || c == 'E':
			isWhole = false
		case c != '-' && c != '+':
			return false, false
		}
	}
	return isNumber, isWhole
}

// coerces reports whether only `coerce` makes a value of a text: one in quotes, a fraction of a
// field of whole numbers.
func (f *field) coerces(text []byte, quoted bool) bool {
	if quoted {
		return f.Type == Integer || f.Type == Float
	}
	number, ok := javaDouble(text)
	return f.Type == Integer && ok && number != math.Trunc(number)
}

// javaDouble reads a text as Java's Double.parseDouble does, and with it the number fields but
// long: between blanks and control characters, with NaN and Infinity, hexadecimal with an exponent,
// and a letter for the type at the end.
func javaDouble(text []byte) (float64, bool) {
	trimmed := bytes.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if isNumber, _ := decimal(trimmed); isNumber {
		f, err := strconv.ParseFloat(string(trimmed), 64)
		return f, err == nil || math.IsInf(f, 0)
	}
	unsigned := bytes.TrimLeft(trimmed, "+-")
	if len(trimmed)-len(unsigned) > 1 || len(unsigned) == 0 {
		return 0, false
	}
	switch string(unsigned) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1 - 2*bytes.Count(trimmed, []byte("-"))), true
	}
	isHex := bytes.HasPrefix(unsigned, []byte("0x")) || bytes.HasPrefix(unsigned, []byte("0X"))
	number := bytes.TrimRight(trimmed, "dDfF")
	if isHex {
		if !bytes.ContainsAny(trimmed, "pP") {
			return 0, false // Go takes it, Java does not
		}
	} else if isNumber, _ := decimal(number); !isNumber {
		return 0, false
	}
	if len(trimmed)-len(number) > 1 || bytes.ContainsRune(number, '_') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(number), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// readNarrow coerces as integer, short and byte do: through a double, of which the fraction is cut
// off; NaN becomes 0.
func (r integers) readNarrow(text []byte) (Value, bool) {
	f, ok := javaDouble(text)
	if !ok || f < float64(r.least) || f > float64(r.most) {
		return Value{}, false
	}
	if f != f {
		f = 0
	}
	return Value{Kind: KindInteger, Integer: int64(f)}, true
}

// readLong coerces as long does: through a decimal number, of which the fraction is cut off. Java
// knows the digits of every script.
func readLong(text []byte) (Value, bool) {
	text = asciiDigits(text)
	v, ok := Decimal(text)
	if !ok {
		return Value{}, false
	}
	switch v.Kind {
	case KindInteger:
		return v, true
	case KindFloat:
		if whole, _, found := bytes.Cut(text, []byte(".")); found &&
			!bytes.ContainsAny(text, "eE") && len(whole) > 0 {
			if n, err := strconv.ParseInt(string(whole), 10, 64); err == nil {
				return Value{Kind: KindInteger, Integer: n}, true
			}
		}
		if v.Float >= -(1<<63) && v.Float < 1<<63 {
			return Value{Kind: KindInteger, Integer: int64(v.Float)}, true
		}
	}
	return Value{}, false
}

// asciiDigits writes the decimal digits of other scripts as those of ASCII.
func asciiDigits(text []byte) []byte {
	if !bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return text
	}
	return bytes.Map(func(r rune) rune {
		for _, digits := range unicode.Nd.R16 { // each range begins with a zero
			if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
				return '0' + (r-rune(digits.Lo))%10
			}
		}
		return r
	}, text)
}

// readUnsigned takes what unsigned_long takes: whole numbers from 0, of which a fraction of zeros
// is no part.
func readUnsigned(text []byte) (Value, bool) {
	text = asciiDigits(text)
	if whole, zeros, found := bytes.Cut(text, []byte(".")); found &&
		len(bytes.Trim(zeros, "0")) == 0 {
		text = whole
	}
	v, ok := Decimal(text)
	if !ok {
		return Value{}, false
	}
	switch v.Kind {
	case KindInteger:
		return v, v.Integer >= 0
	case KindUnsigned:
		return v, true
	case KindFloat:
		if f := v.Float; f >= 0 && f < 1<<64 && f == math.Trunc(f) {
			return integral(uint64(f)), true
		}
	}
	return Value{}, false
}

func integral(n uint64) Value {
	if n <= math.MaxInt64 {
		return Value{Kind: KindInteger, Integer: int64(n)}
	}
	return Value{Kind: KindUnsigned, Integer: int64(n)}
}

// integers is the range of an integer type.
type integers struct{ least, most int64 }

func integersOf(name string) integers {
	switch name {
	case "byte":
		return integers{math.MinInt8, math.MaxInt8}
	case "short":
		return integers{math.MinInt16, math.MaxInt16}
	case "integer":
		return integers{math.MinInt32, math.MaxInt32}
	}
	return integers{math.MinInt64, math.MaxInt64}
}

// HoldsInteger tells whether an integer field can have the value: a query for another fails on some
// versions.
func (f FieldMapping) HoldsInteger(n int64) bool { return integersOf(f.Name).hold(n) }

// TakesNumber reports whether the field's type reads a text as a number of a query: long takes
// decimal numbers only.
func (v *Value) TakesNumber(text []byte) bool {
	if v.field == nil || v.field.Type != Unsigned && v.field.integers != integersOf("long") {
		return true
	}
	_, ok := Decimal(asciiDigits(text))
	return ok
}

// TakesBound reports whether a range over the value's field may have a number as its bound:
// Elasticsearch refuses one that a long, or for the smaller types an integer, cannot hold.
func (v *Value) TakesBound(n *Value) bool {
	if v.Kind != KindInteger || v.field == nil || v.field.Type != Integer {
		return true
	}
	r := v.field.integers
	if r != integersOf("long") {
		r = integersOf("integer")
	}
	if n.Kind != KindFloat {
		return n.Kind == KindInteger && r.hold(n.Integer)
	}
	return !(n.Float < float64(r.least) || n.Float > float64(r.most) || n.Float >= 1<<63)
}

func (r integers) hold(n int64) bool { return r.least <= n && n <= r.most }

// precision is how a floating-point type holds a number: bits 0 is a double.
type precision struct {
	bits  uint8   // 16 or 32
	scale float64 // of a scaled_float: it holds the nearest multiple of 1/scale
}

func precisionOf(m FieldMapping) precision {
	switch m.Name {
	case "half_float":
		return precision{bits: 16}
	case "float":
		return precision{bits: 32}
	case "scaled_float":
		return precision{scale: m.ScalingFactor}
	}
	return precision{}
}

// round is not finite for a number that the type cannot hold.
func (p precision) round(f float64) float64 {
	switch {
	case p.bits == 16:
		return roundToHalf(f)
	case p.bits == 32:
		return float64(float32(f))
	case p.scale != 0:
		const most = 1 << 63 // it is kept as a long
		return max(-most, min(most, math.Floor(f*p.scale+0.5))) / p.scale
	}
	return f
}

func (p precision) read(text []byte) (Value, bool) {
	f, ok := javaDouble(text)
	if !ok || math.IsInf(f, 0) {
		return Value{}, false
	}
	f = p.round(f)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return Value{}, false
	}
	return Value{Kind: KindFloat, Float: f}, true
}

// roundToHalf rounds to the nearest number of 16 bits, to the even one of two: 11 bits of
// significance, the smallest step 2⁻²⁴. As Elasticsearch does, it rounds to 32 bits first.
func roundToHalf(f float64) float64 {
	f = float64(float32(f))
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return f
	}
	_, exponent := math.Frexp(f)
	step := math.Ldexp(1, max(exponent-11, -24))
	f = math.RoundToEven(f/step) * step
	if math.Abs(f) > 65504 {
		return math.Inf(1)
	}
	return f
}
