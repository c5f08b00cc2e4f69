package indexpattern

import (
	"slices"
	"strings"
	"testing"
)

func TestKeep(t *testing.T) {
	f := func(patterns string, without string, want string) {
		t.Helper()
		got := strings.Join(Keep(strings.Fields(patterns), func(p string) bool {
			return p != without
		}), " ")
		if got != want {
			t.Errorf("%s without %s: got %q, want %q", patterns, without, got, want)
		}
	}
	f("a-* b", "none", "a-* b")
	f("a-* b", "b", "a-*")
	f("a-* -a-1 b-* -b-1", "none", "a-* -a-1 b-* -b-1")
	f("a-* -a-1 b-* -b-1", "a-*", "b-* -b-1")
	f("a-* b -b", "a-*", "b") // else -b would be the name of an index
}

func TestUnion(t *testing.T) {
	f := func(lists [][]string, want []string, wantSame bool) {
		t.Helper()
		if got, same := Union(lists); !slices.Equal(got, want) || same != wantSame {
			t.Errorf("%q: got %q, the same: %t, want %q, %t", lists, got, same, want, wantSame)
		}
	}
	f(nil, nil, true)
	f([][]string{{"b", "a"}}, []string{"b", "a"}, true)
	f([][]string{{"b", "-a"}, {"b", "-a"}}, []string{"b", "-a"}, true)
	f([][]string{{"b", "a"}, {"a", "c"}}, []string{"a", "b", "c"}, false)
	f([][]string{{"b", "a"}, {"a", "b"}}, []string{"a", "b"}, false)
}

func TestAlone(t *testing.T) {
	f := func(patterns, pattern, want string) {
		t.Helper()
		if got := strings.Join(Alone(strings.Fields(patterns), pattern), " "); got != want {
			t.Errorf("%s of %s: got %q, want %q", pattern, patterns, got, want)
		}
	}
	f("a-* b-* -a-1", "a-*", "a-* -a-1")
	f("a-* -a-1 b-*", "b-*", "b-*")
	f("a-* b -a-1", "b", "b")
	f("a-*", "other", "other")
}

func TestCheckList(t *testing.T) {
	f := func(patterns, want string) {
		t.Helper()
		if got := CheckList(strings.Fields(patterns)); (got == "") != (want == "") ||
			!strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", patterns, got, want)
		}
	}
	f("logs-* -logs-old-*", "")
	f("logs-1 logs-* -logs-old", "")
	f("logs-* r:logs-*", "")
	f("r:logs-* -logs-old-*", `"-logs-old-*" has no pattern with *`)
	f("-logs-old-*", `"-logs-old-*" has no pattern with *`)
	f("logs-1 -logs-1", `"-logs-1" has no pattern with *`)
	f("-logs-old logs-*", `"-logs-old" has no pattern with *`)
}

func TestAdding(t *testing.T) {
	if got := Adding([]string{"a-*", "-a-1", "r:b", "-r:c", "r:-d"}); !slices.Equal(got,
		[]string{"a-*", "r:b"}) {
		t.Errorf("got %q, want the patterns without the exclusions", got)
	}
}

func TestMatch(t *testing.T) {
	f := func(patterns, index string, want bool) {
		t.Helper()
		if got := Match(strings.Fields(patterns), index); got != want {
			t.Errorf("%s and %s: got %v, want %v", patterns, index, got, want)
		}
	}
	f("logs-*", "logs-1", true)
	f("logs-*", "logs", false)
	f("logs-1", "logs-1", true)
	f("logs-1", "logs-10", false)
	f("logs-* -logs-old-*", "logs-old-1", false)
	f("logs-* -logs-old-* logs-old-1*", "logs-old-1", true)
	f("logs.*", "logsx1", false)
	f("", "logs-1", false)
}
