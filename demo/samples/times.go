package samples

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// resolveTimes puts instants in the place of ${now-AGE} and ${now-AGE:LAYOUT}, AGE being a Go
// duration. A string that is nothing but ${now-AGE:millis} becomes a number, quotes and all, as
// Endgame writes @timestamp.
func resolveTimes(document []byte, now time.Time) ([]byte, error) {
	placeholder := regexp.MustCompile(
		`"\$\{now-([^:}"]+):(millis)\}"|\$\{now-([^:}"]+)(?::([a-z]+))?\}`)
	var failed error
	resolved := placeholder.ReplaceAllFunc(document, func(found []byte) []byte {
		part := placeholder.FindSubmatch(found)
		age, layout := part[1], part[2]
		if age == nil {
			age, layout = part[3], part[4]
		}
		before, err := time.ParseDuration(string(age))
		if err != nil {
			failed = fmt.Errorf("placeholder %s: %w", found, err)
			return found
		}
		text, err := format(now.Add(-before).UTC(), string(layout))
		if err != nil {
			failed = fmt.Errorf("placeholder %s: %w", found, err)
		}
		return []byte(text)
	})
	if failed != nil {
		return nil, failed
	}
	if at := bytes.Index(resolved, []byte("${")); at >= 0 {
		return nil, fmt.Errorf("malformed placeholder at %.40q", resolved[at:])
	}
	return resolved, nil
}

// format writes an instant as the sources do.
func format(t time.Time, layout string) (string, error) {
	switch layout {
	case "": // most integrations
		return t.Format("2006-01-02T15:04:05.000Z"), nil
	case "seconds": // event.ingested from Fleet's final pipeline
		return t.Format("2006-01-02T15:04:05Z"), nil
	case "ticks": // Elastic Defend: units of 100 ns
		return t.Format("2006-01-02T15:04:05.0000000Z"), nil
	case "nanos": // event.ingested from an ingest pipeline
		return t.Format("2006-01-02T15:04:05.000000000Z"), nil
	case "windows": // UtcTime in a Sysmon message
		return t.Format("2006-01-02 15:04:05.000"), nil
	case "millis": // Endgame
		return strconv.FormatInt(t.UnixMilli(), 10), nil
	}
	return "", fmt.Errorf("unknown layout %q", layout)
}
