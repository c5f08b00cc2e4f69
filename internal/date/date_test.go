package date_test

import (
	"testing"
	"time"

	"esrule/internal/date"
)

const layout = "2006-01-02T15:04:05.999999999Z"

func TestParse(t *testing.T) {
	f := func(formats, text, want string) {
		t.Helper()
		got := "refused"
		if i, ok := date.New(formats).Parse([]byte(text)); ok {
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
	f("epoch_second", "1516116808", "2018-01-16T15:33:28Z")
	f("epoch_second", "1516116808.25", "2018-01-16T15:33:28.25Z")
	f("epoch_second", "2018-01-16", "refused")
	f("epoch_second||strict_date_optional_time", "2018-01-16", "2018-01-16T00:00:00Z")
	// Zones by name. Of a time that there is twice it is the earlier one; one that the clocks leave
	// out is after the change.
	f("", "2020-02-03T04:05:06Europe/Paris", "2020-02-03T03:05:06Z")
	f("", "2020-02-03T04:05:06CET", "2020-02-03T03:05:06Z")
	f("", "2020-10-25T02:30Europe/Paris", "2020-10-25T00:30:00Z")
	f("", "2020-03-29T02:30Europe/Paris", "2020-03-29T01:30:00Z")
	f("", "2020-03-29T02:30CEST", "refused")
	f("", "2020-03-29T02:30../../etc/passwd", "refused")
	f("", "2020-03-29T02:30No/Where", "refused")
	f("", "2020-03-29T02:30Local", "refused")
	// Every other format is the server's: nothing is guessed, nor tried after it.
	for _, served := range []string{
		"date_optional_time", "strict_date_time", "strict_date", "basic_date", "iso8601",
		"yyyy-MM-dd", "YYYY-'W'ww", "8uuuu", "no_such_name", "||",
	} {
		f(served, "2020-02-03", "refused")
		f("epoch_millis||"+served, "1516116808349", "refused")
		f(served+"||epoch_millis", "1516116808349", "refused")
		if date.Plain(served) || date.Plain("epoch_millis||"+served) ||
			!date.Plain("epoch_millis") {
			t.Errorf("%q passes for a format that is read here", served)
		}
	}
}

// TestServed holds what is read of a field that the server reads: values as it prints them, and
// constants that it read.
func TestServed(t *testing.T) {
	day := date.Span{First: date.At(time.UnixMilli(1)), Last: date.At(time.UnixMilli(2))}
	format := date.Served(date.Constants{"02.01.2026": day})
	value := func(text, want string) {
		t.Helper()
		got := "refused"
		if i, ok := format.Parse([]byte(text)); ok {
			got = i.Time().Format(layout)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	value("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z")
	value("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z")
	value("+12020-01-01T00:00:00.000Z", "12020-01-01T00:00:00Z")
	value("-0005-01-01T00:00:00.000Z", "-0005-01-01T00:00:00Z")
	value("2026-01-02", "refused")
	value("1767323045678", "refused")
	constant := func(text, first, last string) {
		t.Helper()
		gotFirst, gotLast := "refused", "refused"
		if a, b, _, ok := format.Range(text, time.UnixMilli(5)); ok {
			gotFirst, gotLast = a.Time().Format(layout), b.Time().Format(layout)
		}
		if gotFirst != first || gotLast != last {
			t.Errorf("%q: got %s to %s, want %s to %s", text, gotFirst, gotLast, first, last)
		}
	}
	constant("02.01.2026", "1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.002Z")
	constant("now", "1970-01-01T00:00:00.005Z", "1970-01-01T00:00:00.005Z")
	// What the server did not take is ISO 8601.
	constant("2026-01-02", "2026-01-02T00:00:00Z", "2026-01-02T23:59:59.999999999Z")
	constant("03.01.2026", "refused", "refused")
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
	f.Add("epoch_second", "1516116808.5")
	f.Add("", "2020-01-01||+1M/d")
	f.Fuzz(func(t *testing.T, formats, text string) {
		from, to, _, ok := date.New(formats).Range(text, time.Unix(0, 0))
		if ok && (from.Seconds > to.Seconds || from.Seconds == to.Seconds &&
			from.Nanos > to.Nanos) {
			t.Errorf("%q as %q: from %v after %v", text, formats, from, to)
		}
	})
}
