package date

import (
	"bytes"
	"path"
	"strings"
	"time"
	_ "time/tzdata" // zones are read the same on a machine that has none
)

// zoneForm is how a zone is written in a pattern.
type zoneForm struct {
	offset offsetForm
	utc    string // another text for no offset: "Z", or empty
	// localized is "GMT" before the offset, which may be missing; short, without a zero before the hour.
	localized, short bool
	// named is a zone's name, "UTC" with an offset, or an offset alone.
	named bool
}

// offsetForm is how an offset is written.
type offsetForm struct {
	colon bool
	// minutes and seconds are 0 where they cannot stand, 1 where they may, 2 where they must.
	minutes, seconds uint8
	// loose: they may be more than 59, as java.time has it behind GMT.
	loose bool
}

func compileZone(letter byte, count int) (part, bool) {
	forms := []offsetForm{{minutes: 1}, {minutes: 2}, {colon: true, minutes: 2}, {minutes: 2, seconds: 1}, {colon: true, minutes: 2, seconds: 1}}
	z := &zoneForm{}
	switch {
	case letter == 'X' && count <= 5:
		z.offset, z.utc = forms[count-1], "Z"
	case letter == 'x' && count <= 5:
		z.offset = forms[count-1]
	case letter == 'Z' && count <= 3:
		z.offset = forms[1]
	case letter == 'Z' && count == 5:
		z.offset, z.utc = forms[4], "Z"
	case letter == 'O' && (count == 1 || count == 4), letter == 'Z' && count == 4:
		z.offset, z.localized, z.short = offsetForm{colon: true, minutes: 2, seconds: 1, loose: true}, true, count == 1
	case letter == 'V' && count == 2, letter == 'z' && count <= 3:
		z.named = true
	default:
		return part{}, false
	}
	return part{zone: z}, true
}

func (s *scanner) zoneForm(z *zoneForm, f *fields) bool {
	var c civil
	ok := true
	switch {
	case z.named:
		ok = s.zone(&c)
	case z.localized:
		ok = s.localized(z, &c)
	case z.utc != "" && bytes.HasPrefix(s.text, []byte(z.utc)):
		s.text = s.text[len(z.utc):]
	default:
		ok = s.formedOffset(z.offset, &c)
	}
	if f.zoned && (f.offset != c.offset || f.zone != c.zone) {
		return false
	}
	f.zoned, f.zone, f.offset = true, c.zone, c.offset
	return ok
}

// localized takes GMT, alone or with an offset.
func (s *scanner) localized(z *zoneForm, c *civil) bool {
	if !bytes.HasPrefix(s.text, []byte("GMT")) {
		return false
	}
	s.text = s.text[len("GMT"):]
	if len(s.text) == 0 || s.text[0] != '+' && s.text[0] != '-' {
		return true
	}
	if !z.short {
		return s.formedOffset(z.offset, c)
	}
	if s.isDigit(1) && !s.isDigit(2) { // one digit for the hour
		s.text = append([]byte{s.text[0], '0'}, s.text[1:]...)
	}
	return s.formedOffset(offsetForm{colon: true, minutes: 1, seconds: 1, loose: true}, c)
}

// formedOffset takes an offset in one form alone.
func (s *scanner) formedOffset(form offsetForm, c *civil) bool {
	sign, ok := s.sign()
	if !ok {
		return false
	}
	n, ok := s.two(false)
	if !ok {
		return false
	}
	seconds := n * 3600
	for i, may := range [...]uint8{form.minutes, form.seconds} {
		if may == 0 {
			break
		}
		n, ok := s.two(form.colon)
		if !ok && may == 2 {
			return false
		}
		if !ok {
			break
		}
		if n > 59 && !form.loose {
			return false
		}
		seconds += n * [...]int{60, 1}[i]
	}
	c.offset = sign * seconds
	return seconds <= 18*3600
}

// two takes two digits, behind a colon where there has to be one, or nothing.
func (s *scanner) two(colon bool) (int, bool) {
	at := 0
	if colon {
		at = 1
		if len(s.text) == 0 || s.text[0] != ':' {
			return 0, false
		}
	}
	if !s.isDigit(at) || !s.isDigit(at+1) {
		return 0, false
	}
	n := int(s.text[at]-'0')*10 + int(s.text[at+1]-'0')
	s.text = s.text[at+2:]
	return n, true
}

// zone takes Z, an offset with a colon (+HH:mm, +HH:mm:ss), UTC, GMT or UT, alone or with such an offset, or the name of a
// zone such as Europe/Paris. Abbreviations such as PST are not read: what they mean depends on the server's locale.
func (s *scanner) zone(c *civil) bool {
	if s.take('Z') {
		return true
	}
	full := offsetForm{colon: true, minutes: 2, seconds: 1}
	if len(s.text) > 0 && (s.text[0] == '+' || s.text[0] == '-') {
		return s.formedOffset(full, c)
	}
	for _, name := range universalNames() {
		if !bytes.HasPrefix(s.text, []byte(name)) {
			continue
		}
		s.text = s.text[len(name):]
		if len(s.text) > 0 && (s.text[0] == '+' || s.text[0] == '-') {
			return s.formedOffset(full, c)
		}
		return true
	}
	return s.region(c)
}

// universalNames are those of the zone without an offset.
func universalNames() [3]string { return [...]string{"UTC", "GMT", "UT"} }

// region takes a zone's name: words between slashes, at least two, so that it is no abbreviation.
func (s *scanner) region(c *civil) bool {
	end := 0
	for end < len(s.text) && end < 50 && isZoneLetter(s.text[end]) {
		end++
	}
	name := string(s.text[:end])
	first, _, found := strings.Cut(name, "/")
	if !found || first == "" || first == "posix" || first == "right" || path.Clean(name) != name {
		return false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return false
	}
	c.zone, s.text = zone, s.text[end:]
	return true
}

func isZoneLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '/' || c == '_' || c == '-' || c == '+'
}

// offsetIn gives a zone's offset at a local time, given as seconds since 1970 as if in UTC. Of a time that there is
// twice it is the earlier one; one that the clocks leave out is as far behind the change as it is written.
func offsetIn(zone *time.Location, local int64) int {
	const day = 86400
	offset := func(at int64) int64 { _, n := time.Unix(at, 0).In(zone).Zone(); return int64(n) }
	before, after := offset(local-day), offset(local+day)
	if offset(local-before) != before && offset(local-after) == after {
		return int(after)
	}
	return int(before)
}
