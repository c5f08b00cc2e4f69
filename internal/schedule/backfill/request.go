package backfill

import (
	"fmt"
	"time"

	"esrule/internal/date"
	"esrule/internal/span"
)

// NewRequest reads the range that the user typed: RFC 3339, dates, or date math such as now-30d. It
// is half-open; an end that is a date stands for that whole day, or today for as much of it as is
// over.
func NewRequest(from, to string, index []string, now time.Time) (Request, error) {
	first, _, err := moment("--from", from, now)
	if err != nil {
		return Request{}, err
	}
	_, last, err := moment("--to", to, now)
	if err != nil {
		return Request{}, err
	}
	if first.After(now) {
		return Request{}, fmt.Errorf("--from %s lies in the future (%s): there is no history to "+
			"search yet", from, first.Format(time.RFC3339))
	}
	if last.After(now) {
		return Request{}, fmt.Errorf("--to %s lies in the future (%s): what has not happened yet "+
			"is for the polling job; say --to now", to, last.Format(time.RFC3339))
	}
	r := Request{From: from, To: to, Index: index, Range: span.New(first, last)}
	if r.Range.Empty() {
		return Request{}, fmt.Errorf("--from %s (%s) is not before --to %s (%s)", from,
			first.Format(time.RFC3339), to, last.Format(time.RFC3339))
	}
	return r, nil
}

// moment reads one end, as the start of what it names and as its end.
func moment(flag, text string, now time.Time) (start, end time.Time, err error) {
	first, last, relative, ok := date.New("strict_date_optional_time").Range(text, now)
	if !ok {
		return start, end, fmt.Errorf("%s %q is no time: want 2021-01-31, 2021-01-31T12:00:00Z "+
			"or now-30d", flag, text)
	}
	start, end = first.Time(), first.Time()
	if whole := len(text) == len(time.DateOnly); whole && !relative {
		end = last.Time().Add(time.Millisecond).Truncate(time.Millisecond)
		if start.Before(now) && end.After(now) {
			end = now
		}
	}
	return start, end, nil
}
