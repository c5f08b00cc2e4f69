package backfill_test

import (
	"testing"
	"time"

	"esrule/internal/schedule/backfill"
)

func TestNewRequest(t *testing.T) {
	now := time.Date(2021, 3, 2, 12, 0, 0, 0, time.UTC)
	f := func(from, to, want string) {
		t.Helper()
		r, err := backfill.NewRequest(from, to, nil, now)
		got := r.Range.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("--from %s --to %s:\n got %s\nwant %s", from, to, got, want)
		}
	}
	f("2021-01-01", "2021-02-01", "[2021-01-01T00:00:00Z, 2021-02-02T00:00:00Z)")
	f("2021-01-01T06:00:00Z", "2021-01-01T07:00:00.5Z",
		"[2021-01-01T06:00:00Z, 2021-01-01T07:00:00.5Z)")
	f("2021-01-01T06:00:00+02:00", "2021-01-01T07:00:00+02:00",
		"[2021-01-01T04:00:00Z, 2021-01-01T05:00:00Z)")
	f("now-30d", "now", "[2021-01-31T12:00:00Z, 2021-03-02T12:00:00Z)")
	f("now-1d/d", "now", "[2021-03-01T00:00:00Z, 2021-03-02T12:00:00Z)")
	// today, as far as it is over
	f("2021-03-01", "2021-03-02", "[2021-03-01T00:00:00Z, 2021-03-02T12:00:00Z)")
	f("2021-02-02", "2021-02-02", "[2021-02-02T00:00:00Z, 2021-02-03T00:00:00Z)")
	f("2021-02-02", "2021-02-01", "--from 2021-02-02 (2021-02-02T00:00:00Z) is not before --to "+
		"2021-02-01 (2021-02-02T00:00:00Z)")
	f("2021-02-02T01:00:00Z", "2021-02-02T01:00:00Z",
		"--from 2021-02-02T01:00:00Z (2021-02-02T01:00:00Z) is not before --to "+
			"2021-02-02T01:00:00Z (2021-02-02T01:00:00Z)")
	f("2021-01-01", "2021-03-03", "--to 2021-03-03 lies in the future (2021-03-04T00:00:00Z): "+
		"what has not happened yet is for the polling job; say --to now")
	f("2021-03-05", "2021-03-06", "--from 2021-03-05 lies in the future (2021-03-05T00:00:00Z): "+
		"there is no history to search yet")
	f("january", "now", `--from "january" is no time: want 2021-01-31, 2021-01-31T12:00:00Z or now-30d`)
	f("2021-01-01", "", `--to "" is no time: want 2021-01-31, 2021-01-31T12:00:00Z or now-30d`)
	f("2021-02-30", "now", `--from "2021-02-30" is no time: want 2021-01-31, 2021-01-31T12:00:00Z or now-30d`)
}
