package date

import "strings"

// pattern is a date pattern as java.time writes them, compiled: "yyyy/MM/dd HH:mm:ss[.SSS][ XXX]".
type pattern struct {
	parts  []part
	strict bool
}

// part is one element of a pattern: a run of a letter, a literal text, or an optional section.
type part struct {
	letter   byte // 0 for a literal or a section
	count    int
	literal  string
	optional []part
}

// letters that are understood; "f" is ours, see [named].
const letters = "yuMLdDHhaKkmsSnXxZzVOEef"

// compilePattern is not ok for a pattern with letters that are not understood (weeks, eras, quarters).
func compilePattern(text string, strict bool) (*pattern, bool) {
	parts, rest, ok := compileParts(text, false, 0)
	if !ok || rest != "" || len(parts) == 0 {
		return nil, false
	}
	return &pattern{parts: parts, strict: strict}, true
}

func compileParts(text string, section bool, depth int) (parts []part, rest string, ok bool) {
	if depth > 20 {
		return nil, "", false
	}
	for text != "" {
		c := text[0]
		switch {
		case c == '\'':
			literal, after, closed := strings.Cut(text[1:], "'")
			if !closed {
				return nil, "", false
			}
			if literal == "" {
				literal = "'"
			}
			parts = append(parts, part{literal: literal})
			text = after
		case c == '[':
			inner, after, ok := compileParts(text[1:], true, depth+1)
			if !ok {
				return nil, "", false
			}
			parts = append(parts, part{optional: inner})
			text = after
		case c == ']':
			return parts, text[1:], section
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			n := len(text) - len(strings.TrimLeft(text, text[:1]))
			if !strings.Contains(letters, text[:1]) {
				return nil, "", false
			}
			parts = append(parts, part{letter: c, count: n})
			text = text[n:]
		case c == '{' || c == '}' || c == '#':
			return nil, "", false
		default:
			parts = append(parts, part{literal: text[:1]})
			text = text[1:]
		}
	}
	return parts, "", !section
}

// fields are what a pattern reads beside the parts of a [civil].
type fields struct {
	civil
	ofYear int
	half   int // of a day of 12 hours: 0, 1, or missing
	twelve int // hour of half a day, or missing
}

func (p *pattern) read(text []byte, up bool) (Instant, bool) {
	s := scanner{text: text, strict: p.strict}
	f := fields{civil: emptyCivil(), half: missing, twelve: missing, ofYear: missing}
	if !s.parts(p.parts, &f) || len(s.text) > 0 {
		return Instant{}, false
	}
	if f.twelve != missing {
		if f.twelve > 12 || f.half == missing {
			return Instant{}, false
		}
		f.hour = f.twelve%12 + 12*f.half
	}
	if f.ofYear != missing {
		if f.ofYear < 1 || f.ofYear > 366 || f.ofYear == 366 && !isLeap(f.year) {
			return Instant{}, false
		}
		for f.month, f.day = 1, f.ofYear; f.day > daysIn(f.year, f.month); f.month++ {
			f.day -= daysIn(f.year, f.month)
		}
	}
	return f.instant(up)
}

func (s *scanner) parts(list []part, f *fields) bool {
	for i := range list {
		p := &list[i]
		switch {
		case p.optional != nil:
			before, values := *s, *f
			if !s.parts(p.optional, f) {
				*s, *f = before, values
			}
		case p.letter == 0:
			if len(s.text) < len(p.literal) || string(s.text[:len(p.literal)]) != p.literal {
				return false
			}
			s.text = s.text[len(p.literal):]
		default:
			adjacent := i+1 < len(list) && list[i+1].letter != 0
			if !s.letter(p.letter, p.count, adjacent, f) {
				return false
			}
		}
	}
	return true
}

// letter takes what a run of a letter stands for. Next to another number, a number has as many digits as its
// run has letters.
func (s *scanner) letter(letter byte, count int, adjacent bool, f *fields) bool {
	number := func(into *int) bool {
		most := 2
		if adjacent || count > 2 {
			most = count
		}
		var ok bool
		*into, ok = s.digits(count, most)
		return ok
	}
	switch letter {
	case 'y', 'u':
		return s.patternYear(count, f)
	case 'M', 'L':
		if count > 2 {
			return s.name(months(), &f.month)
		}
		return number(&f.month)
	case 'd':
		return number(&f.day)
	case 'D':
		var ok bool
		f.ofYear, ok = s.digits(count, 3)
		return ok
	case 'H':
		return number(&f.hour)
	case 'k':
		ok := number(&f.hour)
		f.hour %= 24
		return ok
	case 'h', 'K':
		return number(&f.twelve)
	case 'a':
		ok := s.name([]string{"AM", "PM"}, &f.half)
		f.half--
		return ok
	case 'm':
		return number(&f.minute)
	case 's':
		return number(&f.second)
	case 'S':
		var ok bool
		f.nanos, ok = s.fraction(count, count)
		return ok
	case 'n':
		var ok bool
		f.nanos, ok = s.digits(1, 9)
		return ok
	case 'f':
		var ok bool
		if !s.take('.') {
			return false
		}
		f.nanos, ok = s.fraction(1, 9)
		return ok
	case 'E', 'e':
		var ignored int
		return s.name(weekdays(), &ignored)
	case 'X', 'Z', 'z', 'V', 'O':
		return s.zone(&f.civil)
	case 'x':
		return s.offset(&f.civil)
	}
	return false
}

func (s *scanner) patternYear(count int, f *fields) bool {
	if count != 2 {
		return s.year(&f.civil)
	}
	n, ok := s.digits(2, 2)
	f.year, f.hasYear = int64(2000+n), ok
	return ok
}

// name takes one of the names, whole or its first three letters, in any letter case; into counts from 1.
func (s *scanner) name(names []string, into *int) bool {
	for i, name := range names {
		for _, n := range [...]int{len(name), min(3, len(name))} {
			if len(s.text) >= n && strings.EqualFold(string(s.text[:n]), name[:n]) {
				s.text = s.text[n:]
				*into = i + 1
				return true
			}
		}
	}
	return false
}

func months() []string {
	return []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
}

func weekdays() []string {
	return []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}
