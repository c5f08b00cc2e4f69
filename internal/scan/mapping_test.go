package scan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestAddressesWithoutAMapping: an address is compared as in an ip field where the constant is one.
func TestAddressesWithoutAMapping(t *testing.T) {
	f := func(condition, value string, want bool) {
		t.Helper()
		got := run(rulesOf(t, "any where "+condition),
			input("f", fmt.Sprintf(`{"name":"x","f":%q}`, value)))
		if (len(got.lines) == 1) != want || got.err != nil {
			t.Errorf("%s on %q: got %s, %v, want %v", condition, value,
				strings.Join(got.lines, " "), got.err, want)
		}
	}
	f(`f == "10.0.0.0/8"`, "10.1.2.3", true)
	f(`f == "10.0.0.0/8"`, "11.1.2.3", false)
	f(`f != "10.0.0.0/8"`, "10.1.2.3", false)
	f(`f == "10.0.0.0/8"`, "10.0.0.0/8", true) // a text as the constant is
	f(`f in ("192.168.0.0/16", "10.0.0.0/8")`, "10.1.2.3", true)
	f(`f in ("192.168.0.0/16", "x")`, "x", true)
	f(`not f in ("192.168.0.0/16", "10.0.0.0/8")`, "10.1.2.3", false)
	f(`f == "::1"`, "0:0:0:0:0:0:0:1", true)
	f(`f == "10.0.0.1"`, "::ffff:10.0.0.1", true)
	f(`f > "9.0.0.0"`, "10.0.0.0", true)
	f(`f == "10.0.0.0/8"`, "cmd.exe", false)
}

// TestDatesWithoutAMapping: a date is compared as in a date field where the constant is one.
func TestDatesWithoutAMapping(t *testing.T) {
	f := func(condition, value string, want bool, asText ...string) {
		t.Helper()
		event := fmt.Sprintf(`{"name":"x","f":%s}`, value)
		got := run(rulesOf(t, "any where "+condition), input("f", event))
		if (len(got.lines) == 1) != want || got.err != nil {
			t.Errorf("%s on %s: got %s, %v, want %v", condition, value,
				strings.Join(got.lines, " "), got.err, want)
		}
		if as := got.summary.ByRule[0].AsText; !slices.Equal(as, asText) {
			t.Errorf("%s on %s: got %q compared as text, want %q", condition, value, as, asText)
		}
	}
	f(`f > "2026-01-02T03:04:05Z"`, `"2026-01-02T04:04:06+01:00"`, true)
	f(`f > "2026-01-02T03:04:05Z"`, `"2026-01-02T04:04:04+01:00"`, false)
	f(`f < "2026-01-02T03:04:05Z"`, `"2026-01-02T04:04:04.999+01:00"`, true)
	f(`f == "2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.000000Z"`, true)
	f(`f == "2026-01-02"`, `"2026-01-02T23:00:00Z"`, true)
	f(`f != "2026-01-02"`, `"2026-01-02T23:00:00Z"`, false)
	f(`f in ("x", "2026-01-02T03:04:05Z")`, `"2026-01-02T04:04:05.0+01:00"`, true)
	f(`f in ("x", "2026-01-02T03:04:05Z")`, `"x"`, true, "f")
	f(`"2026-01-02||+1d" <= f`, `"2026-01-03"`, true)
	f(`f >= "2026-01-02"`, `1767312000000`, true)
	f(`f < "now-1h"`, `"1969-12-31"`, true)
	f(`f < "now-1h"`, `"1970-01-01"`, false)
	f(`f == "now"`, `"now"`, true, "f")
	f(`f == "nowhere"`, `"nowhere"`, true)
	f(`f > "2026-01-02"`, `"02/01/2026"`, false, "f")
	f(`f > "1000"`, `"9"`, true, "f")
	f(`f > 1000`, `"9"`, false)
	f(`f > "10.0.0.0"`, `"9.0.0.0"`, false)
	f(`f == "2026"`, `"2026-01-01"`, false)
}
