package rule

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// lookback reads `from`: a time before now, such as now-9m. What else Elasticsearch's date math
// allows there (rounding, months, fixed dates) has no fixed length.
func lookback(text string) (time.Duration, bool) {
	length, ok := strings.CutPrefix(text, "now-")
	if !ok {
		return 0, false
	}
	return duration(length)
}

// duration reads a length of time longer than none, such as 5m.
func duration(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	var unit time.Duration
	switch text[len(text)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = 24 * time.Hour
	case 'w':
		unit = 7 * 24 * time.Hour
	default:
		return 0, false
	}
	// ParseUint takes digits only: no sign, no blank, no underscore in base 10.
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 63)
	if err != nil || count == 0 || count > uint64(math.MaxInt64/unit) {
		return 0, false
	}
	return time.Duration(count) * unit, true
}
