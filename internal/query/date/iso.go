package date

import "bytes"

// iso tells the readers of ISO 8601 apart.
type iso uint8

const (
	// isoStrict wants all digits of each part, and takes a time of whatever precision: 2020, 2020-01,
	// 2020-01-01T10, 2020-01-01T10:00:00,5+01:00.
	isoStrict iso = iota
	// isoSeconds takes a time only with its seconds, as date_nanos fields do.
	isoSeconds
	// isoLenient takes parts with fewer digits, and years with more.
	isoLenient
)

func (kind iso) read(text []byte, up bool) (Instant, bool) {
	s := scanner{text: text, strict: kind != isoLenient}
	c := emptyCivil()
	if !s.isoDate(&c) {
		return Instant{}, false
	}
	if len(s.text) > 0 && (!s.isoTime(&c, kind) || len(s.text) > 0) {
		return Instant{}, false
	}
	return c.instant(up)
}

// scanner takes parts of a date off the front of a text.
type scanner struct {
	text   []byte
	strict bool
}

// digits takes least to most digits.
func (s *scanner) digits(least, most int) (n int, ok bool) {
	if !s.strict {
		least = 1
	}
	count := 0
	for count < most && count < len(s.text) && '0' <= s.text[count] && s.text[count] <= '9' {
		n = n*10 + int(s.text[count]-'0')
		count++
	}
	if count < least {
		return 0, false
	}
	s.text = s.text[count:]
	return n, true
}

func (s *scanner) take(c byte) bool {
	if len(s.text) == 0 || s.text[0] != c {
		return false
	}
	s.text = s.text[1:]
	return true
}

func (s *scanner) isDigit(at int) bool {
	return at < len(s.text) && '0' <= s.text[at] && s.text[at] <= '9'
}

// year takes a year of four digits, or where not strict of up to nine, behind a minus sign or none.
func (s *scanner) year(c *civil) bool {
	negative := s.take('-')
	most := 4
	if !s.strict {
		most = 9
	}
	n, ok := s.digits(4, most)
	c.year, c.hasYear = int64(n), ok
	if negative {
		c.year = -c.year
	}
	return ok
}

// isoDate takes yyyy[-MM[-dd]].
func (s *scanner) isoDate(c *civil) bool {
	if !s.year(c) || s.isDigit(0) {
		return false
	}
	var ok bool
	if !s.take('-') {
		return true
	}
	if c.month, ok = s.digits(2, 2); !ok {
		return false
	}
	if !s.take('-') {
		return true
	}
	c.day, ok = s.digits(2, 2)
	return ok
}

// isoTime takes T[HH[:mm[:ss[.fraction]]]][zone] behind a date that has its month.
func (s *scanner) isoTime(c *civil, kind iso) bool {
	if c.month == missing || !s.take('T') {
		return false
	}
	if len(s.text) == 0 {
		return kind != isoSeconds
	}
	var ok bool
	if c.hour, ok = s.digits(2, 2); !ok {
		return false
	}
	if s.take(':') {
		if c.minute, ok = s.digits(2, 2); !ok {
			return false
		}
		if s.take(':') {
			if c.second, ok = s.digits(2, 2); !ok {
				return false
			}
			if s.take('.') || s.take(',') {
				if c.nanos, ok = s.fraction(1, 9); !ok {
					return false
				}
			}
		}
	}
	if kind == isoSeconds && (c.second == missing || c.day == missing) {
		return false
	}
	return len(s.text) == 0 || s.isoZone(c)
}

// fraction takes least to most digits of a fraction of a second, as nanoseconds.
func (s *scanner) fraction(least, most int) (nanos int, ok bool) {
	before := len(s.text)
	strict := s.strict
	s.strict = true
	nanos, ok = s.digits(least, most)
	s.strict = strict
	for n := before - len(s.text); ok && n < 9; n++ {
		nanos *= 10
	}
	return nanos, ok && !s.isDigit(0)
}

// isoZone takes what [scanner.zone] takes, and offsets of every form: +HH, +HHmm, +HH:mm, +HH:mm:ss; where strict, behind
// UTC too, and with one digit for the hour.
func (s *scanner) isoZone(c *civil) bool {
	if len(s.text) > 0 && (s.text[0] == '+' || s.text[0] == '-') {
		return s.offset(c)
	}
	universal := *s
	for _, name := range universalNames() {
		if s.strict && bytes.HasPrefix(s.text, []byte(name)) {
			universal.text = s.text[len(name):]
			break
		}
	}
	if n := len(universal.text); n == len(s.text) || n == 0 || universal.text[0] != '+' && universal.text[0] != '-' {
		return s.zone(c)
	}
	if universal.isDigit(1) && len(universal.text) == 2 {
		universal.text = []byte{universal.text[0], '0', universal.text[1]}
	}
	ok := universal.offset(c)
	s.text = universal.text
	return ok
}

// sign takes the sign that an offset begins with.
func (s *scanner) sign() (sign int, ok bool) {
	switch {
	case s.take('+'):
		return 1, true
	case s.take('-'):
		return -1, true
	}
	return 0, false
}

func (s *scanner) offset(c *civil) bool {
	sign, ok := s.sign()
	if !ok {
		return false
	}
	strict := s.strict
	s.strict = true
	defer func() { s.strict = strict }()
	hours, ok := s.digits(2, 2)
	if !ok {
		return false
	}
	seconds := hours * 3600
	for _, unit := range [...]int{60, 1} {
		colon := s.take(':')
		if !colon && !s.isDigit(0) {
			break
		}
		n, ok := s.digits(2, 2)
		if !ok || n > 59 {
			return false
		}
		seconds += n * unit
	}
	if seconds > 18*3600 {
		return false
	}
	c.offset = sign * seconds
	return true
}

// readEpoch gives the reader of numbers that count parts of a second since 1970, so many a second.
func readEpoch(perSecond int64) reader {
	return func(text []byte, up bool) (Instant, bool) {
		s := scanner{text: text, strict: true}
		negative := s.take('-')
		whole := int64(0)
		if !s.isDigit(0) {
			return Instant{}, false
		}
		for s.isDigit(0) {
			if whole > 1e17 {
				return Instant{}, false
			}
			whole = whole*10 + int64(s.text[0]-'0')
			s.text = s.text[1:]
		}
		unit := int64(1e9) / perSecond // nanoseconds
		nanos, fraction := int64(0), s.take('.')
		switch {
		case fraction:
			most := 9
			if perSecond == 1e3 {
				most = 6
			}
			n, ok := s.fraction(0, most)
			if !ok {
				return Instant{}, false
			}
			nanos = int64(n) / perSecond
		case up && perSecond == 1e3:
			nanos = unit - 1
		}
		if len(s.text) > 0 {
			return Instant{}, false
		}
		if negative {
			whole = -whole
			if fraction {
				nanos = -nanos
			}
		}
		seconds := floorDiv(whole, perSecond)
		nanos += (whole - seconds*perSecond) * unit
		if nanos < 0 {
			seconds--
			nanos += 1e9
		}
		return Instant{Seconds: seconds, Nanos: int32(nanos)}, true
	}
}
