package date

import (
	"math"
	"time"
)

// Instant is a point in time on the proleptic Gregorian calendar in UTC, to the nanosecond.
type Instant struct {
	Seconds int64 // since 1970
	Nanos   int32 // 0 to 999,999,999
}

// At is the instant of a time.
func At(t time.Time) Instant { return Instant{Seconds: t.Unix(), Nanos: int32(t.Nanosecond())} }

// Millis are the whole milliseconds since 1970, which is what a date field keeps.
func (i Instant) Millis() int64 {
	const limit = math.MaxInt64/1000 - 1
	switch {
	case i.Seconds > limit:
		return math.MaxInt64
	case i.Seconds < -limit:
		return math.MinInt64
	}
	return i.Seconds*1000 + int64(i.Nanos/1e6)
}

// UnixNano are the nanoseconds since 1970, which is what a date_nanos field keeps, cut to what 64
// bits hold.
func (i Instant) UnixNano() int64 {
	const limit = math.MaxInt64/1_000_000_000 - 1
	switch {
	case i.Seconds > limit:
		return math.MaxInt64
	case i.Seconds < -limit:
		return math.MinInt64
	}
	return i.Seconds*1e9 + int64(i.Nanos)
}

// Time is the instant as a time in UTC.
func (i Instant) Time() time.Time { return time.Unix(i.Seconds, int64(i.Nanos)).UTC() }

// civil is a date and time of day in a zone; the parts that a text leaves out are negative.
type civil struct {
	year                                            int64
	month, day, hour, minute, second, nanos, offset int
	// nil: offset, seconds east of UTC
	zone *time.Location
}

const missing = -1

func emptyCivil() civil {
	return civil{month: missing, day: missing, hour: missing, minute: missing, second: missing,
		nanos: missing}
}

// instant puts the parts together; those left out are the first of their kind, or with up the last,
// but for the month and the day: "2026" goes up to the end of its first of January, as in
// Elasticsearch. ok is false for a day that no calendar has.
func (c civil) instant(up bool) (Instant, bool) {
	fill := func(part *int, first, last int) {
		if *part == missing {
			*part = first
			if up {
				*part = last
			}
		}
	}
	fill(&c.month, 1, 1)
	if c.month < 1 || c.month > 12 {
		return Instant{}, false
	}
	fill(&c.day, 1, 1)
	fill(&c.hour, 0, 23)
	fill(&c.minute, 0, 59)
	fill(&c.second, 0, 59)
	fill(&c.nanos, 0, 999_999_999)
	if c.day < 1 || c.day > daysIn(c.year, c.month) || c.hour > 23 || c.minute > 59 ||
		c.second > 59 {
		return Instant{}, false
	}
	local := daysSince1970(c.year, c.month, c.day)*86400 + int64(c.hour*3600+c.minute*60+c.second)
	if c.zone != nil {
		c.offset = offsetIn(c.zone, local)
	}
	return Instant{Seconds: local - int64(c.offset), Nanos: int32(c.nanos)}, true
}

func isLeap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year int64, month int) int {
	switch month {
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts days on the proleptic Gregorian calendar, with years that begin in March so
// that the leap day is the last.
func daysSince1970(year int64, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	ofEra := year - era*400
	ofYear := int64((153*(month-3)+2)/5 + day - 1)
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
