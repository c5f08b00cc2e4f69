package indexpattern

import (
	"strings"
	"testing"
)

func TestFault(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		if got, advice := Fault(pattern); got != want || (advice == "") != (want == "") {
			t.Errorf("%q: got %q, advice %q; want %q", pattern, got, advice, want)
		}
	}
	f("winlogbeat-*", "")
	f("logs-endpoint.events.file-*", "")
	f(".alerts-security.*", "")
	f("apm-*-transaction*", "")
	f("*", "")
	f("a_b+c-1", "")
	f("größe-*", "")
	f(strings.Repeat("a", 255), "")

	f("", "is empty")
	f("<logs-{now/d}>", "is date math")
	f("_all", "stands for every index")
	f("_a", `begins with "_"`)
	f("+a", `begins with "+"`)
	f("-a", "")
	f("-*elastic-cloud-logs-*", "")
	f("-A", "excludes a pattern that holds the capital letter 'A'")
	f("-", "excludes a pattern that is empty")
	f("--a", `begins with "--"`)
	f("r:logs-*", "")
	f("*:logs-*", "")
	f("r:-logs-1", "")
	f("-r:*", "")
	f("logs-*::failures", "")
	f("r:", "is empty")
	f("r:A", "holds the capital letter 'A'")
	f("a,b", "holds a comma")
	f("a b", "holds a space")
	f(" a", "holds a space")
	f("a\n", "holds a space")
	f("Logs-*", "holds the capital letter 'L'")
	f("a?", "holds the character '?'")
	f(`a\b`, `holds the character '\\'`)
	f("a/b", "holds the character '/'")
	f(`a"`, `holds the character '"'`)
	f("a<b", "holds the character '<'")
	f("a|b", "holds the character '|'")
	f("a#b", "holds the character '#'")
	f("a\x00b", `holds the character '\x00'`)
	f(".", "is no name")
	f("..", "is no name")
	f(strings.Repeat("a", 256), "is longer than 255 bytes")
}
