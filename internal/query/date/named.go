package date

import (
	"bytes"
	"strings"
)

// named compiles one of Elasticsearch's names for a format.
func named(name string) (*namedPattern, bool) {
	rest, strict := strings.CutPrefix(name, "strict_")
	pattern, ok := patternOf(rest)
	// Digits without separators can only be told apart by their number.
	n := &namedPattern{strict: strict || strings.HasPrefix(rest, "basic_"), lenientWeekYear: !strict}
	for pattern != "" {
		c := pattern[0]
		if c == '\'' {
			literal, after, _ := strings.Cut(pattern[1:], "'")
			n.parts, pattern = append(n.parts, namedPart{literal: literal}), after
			continue
		}
		count := len(pattern) - len(strings.TrimLeft(pattern, pattern[:1]))
		p := namedPart{letter: c, count: count}
		if c < 'A' {
			p = namedPart{literal: pattern[:count]}
		}
		n.parts, pattern = append(n.parts, p), pattern[count:]
	}
	return n, ok
}

// patternOf gives the pattern behind a name. The letters are java.time's, but that f is a point and one to nine digits, Z
// any zone, and Y, w and E the year, week and day of ISO 8601: YYYY has four digits at least, and with e a 53rd week is the
// last where the year has no other.
func patternOf(name string) (pattern string, ok bool) {
	patterns := map[string]string{
		"weekyear":                          "Y",
		"weekyear_week":                     "Y-'W'w",
		"weekyear_week_day":                 "Y-'W'w-e",
		"week_date":                         "YYYY-'W'ww-E",
		"week_date_time":                    "YYYY-'W'ww-E'T'HH:mm:ssfZ",
		"week_date_time_no_millis":          "YYYY-'W'ww-E'T'HH:mm:ssZ",
		"basic_week_date":                   "Y'W'wwE",
		"basic_week_date_time":              "Y'W'wwE'T'HHmmssfZ",
		"basic_week_date_time_no_millis":    "Y'W'wwE'T'HHmmssZ",
		"year":                              "yyyy",
		"year_month":                        "yyyy-MM",
		"year_month_day":                    "yyyy-MM-dd",
		"date":                              "yyyy-MM-dd",
		"date_hour":                         "yyyy-MM-dd'T'HH",
		"date_hour_minute":                  "yyyy-MM-dd'T'HH:mm",
		"date_hour_minute_second":           "yyyy-MM-dd'T'HH:mm:ss",
		"date_hour_minute_second_fraction":  "yyyy-MM-dd'T'HH:mm:ssf",
		"date_hour_minute_second_millis":    "yyyy-MM-dd'T'HH:mm:ssf",
		"date_time":                         "yyyy-MM-dd'T'HH:mm:ssfZ",
		"date_time_no_millis":               "yyyy-MM-dd'T'HH:mm:ssZ",
		"hour":                              "HH",
		"hour_minute":                       "HH:mm",
		"hour_minute_second":                "HH:mm:ss",
		"hour_minute_second_fraction":       "HH:mm:ssf",
		"hour_minute_second_millis":         "HH:mm:ssf",
		"time":                              "HH:mm:ssfZ",
		"time_no_millis":                    "HH:mm:ssZ",
		"t_time":                            "'T'HH:mm:ssfZ",
		"t_time_no_millis":                  "'T'HH:mm:ssZ",
		"ordinal_date":                      "yyyy-DDD",
		"ordinal_date_time":                 "yyyy-DDD'T'HH:mm:ssfZ",
		"ordinal_date_time_no_millis":       "yyyy-DDD'T'HH:mm:ssZ",
		"basic_date":                        "yyyyMMdd",
		"basic_date_time":                   "yyyyMMdd'T'HHmmssfZ",
		"basic_date_time_no_millis":         "yyyyMMdd'T'HHmmssZ",
		"basic_time":                        "HHmmssfZ",
		"basic_time_no_millis":              "HHmmssZ",
		"basic_t_time":                      "'T'HHmmssfZ",
		"basic_t_time_no_millis":            "'T'HHmmssZ",
		"basic_ordinal_date":                "yyyyDDD",
		"basic_ordinal_date_time":           "yyyyDDD'T'HHmmssfZ",
		"basic_ordinal_date_time_no_millis": "yyyyDDD'T'HHmmssZ",
	}
	pattern, ok = patterns[name]
	return pattern, ok
}

// namedPattern is the pattern of a name, compiled. Unlike patterns of a mapping's own it takes numbers of fewer
// digits, unless it is strict.
type namedPattern struct {
	parts                   []namedPart
	strict, lenientWeekYear bool
}

// namedPart is a run of a letter, or a literal text.
type namedPart struct {
	letter  byte
	count   int
	literal string
}

// weeks are a year of weeks and what is read of it; 0 is not read.
type weeks struct {
	year      int64
	hasYear   bool
	week, day int
	clipped   bool // a week that the year does not have is its last
}

func (p *namedPattern) read(text []byte, up bool) (Instant, bool) {
	s := scanner{text: text, strict: p.strict}
	c, w, ofYear := emptyCivil(), weeks{}, missing
	for _, part := range p.parts {
		ok := true
		switch part.letter {
		case 0:
			if ok = bytes.HasPrefix(s.text, []byte(part.literal)); ok {
				s.text = s.text[len(part.literal):]
			}
		case 'Y':
			n := numbers{least: 4, most: 9, signs: exceeding}
			if p.lenientWeekYear && part.count == 1 {
				n = numbers{least: 1, most: 9, signs: minusOnly}
			}
			w.year, ok = s.number(&n)
			w.hasYear = true
		case 'w':
			most := 2
			if !p.strict && part.count == 1 {
				most = 9
			}
			w.week, ok = s.digits(2, most)
			ok = ok && w.week > 0
		case 'e', 'E':
			most := 1
			if part.letter == 'e' {
				most = 9
			}
			w.day, ok = s.digits(1, most)
			ok, w.clipped = ok && w.day > 0, part.letter == 'e'
		case 'D':
			ofYear, ok = s.digits(part.count, 3)
		default:
			ok = s.namedLetter(part, &c)
		}
		if !ok {
			return Instant{}, false
		}
	}
	if len(s.text) > 0 || w.hasYear && !w.into(&c) {
		return Instant{}, false
	}
	if ofYear != missing {
		if ofYear < 1 || ofYear > 366 || ofYear == 366 && !isLeap(c.year) {
			return Instant{}, false
		}
		c.setDayOfYear(ofYear)
	}
	return c.instant(up)
}

func (s *scanner) namedLetter(p namedPart, c *civil) (ok bool) {
	switch p.letter {
	case 'y':
		return s.year(c)
	case 'M':
		c.month, ok = s.digits(p.count, p.count)
	case 'd':
		c.day, ok = s.digits(p.count, p.count)
	case 'H':
		c.hour, ok = s.digits(p.count, p.count)
	case 'm':
		c.minute, ok = s.digits(p.count, p.count)
	case 's':
		c.second, ok = s.digits(p.count, p.count)
	case 'f':
		if s.take('.') {
			c.nanos, ok = s.fraction(1, 9)
		}
	case 'Z':
		return s.isoZone(c)
	}
	return ok
}

// into sets the date: weeks begin on Monday, and the first is that of 4 January.
func (w *weeks) into(c *civil) bool {
	start := func(year int64) int64 { // of the year's first week
		fourth := daysSince1970(year, 1, 4)
		return fourth - ((fourth+3)%7+7)%7
	}
	day := start(w.year)
	if w.week > 0 {
		day += int64(w.week-1) * 7
	}
	if w.week > 53 || w.day > 7 {
		return false
	}
	if w.day > 0 {
		if day >= start(w.year+1) {
			if !w.clipped {
				return false
			}
			day -= 7
		}
		day += int64(w.day - 1)
	}
	c.setDay(day)
	return true
}
