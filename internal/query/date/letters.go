package date

import "bytes"

// field is one of what the letters of a pattern read.
type field uint8

const (
	yearOfEra     field = iota // y
	year                       // u
	era                        // G: 0 is BC, 1 AD
	quarter                    // Q, q
	month                      // M, L
	dayOfMonth                 // d
	dayOfYear                  // D
	weekday                    // E: 1 is Monday
	hour                       // H
	clockHour                  // k: 1 to 24
	halfHour                   // K: 0 to 11 of half a day
	clockHalfHour              // h: 1 to 12 of half a day
	half                       // a: 0 is AM, 1 PM
	minute                     // m
	second                     // s
	nano                       // S, n
	milliOfDay                 // A
	nanoOfDay                  // N
	fieldCount
)

// numbers is how java.time reads a run of a letter as a number: with least to most digits, and with a sign where signs
// says so. What else is read as a number stands in the fields table of compileLetter.
type numbers struct {
	field       field
	least, most int
	signs       signs
	// reserved digits at the end belong to numbers of fixed width that follow without a separator.
	reserved int
	base     int64 // of a year of two digits
	scale    int64 // of a fraction: what its last digit counts in nanoseconds
}

type signs uint8

const (
	unsigned  signs = iota // no sign
	minusOnly              // a minus
	exceeding              // a minus, and a plus where and only where there are more digits than least
)

// texts is a run of a letter that stands for one of some words, in the letter case that they are written in.
type texts struct {
	field field
	words []string
	first int64 // the first word's value
}

// compileLetter gives what a run of a letter reads. ok is false for what is not read: a letter of weeks, whose first day
// depends on the server's locale; names that depend on it as well; names of one letter, which are not unique; and
// what java.time refuses.
func compileLetter(letter byte, count int) (p part, ok bool) {
	plain := func(f field, width int) (part, bool) {
		switch {
		case count == 1:
			return part{number: &numbers{field: f, least: 1, most: 19, signs: minusOnly}}, true
		case count == 2 && width == 2:
			return part{number: &numbers{field: f, least: 2, most: 2}}, true
		}
		return part{}, false
	}
	named := func(f field, full []string, first int64) (part, bool) {
		switch {
		case count <= 2 && f != weekday:
			return plain(f, 2)
		case count <= 3:
			return part{text: &texts{field: f, words: shortened(full), first: first}}, true
		case count == 4:
			return part{text: &texts{field: f, words: full, first: first}}, true
		}
		return part{}, false
	}
	switch letter {
	case 'y', 'u':
		f := map[byte]field{'y': yearOfEra, 'u': year}[letter]
		switch {
		case count == 2:
			return part{number: &numbers{field: f, least: 2, most: 2, base: 2000}}, true
		case count < 4:
			return part{number: &numbers{field: f, least: count, most: 19, signs: minusOnly}}, true
		}
		return part{number: &numbers{field: f, least: count, most: 19, signs: exceeding}}, count <= 19
	case 'G':
		return part{text: &texts{field: era, words: []string{"BC", "AD"}}}, count <= 3
	case 'Q', 'q':
		if count == 3 {
			return part{text: &texts{field: quarter, words: []string{"Q1", "Q2", "Q3", "Q4"}, first: 1}}, true
		}
		return plain(quarter, 2)
	case 'M', 'L':
		return named(month, months(), 1)
	case 'E':
		return named(weekday, weekdays(), 1)
	case 'a':
		return part{text: &texts{field: half, words: []string{"AM", "PM"}}}, count == 1
	case 'D':
		if count == 1 {
			return plain(dayOfYear, 2)
		}
		return part{number: &numbers{field: dayOfYear, least: count, most: 3}}, count <= 3
	case 'd':
		return plain(dayOfMonth, 2)
	case 'H':
		return plain(hour, 2)
	case 'k':
		return plain(clockHour, 2)
	case 'K':
		return plain(halfHour, 2)
	case 'h':
		return plain(clockHalfHour, 2)
	case 'm':
		return plain(minute, 2)
	case 's':
		return plain(second, 2)
	case 'S':
		scale := int64(1e9)
		for range count {
			scale /= 10
		}
		return part{number: &numbers{field: nano, least: count, most: count, scale: scale}}, count <= 9
	case 'A', 'n', 'N':
		f := map[byte]field{'A': milliOfDay, 'n': nano, 'N': nanoOfDay}[letter]
		if count == 1 {
			return plain(f, 1)
		}
		return part{number: &numbers{field: f, least: count, most: count}}, count <= 19
	case 'X', 'x', 'Z', 'O', 'V', 'z':
		return compileZone(letter, count)
	}
	return part{}, false
}

// reserve tells each number how many digits at the end of a run belong to the numbers of fixed width behind it:
// "yyyyMMdd" reads "12020" of "120200203" as the year.
func reserve(parts []part) {
	var active *numbers
	for i := range parts {
		n := parts[i].number
		switch {
		case n == nil:
			active = nil
		case active != nil && n.least == n.most && n.signs == unsigned:
			active.reserved += n.most
		default:
			active = n
		}
	}
}

// number takes a number off the text.
func (s *scanner) number(n *numbers) (value int64, ok bool) {
	sign, text := byte(0), s.text
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		sign, text = text[0], text[1:]
		if n.signs == unsigned || n.signs == minusOnly && sign == '+' {
			return 0, false
		}
	}
	count, most := 0, n.most+n.reserved
	for count < most && count < len(text) && '0' <= text[count] && text[count] <= '9' {
		count++
	}
	if count < n.least {
		return 0, false
	}
	if n.reserved > 0 {
		count = max(n.least, count-n.reserved)
	}
	if n.signs == exceeding && sign != '-' && (sign == '+') != (count > n.least) {
		return 0, false
	}
	for _, c := range text[:count] {
		if value > 1e17 {
			return 0, false // of no field
		}
		value = value*10 + int64(c-'0')
	}
	if sign == '-' {
		if value == 0 {
			return 0, false
		}
		value = -value
	}
	s.text = text[count:]
	if n.scale != 0 {
		return value * n.scale, true
	}
	return n.base + value, true
}

// word takes the longest of the words that the text begins with.
func (s *scanner) word(t *texts) (value int64, ok bool) {
	longest := 0
	for i, word := range t.words {
		if len(word) > longest && bytes.HasPrefix(s.text, []byte(word)) {
			value, longest = t.first+int64(i), len(word)
		}
	}
	s.text = s.text[longest:]
	return value, longest > 0
}

func shortened(words []string) []string {
	short := make([]string, len(words))
	for i, word := range words {
		short[i] = word[:3]
	}
	return short
}

func months() []string {
	return []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
}

func weekdays() []string {
	return []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}
