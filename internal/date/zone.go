package date

import (
	"bytes"
	"path"
	"strings"
	"time"
	_ "time/tzdata" // zones are read the same on a machine that has none
)

// zone takes Z, an offset (+HH, +HHmm, +HH:mm, +HH:mm:ss), UTC, GMT or UT, alone or with one of
// these, there with one digit for the hour too, or the name of a zone such as Europe/Paris.
func (s *scanner) zone(c *civil) bool {
	if s.take('Z') {
		return true
	}
	if s.atSign() {
		return s.offset(c)
	}
	for _, name := range [...]string{"UTC", "GMT", "UT"} {
		rest, found := bytes.CutPrefix(s.text, []byte(name))
		if !found || len(rest) > 0 && !bytes.ContainsRune([]byte("+-Z"), rune(rest[0])) {
			continue
		}
		if s.text = rest; len(rest) == 2 && rest[0] != 'Z' {
			s.text = []byte{rest[0], '0', rest[1]}
		}
		return len(s.text) == 0 || s.take('Z') || s.offset(c)
	}
	return s.region(c)
}

func (s *scanner) atSign() bool { return len(s.text) > 0 && (s.text[0] == '+' || s.text[0] == '-') }

// offset takes an offset in whatever form.
func (s *scanner) offset(c *civil) bool {
	negative := s.text[0] == '-'
	s.text = s.text[1:]
	hours, ok := s.digits(2, 2)
	if !ok {
		return false
	}
	seconds := hours * 3600
	colons := len(s.text) > 0 && s.text[0] == ':' // before both, or before neither
	for _, unit := range [...]int{60, 1} {
		if colon := s.take(':'); colon != colons || !colon && !s.isDigit() {
			break
		}
		n, ok := s.digits(2, 2)
		if !ok || n > 59 {
			return false
		}
		seconds += n * unit
	}
	if c.offset = seconds; negative {
		c.offset = -seconds
	}
	return seconds <= 18*3600
}

// region takes a zone's name as java.time has it: Europe/Paris, CET, GB.
func (s *scanner) region(c *civil) bool {
	end := 0
	for end < len(s.text) && end < 50 && isZoneLetter(s.text[end]) {
		end++
	}
	name := string(s.text[:end])
	first, _, _ := strings.Cut(name, "/")
	if first == "" || first == "posix" || first == "right" || path.Clean(name) != name ||
		isForeign(name) {
		return false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return false
	}
	c.zone, s.text = zone, s.text[end:]
	return true
}

// isForeign reports whether a name is a zone to Go and none to java.time.
func isForeign(name string) bool {
	switch name {
	case "Local", "localtime", "posixrules", "Factory", "EST", "MST", "HST", "ROC":
		return true
	}
	return false
}

func isZoneLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '/' ||
		c == '_' || c == '-' || c == '+'
}

// offsetIn gives a zone's offset at a local time, given as seconds since 1970 as if in UTC. Of a
// time that there is twice it is the earlier one; one that the clocks leave out is as far behind
// the change as it is written.
func offsetIn(zone *time.Location, local int64) int {
	const day = 86400
	offset := func(at int64) int64 { _, n := time.Unix(at, 0).In(zone).Zone(); return int64(n) }
	before, after := offset(local-day), offset(local+day)
	if offset(local-before) != before && offset(local-after) == after {
		return int(after)
	}
	return int(before)
}
