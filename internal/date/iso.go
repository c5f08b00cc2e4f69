package date

// readISO takes ISO 8601 with all digits of each part, and a time of whatever precision: 2020,
// 2020-01, 2020-01-01T10, 2020-01-01T10:00:00,5+01:00.
func readISO(text []byte, up bool) (Instant, bool) { return readParts(text, up, false) }

// readISOSeconds takes a time only with its seconds, as date_nanos fields do.
func readISOSeconds(text []byte, up bool) (Instant, bool) { return readParts(text, up, true) }

// readPrinted takes what the server prints in the format [Printed]: a sign before years that have
// not four digits.
func readPrinted(text []byte, _ bool) (Instant, bool) {
	s := scanner{text: text}
	s.take('+')
	c := emptyCivil()
	if !s.date(&c, mostYearDigits) || !s.time(&c, true) || len(s.text) > 0 {
		return Instant{}, false
	}
	return c.instant(false)
}

// mostYearDigits are those of the largest year that java.time has.
const mostYearDigits = 9

func readParts(text []byte, up, seconds bool) (Instant, bool) {
	s := scanner{text: text}
	c := emptyCivil()
	if !s.date(&c, 4) {
		return Instant{}, false
	}
	if len(s.text) > 0 && (!s.time(&c, seconds) || len(s.text) > 0) {
		return Instant{}, false
	}
	return c.instant(up)
}

// scanner takes parts of a date off the front of a text.
type scanner struct{ text []byte }

// digits takes least to most digits.
func (s *scanner) digits(least, most int) (n int, ok bool) {
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

func (s *scanner) isDigit() bool {
	return len(s.text) > 0 && '0' <= s.text[0] && s.text[0] <= '9'
}

// date takes yyyy[-MM[-dd]], the year of up to so many digits and with a minus sign or none.
func (s *scanner) date(c *civil, yearDigits int) bool {
	negative := s.take('-')
	n, ok := s.digits(4, yearDigits)
	if !ok || s.isDigit() {
		return false
	}
	c.year = int64(n)
	if negative {
		c.year = -c.year
	}
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

// time takes T[HH[:mm[:ss[.fraction]]]][zone] after a date that has its month; with seconds, only a
// whole one.
func (s *scanner) time(c *civil, seconds bool) bool {
	if c.month == missing || !s.take('T') {
		return false
	}
	if len(s.text) == 0 {
		return !seconds
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
	if seconds && (c.second == missing || c.day == missing) {
		return false
	}
	return len(s.text) == 0 || s.zone(c)
}

// fraction takes least to most digits of a fraction of a second, as nanoseconds.
func (s *scanner) fraction(least, most int) (nanos int, ok bool) {
	before := len(s.text)
	nanos, ok = s.digits(least, most)
	for n := before - len(s.text); ok && n < 9; n++ {
		nanos *= 10
	}
	return nanos, ok && !s.isDigit()
}

// readEpoch returns the reader of numbers that count parts of a second since 1970, so many a
// second.
func readEpoch(perSecond int64) reader {
	return func(text []byte, up bool) (Instant, bool) {
		s := scanner{text: text}
		negative := s.take('-')
		whole := int64(0)
		if !s.isDigit() {
			return Instant{}, false
		}
		for s.isDigit() {
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
		case up:
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
