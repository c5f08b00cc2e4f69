package indicator

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math"
	"net/netip"

	"esrule/internal/event"
)

// A key is a value as one family of types compares it, after the number of its indicator's field.
// An indicator's value has one of each family that could take its text.
const (
	asText    = 't' // as it is
	asLower   = 'l' // in lower case, where that is another text
	asAddress = 'a'
	asBlock   = 'b' // a block of addresses, with its length
	asInteger = 'i'
	asLarge   = 'u' // an integer beyond int64
	asFloat   = 'f'
	asDouble  = 'd' // a number in 64 bits, where that is another number
	asSingle  = 's' // in 32 bits, where that is another number
)

func appendField(to []byte, field int) []byte {
	return binary.BigEndian.AppendUint16(to, uint16(field))
}

// keysOf yields the keys of an indicator's value. Each begins with head, and is valid until the
// next.
func (s *Set) keysOf(head, text []byte) iter.Seq[[]byte] {
	n := len(head)
	return func(yield func([]byte) bool) {
		if !yield(append(append(head[:n], asText), text...)) {
			return
		}
		lower := event.Lowercase(append(head[:n], asLower), text)
		if !bytes.Equal(lower[n+1:], text) && !yield(lower) {
			return
		}
		if a, ok := event.ParseAddress(text); ok {
			yield(appendAddress(append(head[:n], asAddress), a))
			return
		}
		if block, ok := blockOf(text); ok {
			s.blocks[block.Bits()+familyOf(block.Addr())] = true
			yield(appendBlock(head[:n], block))
			return
		}
		number, ok := event.Decimal(text)
		if !ok || !yield(appendNumber(head[:n], &number)) {
			return
		}
		double, exact := rounded(&number)
		if !exact && !yield(appendFloat(append(head[:n], asDouble), double)) {
			return
		}
		if single := float64(float32(double)); !exact || single != double {
			yield(appendFloat(append(head[:n], asSingle), single))
		}
	}
}

// rounded returns a number as a double holds it, and whether that is the number.
func rounded(v *event.Value) (double float64, exact bool) {
	const most = 1 << 53
	switch v.Kind {
	case event.KindInteger:
		return float64(v.Integer), -most <= v.Integer && v.Integer <= most
	case event.KindUnsigned:
		return float64(v.Unsigned()), false
	}
	return v.Float, true
}

func appendAddress(to []byte, a netip.Addr) []byte {
	b := a.As16()
	return append(to, b[:]...)
}

func appendBlock(to []byte, block netip.Prefix) []byte {
	to = append(to, asBlock, byte(block.Bits()+familyOf(block.Addr())))
	return appendAddress(to, block.Addr())
}

// familyOf tells lengths of blocks of v6 addresses from those of v4: 0 to 32.
func familyOf(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 64
}

// blockOf reads a block of addresses, as a query of an ip field does.
func blockOf(text []byte) (netip.Prefix, bool) {
	if bytes.IndexByte(text, '/') < 0 {
		return netip.Prefix{}, false
	}
	block, err := netip.ParsePrefix(string(text))
	if err != nil || block.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return block.Masked(), true
}

// appendNumber appends a number: the same for 1 and 1.0.
func appendNumber(to []byte, v *event.Value) []byte {
	switch v.Kind {
	case event.KindInteger:
		return binary.BigEndian.AppendUint64(append(to, asInteger), uint64(v.Integer))
	case event.KindUnsigned:
		return binary.BigEndian.AppendUint64(append(to, asLarge), v.Unsigned())
	}
	f := v.Float
	switch {
	case f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63:
		return binary.BigEndian.AppendUint64(append(to, asInteger), uint64(int64(f)))
	case f == math.Trunc(f) && f >= 0 && f < 1<<64:
		return binary.BigEndian.AppendUint64(append(to, asLarge), uint64(f))
	}
	return appendFloat(append(to, asFloat), f)
}

func appendFloat(to []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(to, math.Float64bits(f))
}

// matching yields the keys of the indicators' values that an event's value equals. Each is valid
// until the next.
func (s *Set) matching(head []byte, v *event.Value) iter.Seq[[]byte] {
	n := len(head)
	return func(yield func([]byte) bool) {
		switch v.Kind {
		case event.KindText, event.KindVersion:
			s.texted(head, v, yield)
		case event.KindBoolean:
			text := "false"
			if v.Boolean {
				text = "true"
			}
			yield(append(append(head[:n], asText), text...))
		case event.KindAddress:
			s.addressed(head, v.Address, yield)
		case event.KindInteger, event.KindUnsigned:
			yield(appendNumber(head[:n], v))
		case event.KindFloat:
			family := byte(asDouble)
			if isSingle(v) {
				family = asSingle
			}
			_ = yield(appendNumber(head[:n], v)) &&
				yield(appendFloat(append(head[:n], family), v.Float))
		case event.KindUntyped:
			s.untyped(head, v, yield)
		case event.KindNull, event.KindDate, event.KindDateNanos: // see Plan.Unknown
		}
	}
}

func (s *Set) texted(head []byte, v *event.Value, yield func([]byte) bool) bool {
	n := len(head)
	return yield(append(append(head[:n], asText), v.Text...)) &&
		(!v.IsLowercase() || yield(append(append(head[:n], asLower), v.Text...)))
}

func (s *Set) addressed(head []byte, a netip.Addr, yield func([]byte) bool) {
	n := len(head)
	if !yield(appendAddress(append(head[:n], asAddress), a)) {
		return
	}
	for length := range s.blocks {
		bits := length - familyOf(a)
		if bits < 0 || bits > a.BitLen() || a.Is4() && length > 32 {
			continue
		}
		block, err := a.Prefix(bits)
		if err == nil && !yield(appendBlock(head[:n], block)) {
			return
		}
	}
}

// untyped is for a value of an event without a mapping: an address is one, and so is a number that
// is not in quotes.
func (s *Set) untyped(head []byte, v *event.Value, yield func([]byte) bool) {
	if !s.texted(head, v, yield) {
		return
	}
	if a, ok := event.ParseAddress(v.Text); ok {
		s.addressed(head, a, yield)
		return
	}
	if number, ok := event.Decimal(v.Text); ok && v.Bare {
		yield(appendNumber(head, &number))
	}
}

// isSingle reports whether a fraction is one of a field of 32 bits.
func isSingle(v *event.Value) bool {
	const third = 1.0 / 3
	return v.RoundEqual(third) == float64(float32(third))
}
