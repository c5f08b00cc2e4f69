package sequence

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/match"
)

// keyField is a field by which events are joined. An optional one may be missing: that is a value
// that equals itself.
type keyField struct {
	slot     event.Slot
	path     string
	optional bool
}

// keyList returns the number of a list of keys; stages with equal lists share it.
func (p *Plan) keyList(keys []keyField) int {
	at := slices.IndexFunc(p.keyLists, func(l []keyField) bool { return slices.Equal(l, keys) })
	if at < 0 {
		at = len(p.keyLists)
		p.keyLists, p.ofList = append(p.keyLists, keys), append(p.ofList, 0)
	}
	return at
}

// Key is a value by which the events of a match are joined, as text.
type Key struct {
	Text    string
	Missing bool // of an optional key
}

// mostCombinations bounds the combinations of key values of one event, which multiply.
const mostCombinations = 1 << 16

// combinations are the keys of an event: each combination of the values of its key fields, encoded.
type combinations struct {
	text    []byte
	ends    []int32
	tooMany bool // they were not made
}

func (c *combinations) len() int { return len(c.ends) }

func (c *combinations) at(i int) []byte {
	start := int32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	return c.text[start:c.ends[i]]
}

// read makes the combinations of an event. There are none where a key is missing that is not
// optional.
func (c *combinations) read(e *match.Evaluation, keys []keyField) {
	several := false
	for _, k := range keys {
		n := len(e.Values(k.slot))
		if n == 0 && !k.optional {
			return
		}
		several = several || n > 1
	}
	if several {
		c.tooMany = !c.readArrays(e, keys)
		return
	}
	for _, k := range keys {
		values := e.Values(k.slot)
		if len(values) == 0 {
			c.text = append(c.text, keyMissing)
			continue
		}
		c.text = appendKey(c.text, &values[0])
	}
	c.ends = append(c.ends, int32(len(c.text)))
}

// readArrays is read where a key has several values: the event counts once for each of them. It
// returns false where there are too many.
func (c *combinations) readArrays(e *match.Evaluation, keys []keyField) bool {
	choices := make([][][]byte, len(keys))
	count := 1
	for i, k := range keys {
		for j := range e.Values(k.slot) {
			choices[i] = append(choices[i], appendKey(nil, &e.Values(k.slot)[j]))
		}
		if len(choices[i]) == 0 {
			choices[i] = [][]byte{{keyMissing}}
		}
		slices.SortFunc(choices[i], bytes.Compare)
		choices[i] = slices.CompactFunc(choices[i], bytes.Equal)
		if count *= len(choices[i]); count > mostCombinations {
			return false
		}
	}
	c.combine(nil, choices)
	return true
}

func (c *combinations) combine(before []byte, choices [][][]byte) {
	if len(choices) == 0 {
		c.text = append(c.text, before...)
		c.ends = append(c.ends, int32(len(c.text)))
		return
	}
	for _, value := range choices[0] {
		c.combine(slices.Concat(before, value), choices[1:])
	}
}

// What an encoded key value begins with: values are equal where they are of the same kind and have
// the same content. A number is one kind, whatever type it is mapped as.
const (
	keyMissing  = '-'
	keyText     = 't'
	keyVersion  = 'v'
	keyInteger  = 'i'
	keyUnsigned = 'u'
	keyFloat    = 'f'
	keyBoolean  = 'b'
	keyDate     = 'd'
	keyAddress  = 'a'
)

func appendKey(into []byte, v *event.Value) []byte {
	switch v.Kind {
	case event.KindNull:
		return append(into, keyMissing)
	case event.KindText, event.KindUntyped:
		return appendText(append(into, keyText), v.Text)
	case event.KindVersion:
		return appendText(append(into, keyVersion), v.Text)
	case event.KindInteger:
		return append64(append(into, keyInteger), uint64(v.Integer))
	case event.KindUnsigned:
		return append64(append(into, keyUnsigned), v.Unsigned())
	case event.KindFloat:
		if whole := int64(v.Float); float64(whole) == v.Float && math.Abs(v.Float) < 1<<63 {
			return append64(append(into, keyInteger), uint64(whole))
		}
		return append64(append(into, keyFloat), math.Float64bits(v.Float))
	case event.KindBoolean:
		if v.Boolean {
			return append(into, keyBoolean, 1)
		}
		return append(into, keyBoolean, 0)
	case event.KindDate:
		return appendDate(into, time.UnixMilli(v.Integer))
	case event.KindDateNanos:
		return appendDate(into, time.Unix(0, v.Integer))
	case event.KindAddress:
		return appendText(append(into, keyAddress), v.Address.AsSlice())
	}
	return append(into, keyMissing)
}

func appendText(into, text []byte) []byte {
	return append(binary.AppendUvarint(into, uint64(len(text))), text...)
}

func append64(into []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(into, n) }

func appendDate(into []byte, at time.Time) []byte {
	into = append64(append(into, keyDate), uint64(at.Unix()))
	return binary.BigEndian.AppendUint32(into, uint32(at.Nanosecond()))
}

// decodeKeys returns the values of an encoded combination.
func decodeKeys(encoded string) []Key {
	rest := []byte(encoded)
	var keys []Key
	for len(rest) > 0 {
		var k Key
		k, rest = decodeKey(rest[0], rest[1:])
		keys = append(keys, k)
	}
	return keys
}

func decodeKey(kind byte, rest []byte) (Key, []byte) {
	switch kind {
	case keyText, keyVersion, keyAddress:
		length, n := binary.Uvarint(rest)
		text, rest := rest[n:n+int(length)], rest[n+int(length):]
		if kind == keyAddress {
			address, _ := netip.AddrFromSlice(text)
			return Key{Text: address.String()}, rest
		}
		return Key{Text: string(text)}, rest
	case keyBoolean:
		return Key{Text: strconv.FormatBool(rest[0] == 1)}, rest[1:]
	case keyDate:
		at := time.Unix(int64(binary.BigEndian.Uint64(rest)),
			int64(binary.BigEndian.Uint32(rest[8:])))
		return Key{Text: at.UTC().Format(time.RFC3339Nano)}, rest[12:]
	case keyInteger, keyUnsigned, keyFloat:
		return Key{Text: numberText(kind, binary.BigEndian.Uint64(rest))}, rest[8:]
	}
	return Key{Missing: true}, rest
}

func numberText(kind byte, bits uint64) string {
	switch kind {
	case keyInteger:
		return strconv.FormatInt(int64(bits), 10)
	case keyUnsigned:
		return strconv.FormatUint(bits, 10)
	}
	return fmt.Sprint(math.Float64frombits(bits))
}
