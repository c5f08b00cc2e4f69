package match

import (
	"bytes"
	"net/netip"
	"sync/atomic"

	"esrule/internal/ascii"
	"esrule/internal/date"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// constant is a constant of a rule, ready to be compared with a value of whatever kind the event's
// mapping gives the field: the other side decides (eql.md §10, "Types").
type constant struct {
	kind  event.Kind // KindText, a number, KindBoolean or KindNull
	text  []byte
	lower []byte

	number event.Value
	// number, but that -0.0 and NaN are 0, as they are to a field of whole numbers
	signless  event.Value
	isNumber  bool
	boolean   bool
	isBoolean bool
	network   network
	isNetwork bool
	dates     *dateConstant
	isDate    bool // it can hardly be meant as anything else
	normal    *byNormalizer[*constant]
}

// literalValue is a literal as a value.
func literalValue(l *cond.Literal) event.Value {
	switch l.Kind {
	case cond.String:
		return event.Value{Kind: event.KindText, Text: []byte(l.Text)}
	case cond.Int:
		return event.Value{Kind: event.KindInteger, Integer: l.Int}
	case cond.Uint:
		return event.Value{Kind: event.KindUnsigned, Integer: int64(l.Uint)}
	case cond.Float:
		return event.Value{Kind: event.KindFloat, Float: l.Float}
	case cond.Bool:
		return event.Value{Kind: event.KindBoolean, Boolean: l.Bool}
	case cond.Null:
	}
	return event.Value{}
}

func newConstant(v event.Value) *constant {
	c := &constant{kind: v.Kind, text: appendText(nil, &v), normal: &byNormalizer[*constant]{}}
	switch v.Kind {
	case event.KindText:
		c.number, c.isNumber = event.Number(c.text)
		c.boolean, c.isBoolean = string(c.text) == "true", string(c.text) == "true" ||
			string(c.text) == "false"
		c.network, c.isNetwork = parseNetwork(c.text)
		c.isDate = isDate(string(c.text))
	case event.KindInteger, event.KindUnsigned, event.KindFloat:
		c.number, c.isNumber = v, true
	case event.KindBoolean:
		c.boolean, c.isBoolean = v.Boolean, true
	case event.KindNull, event.KindUntyped, event.KindDate, event.KindDateNanos, event.KindAddress,
		event.KindVersion:
	}
	c.signless = c.number
	if f := c.number.Float; c.number.Kind == event.KindFloat && (f == 0 || f != f) {
		c.signless.Float = 0
	}
	c.dates = &dateConstant{text: string(c.text), isNumber: v.Kind != event.KindText}
	c.lower = ascii.AppendLower(nil, c.text)
	return c
}

// under returns the constant as a field with a normalizer has it.
func (c *constant) under(n *event.Normalizer) *constant {
	if n == nil {
		return c
	}
	return c.normal.get(n, func() *constant {
		normalized := *c
		normalized.text = []byte(n.Constant(string(c.text)))
		normalized.lower = ascii.AppendLower(nil, normalized.text)
		return &normalized
	})
}

func (c *constant) isNull() bool { return c.kind == event.KindNull }

// place gives where v stands against the constant, which may be a range (a day, a network): v
// compared with its first and with its last point. ok is false where the two cannot be compared.
func (c *constant) place(e *Evaluation, v *event.Value, equality bool) (first, last int, ok bool) {
	var n int
	switch v.Kind {
	case event.KindText:
		if v.IsComputed() {
			n, ok = compareUTF16(v.Text, c.text), c.kind == event.KindText
		} else {
			n, ok = bytes.Compare(v.Text, c.under(v.Normalizer()).text), true
		}
	case event.KindUntyped:
		if typed, isTyped := c.typed(v); isTyped {
			return c.place(e, &typed, equality)
		}
		n, ok = c.placeUntyped(v)
	case event.KindInteger, event.KindUnsigned:
		if ok = c.comparesAsNumber(v); ok {
			with := &c.signless
			if v.IsComputed() || equality && c.number.Float != c.number.Float {
				with = &c.number
			}
			n = compareNumbers(v, with)
		}
	case event.KindFloat:
		if ok = c.comparesAsNumber(v); ok {
			n = c.placeFloat(v, equality)
		}
	case event.KindBoolean:
		ok = c.isBoolean && (c.kind == event.KindBoolean || !v.IsComputed())
		n = compareBooleans(v.Boolean, c.boolean)
	case event.KindDate, event.KindDateNanos:
		return c.dates.place(e, v)
	case event.KindAddress:
		if c.isNetwork {
			a := netip.AddrFrom16(v.Address.As16())
			return a.Compare(c.network.first), a.Compare(c.network.last), true
		}
	case event.KindVersion:
		n, ok = event.CompareVersions(v.Text, c.text), true
	case event.KindNull:
	}
	return n, n, ok
}

// comparesAsNumber: a number field takes a text that is a number, the result of a function does
// not.
func (c *constant) comparesAsNumber(v *event.Value) bool {
	return c.isNumber && (c.kind != event.KindText || !v.IsComputed())
}

// placeFloat compares with the constant as the field's type would hold it.
func (c *constant) placeFloat(v *event.Value, equality bool) int {
	if v.IsComputed() {
		return compareNumbers(v, &c.number)
	}
	f := toFloat(&c.number)
	if equality {
		return compareFloats(v.Float, v.RoundEqual(f))
	}
	return compareFloats(v.Float, v.RoundOrder(f))
}

// equals is `value == constant`.
func (c *constant) equals(e *Evaluation, v *event.Value) bool {
	_, isTyped := c.typed(v)
	if v.IsPlainText() && !isTyped && (v.Kind == event.KindText || c.kind == event.KindText) {
		return bytes.Equal(v.Text, c.text)
	}
	first, last, ok := c.place(e, v, true)
	return ok && first >= 0 && last <= 0
}

// equalsFolded is `value : constant` and `value in~ (constant)`, for a constant without wildcards.
func (c *constant) equalsFolded(e *Evaluation, v *event.Value) bool {
	if v.IsPlainText() {
		return len(v.Text) == len(c.lower) && bytes.Equal(e.Lower(v), c.lower)
	}
	return ascii.EqualLower(textOf(e, v), c.under(v.Normalizer()).lower)
}

// network is a block of addresses, as v6: a v4 address is of the block ::ffff:0:0/96.
type network struct{ first, last netip.Addr }

// parseNetwork reads an address or a CIDR block, in which bits behind the prefix make no
// difference.
func parseNetwork(text []byte) (network, bool) {
	address, bits, isBlock := bytes.Cut(text, []byte("/"))
	a, ok := event.ParseAddress(address)
	if !ok {
		return network{}, false
	}
	if !isBlock {
		a = netip.AddrFrom16(a.As16())
		return network{a, a}, true
	}
	length, ok := prefixLength(bits)
	if !ok || length > 128 || !bytes.Contains(address, []byte(":")) && length > 32 {
		return network{}, false
	}
	if !bytes.Contains(address, []byte(":")) {
		length += 96
	}
	low, high := a.As16(), a.As16()
	for i := range low {
		kept := min(max(length-8*i, 0), 8)
		mask := byte(0xff >> kept)
		low[i] &^= mask
		high[i] |= mask
	}
	return network{netip.AddrFrom16(low), netip.AddrFrom16(high)}, true
}

func (n network) contains(a netip.Addr) bool {
	a = netip.AddrFrom16(a.As16())
	return n.first.Compare(a) <= 0 && a.Compare(n.last) <= 0
}

func prefixLength(digits []byte) (int, bool) {
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' || n > 128 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(digits) > 0
}

// dateConstant is a constant that is compared with dates. What it stands for depends on the formats
// of the field, which differ from index to index, and where it is relative on the run's now; the
// last is kept.
type dateConstant struct {
	text     string
	isNumber bool
	kept     atomic.Pointer[period]
}

type period struct {
	format   event.DateKey
	now      int64
	relative bool
	from, to date.Instant
	ok       bool
}

func (d *dateConstant) place(e *Evaluation, v *event.Value) (first, last int, ok bool) {
	p := d.resolve(e, v)
	if !p.ok {
		return 0, 0, false
	}
	if v.Kind == event.KindDateNanos {
		return compareIntegers(v.Integer, p.from.UnixNano()), compareIntegers(v.Integer,
			p.to.UnixNano()), true
	}
	return compareIntegers(v.Integer, p.from.Millis()), compareIntegers(v.Integer, p.to.Millis()),
		true
}

func (d *dateConstant) resolve(e *Evaluation, v *event.Value) *period {
	p := d.kept.Load()
	if p != nil && p.format == v.DateKey() && (!p.relative || p.now == e.now.UnixNano()) {
		return p
	}
	p = &period{format: v.DateKey(), now: e.now.UnixNano()}
	if d.isNumber {
		p.from, p.to, p.ok = date.Number(d.text)
	} else {
		p.from, p.to, p.relative, p.ok = v.Dates().Range(d.text, e.now)
	}
	d.kept.Store(p)
	return p
}
