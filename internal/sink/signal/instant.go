package signal

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// isoLayouts are the forms that Elasticsearch's strict_date_optional_time reads; without an offset
// the time is UTC. Go takes a fraction of any length after the seconds of each.
var isoLayouts = [...]string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04Z07", "2006-01-02T15:04",
	"2006-01-02T15Z07:00", "2006-01-02T15Z0700", "2006-01-02T15Z07", "2006-01-02T15",
	"2006-01-02", "2006-01", "2006",
}

// instant reads a date as an event may carry it: ISO 8601, or milliseconds since 1970 as a number
// or its text. It is part of an event's identity: a form that it does not read today can never be
// added without changing ids.
func instant(s string) (time.Time, bool) {
	if len(s) > len("2006-01-02") && s[len("2006-01-02")] == ' ' {
		s = strings.Replace(s, " ", "T", 1)
	}
	for _, layout := range isoLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC(), true
	}
	// Bounded, so that the conversion below is defined; hexadecimal, "Inf" and "NaN" are not JSON
	// numbers.
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<53 &&
		!strings.ContainsAny(s, "xX_") {
		return time.UnixMilli(int64(math.Floor(f))).UTC(), true
	}
	return time.Time{}, false
}

// isoMillis is how every time in a signal is written.
const isoMillis = "2006-01-02T15:04:05.000Z"

// isISOMillis reports whether a text that [instant] reads is written as iso writes its time.
func isISOMillis(text string) bool {
	return len(text) == len(isoMillis) && text[10] == 'T' && text[19] == '.' && text[23] == 'Z'
}

func iso(t time.Time) string { return t.UTC().Format(isoMillis) }
