package scan_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAddressesWithoutAMapping: an address is compared as in an ip field where the constant is one.
func TestAddressesWithoutAMapping(t *testing.T) {
	f := func(condition, value string, want bool) {
		t.Helper()
		got := run(rulesOf(t, "any where "+condition), input("f", fmt.Sprintf(`{"name":"x","f":%q}`, value)))
		if (len(got.lines) == 1) != want || got.err != nil {
			t.Errorf("%s on %q: got %s, %v, want %v", condition, value, strings.Join(got.lines, " "), got.err, want)
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
