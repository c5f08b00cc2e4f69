package indexpattern

import (
	"strings"
	"testing"
)

func TestOfCluster(t *testing.T) {
	f := func(patterns, alias, want string) {
		t.Helper()
		if got := strings.Join(OfCluster(strings.Fields(patterns), alias), " "); got != want {
			t.Errorf("%s of %s: got %q, want %q", alias, patterns, got, want)
		}
	}
	f("logs-*", "r", "")
	f("logs-* r:logs-* -logs-old", "r", "r:logs-*")
	f("r:logs-* r:-logs-old", "r", "r:logs-* r:-logs-old")
	f("r:logs-* -r:logs-old", "r", "r:logs-* r:-logs-old")
	f("r:logs-1 r:-logs-old", "r", "r:logs-1") // nothing that it could take out
	f("r:logs-* *:-logs-old", "r", "r:logs-* r:-logs-old")
	f("*:logs-* r:audit-*", "r", "r:logs-* r:audit-*")
	f("*:logs-* r:audit-*", "other", "other:logs-*")
	f("*:logs-* -r:*", "r", "")
	f("r*:logs-*", "eu", "")
	f("r:logs-*", "r2", "")
	f("logs-x::failures", "logs-x", "")
}

func TestWithoutClusters(t *testing.T) {
	f := func(patterns, aliases, want string) {
		t.Helper()
		got := strings.Join(WithoutClusters(strings.Fields(patterns), strings.Fields(aliases)), " ")
		if got != want {
			t.Errorf("%s without %s: got %q, want %q", patterns, aliases, got, want)
		}
	}
	f("logs-* r:logs-* r:-logs-old", "r", "logs-*")
	f("logs-* r:logs-* r:-logs-old -logs-old", "r", "logs-* -logs-old")
	f("r:logs-* s:logs-*", "r", "s:logs-*")
	f("*:logs-*", "r s", "*:logs-* -r:* -s:*")
	f("logs-* r:logs-*", "", "logs-* r:logs-*")
}

func TestClusters(t *testing.T) {
	f := func(patterns, want string) {
		t.Helper()
		if got := strings.Join(Clusters(strings.Fields(patterns)), " "); got != want {
			t.Errorf("%s: got %q, want %q", patterns, got, want)
		}
	}
	f("logs-* -logs-old logs-x::failures", "")
	f("s:logs-* r:logs-* r:audit-* -x:* y:-z", "r s")
	f("*:logs-*", "*")
}
