package date_test

import (
	"testing"
	"time"

	"esrule/internal/query/date"
)

const layout = "2006-01-02T15:04:05.999999999Z"

func TestParse(t *testing.T) {
	f := func(formats, text, want string) {
		t.Helper()
		got := "refused"
		if i, ok := date.New(formats).Parse([]byte(text), false); ok {
			got = i.Time().Format(layout)
		}
		if got != want {
			t.Errorf("%q as %q: got %s, want %s", text, formats, got, want)
		}
	}
	// ISO 8601, of any precision, and milliseconds, are the default.
	f("", "2020", "2020-01-01T00:00:00Z")
	f("", "2020-02", "2020-02-01T00:00:00Z")
	f("", "2020-02-29", "2020-02-29T00:00:00Z")
	f("", "2021-02-29", "refused")
	f("", "2020-02-03T", "2020-02-03T00:00:00Z")
	f("", "2020-02-03T04", "2020-02-03T04:00:00Z")
	f("", "2020-02-03T04:05", "2020-02-03T04:05:00Z")
	f("", "2020-02-03T04:05:06Z", "2020-02-03T04:05:06Z")
	f("", "2020-02-03T04:05:06.7Z", "2020-02-03T04:05:06.7Z")
	f("", "2020-02-03T04:05:06,123456789+01:30", "2020-02-03T02:35:06.123456789Z")
	f("", "2020-02-03T04:05:06-0800", "2020-02-03T12:05:06Z")
	f("", "2020-02-03T04:05:06+02", "2020-02-03T02:05:06Z")
	f("", "2020-2-3", "refused")
	f("", "2020-02-03 04:05:06", "refused")
	f("", "20-02-03", "refused")
	f("", "1516116808349", "2018-01-16T15:33:28.349Z")
	f("", "-1", "1969-12-31T23:59:59.999Z")
	f("", "1.5", "1970-01-01T00:00:00.0015Z")
	f("", "", "refused")
	f("", "abc", "refused")
	f("", "-0001-01-01", "-0001-01-01T00:00:00Z")
	f("", "+2020-01-01", "refused")
	f("", "12020-01-01", "refused")
	f("", "2020-02T04", "2020-02-01T04:00:00Z")
	f("", "2020-02-03Z", "refused")
	f("", "2020-02-03T04Z", "2020-02-03T04:00:00Z")
	f("", "2020-02-03T24:00:00Z", "refused")
	f("", "2020-02-03T04:05:60Z", "refused")
	f("", "2020-02-03T04:05:06UTC", "2020-02-03T04:05:06Z")
	f("", "2020-02-03T04:05:06+19:00", "refused")
	f("", "20200203", "1970-01-01T05:36:40.203Z")
	f("", "1e3", "refused")
	f(date.DefaultNanos, "2020-02-03T04:05:06.123456789Z", "2020-02-03T04:05:06.123456789Z")
	f(date.DefaultNanos, "2020-02-03T04:05Z", "refused")
	f(date.DefaultNanos, "2020-02-03", "2020-02-03T00:00:00Z")
	f("date_optional_time", "2020-2-3", "2020-02-03T00:00:00Z")
	f("date_optional_time", "2020-2-3T4:5", "2020-02-03T04:05:00Z")
	f("date_optional_time", "12020-01-02", "12020-01-02T00:00:00Z")
	f("epoch_second", "1516116808", "2018-01-16T15:33:28Z")
	f("epoch_second", "1516116808.25", "2018-01-16T15:33:28.25Z")
	f("epoch_second", "2018-01-16", "refused")
	f("epoch_second||strict_date", "2018-01-16", "2018-01-16T00:00:00Z")
	// Names.
	f("basic_date", "20200203", "2020-02-03T00:00:00Z")
	f("basic_date_time", "20200203T040506.123Z", "2020-02-03T04:05:06.123Z")
	f("basic_date_time_no_millis", "20200203T040506+0100", "2020-02-03T03:05:06Z")
	f("strict_date_time", "2020-02-03T04:05:06.1Z", "2020-02-03T04:05:06.1Z")
	f("strict_date_time", "2020-02-03T04:05:06Z", "refused")
	f("strict_date_hour_minute_second", "2020-02-03T04:05:06", "2020-02-03T04:05:06Z")
	f("ordinal_date", "2020-060", "2020-02-29T00:00:00Z")
	f("hour_minute", "4:5", "1970-01-01T04:05:00Z")
	// Patterns.
	f("yyyy/MM/dd HH:mm:ss", "2020/02/03 04:05:06", "2020-02-03T04:05:06Z")
	f("yyyy-MM-dd HH:mm:ss.SSS", "2020-02-03 04:05:06.007", "2020-02-03T04:05:06.007Z")
	f("yyyy-MM-dd[ HH:mm]", "2020-02-03", "2020-02-03T00:00:00Z")
	f("yyyy-MM-dd[ HH:mm]", "2020-02-03 04:05", "2020-02-03T04:05:00Z")
	f("dd/MMM/yyyy:HH:mm:ss Z", "03/Feb/2020:04:05:06 +0000", "2020-02-03T04:05:06Z")
	f("EEE MMM dd yyyy hh:mm a", "Mon Feb 03 2020 04:05 PM", "2020-02-03T16:05:00Z")
	f("yyyyMMddHHmmss", "20200203040506", "2020-02-03T04:05:06Z")
	f("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2020-02-03T04:05:06.007+01:00", "2020-02-03T03:05:06.007Z")
	f("8yyyy", "2020", "2020-01-01T00:00:00Z")
	// Zones by name; a time that there is twice is the earlier, one that there is not is behind the change.
	f("", "2020-02-03T04:05:06Europe/Paris", "2020-02-03T03:05:06Z")
	f("yyyy-MM-dd HH:mm VV", "2020-10-25 02:30 Europe/Paris", "2020-10-25T00:30:00Z")
	f("yyyy-MM-dd HH:mm VV", "2020-03-29 02:30 Europe/Paris", "2020-03-29T01:30:00Z")
	f("yyyy-MM-dd HH:mm VV", "2020-03-29 02:30 CEST", "refused")
	f("yyyy-MM-dd HH:mm VV", "2020-03-29 02:30 ../../etc/passwd", "refused")
	f("yyyy-MM-dd HH:mm VV", "2020-03-29 02:30 No/Where", "refused")
	f("yyyy-MM-dd HH:mmX", "2020-02-03 04:05+02:00", "refused")
	f("G yyyy", "BC 0044", "-0043-01-01T00:00:00Z")
	f("yyyy-QQQ", "2020-Q2", "2020-01-01T00:00:00Z") // as Elasticsearch: a quarter alone says nothing
	f("weekyear_week", "2026-W01", "2025-12-29T00:00:00Z")
	// What depends on the server's locale is not read, nor what stands behind it: nothing is guessed.
	for _, unread := range []string{"YYYY-MM-dd", "yyyy-ww", "yyyy-MM W", "e yyyy", "ccc yyyy", "yyyy QQQQ", "GGGG yyyy", "yyyy MMMMM", "EEEEE yyyy", "yyyy-MM-dd zzzz", "yyyy-MM-dd v", "yyyy F", "yyyy B", "ppH yyyy", "no_such_name"} {
		f(unread, "2020-02-03", "refused")
		f("epoch_millis||"+unread, "1516116808349", "2018-01-16T15:33:28.349Z")
		f(unread+"||epoch_millis", "1516116808349", "refused")
	}
}

// TestRange holds what a constant stands for in a comparison, from its first to its last instant.
func TestRange(t *testing.T) {
	now := time.Date(2026, 5, 20, 13, 14, 15, 123456789, time.UTC) // a Wednesday
	f := func(text, from, to string) {
		t.Helper()
		gotFrom, gotTo := "refused", "refused"
		if a, b, _, ok := date.New("").Range(text, now); ok {
			gotFrom, gotTo = a.Time().Format(layout), b.Time().Format(layout)
		}
		if gotFrom != from || gotTo != to {
			t.Errorf("%q: got %s to %s, want %s to %s", text, gotFrom, gotTo, from, to)
		}
	}
	f("2020", "2020-01-01T00:00:00Z", "2020-01-01T23:59:59.999999999Z")
	f("2020-02", "2020-02-01T00:00:00Z", "2020-02-01T23:59:59.999999999Z")
	f("2020-02-29", "2020-02-29T00:00:00Z", "2020-02-29T23:59:59.999999999Z")
	f("2020-02-03T04:05:06Z", "2020-02-03T04:05:06Z", "2020-02-03T04:05:06.999999999Z")
	f("2020-02-03T04:05:06.5Z", "2020-02-03T04:05:06.5Z", "2020-02-03T04:05:06.5Z")
	f("1516116808349", "2018-01-16T15:33:28.349Z", "2018-01-16T15:33:28.349999999Z")
	f("now", "2026-05-20T13:14:15.123Z", "2026-05-20T13:14:15.123Z")
	f("now-1h", "2026-05-20T12:14:15.123Z", "2026-05-20T12:14:15.123Z")
	f("now/d", "2026-05-20T00:00:00Z", "2026-05-20T23:59:59.999Z")
	f("now-1M/M", "2026-04-01T00:00:00Z", "2026-04-30T23:59:59.999Z")
	f("now/w", "2026-05-18T00:00:00Z", "2026-05-24T23:59:59.999Z")
	f("now+2d-3m", "2026-05-22T13:11:15.123Z", "2026-05-22T13:11:15.123Z")
	f("2020-01-31||+1M", "2020-02-29T00:00:00Z", "2020-02-29T00:00:00Z")
	f("2020-01-15||/M", "2020-01-01T00:00:00Z", "2020-01-31T23:59:59.999Z")
	f("2020-01-15||/y", "2020-01-01T00:00:00Z", "2020-12-31T23:59:59.999Z")
	f("now-", "refused", "refused")
	f("now/2d", "refused", "refused")
	f("now-1x", "refused", "refused")
	f("nowhere", "refused", "refused")
	f("2020||", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
}

func TestNumber(t *testing.T) {
	f := func(text, from, to string) {
		t.Helper()
		gotFrom, gotTo := "refused", "refused"
		if a, b, ok := date.Number(text); ok {
			gotFrom, gotTo = a.Time().Format(layout), b.Time().Format(layout)
		}
		if gotFrom != from || gotTo != to {
			t.Errorf("%q: got %s to %s, want %s to %s", text, gotFrom, gotTo, from, to)
		}
	}
	f("2026", "1970-01-01T00:00:02.026Z", "1970-01-01T00:00:02.026999999Z") // no year
	f("1.5", "1970-01-01T00:00:00.0015Z", "1970-01-01T00:00:00.0015Z")
	f("1.0E12", "refused", "refused")
}

func FuzzParse(f *testing.F) {
	f.Add("strict_date_optional_time||epoch_millis", "2020-02-03T04:05:06.7Z")
	f.Add("yyyy-MM-dd['T'HH]", "2020-02-03T04")
	f.Add("", "2020-01-01||+1M/d")
	f.Fuzz(func(t *testing.T, formats, text string) {
		from, to, _, ok := date.New(formats).Range(text, time.Unix(0, 0))
		if ok && (from.Seconds > to.Seconds || from.Seconds == to.Seconds && from.Nanos > to.Nanos) {
			t.Errorf("%q as %q: from %v after %v", text, formats, from, to)
		}
	})
}
