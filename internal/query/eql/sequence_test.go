package eql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// TestStatement looks at what is read of a sequence and a sample.
func TestStatement(t *testing.T) {
	text := "sequence by a, ?`b c` with maxspan = 90 s\n" +
		"  [process where x == 1] by d.e, f with runs=3\n" +
		"  ![\"my cat\" where true] by g, ?h\n" +
		"until [any where y] by i, j | head 5 | tail 0"
	s, ok := mustParseStatement(t, text).(*eql.Sequence)
	if !ok {
		t.Fatal("got another statement, want a sequence")
	}
	paths := func(keys []*cond.Field) string {
		var names []string
		for _, key := range keys {
			names = append(names, fmt.Sprint(key.Path, " ", key.Optional))
		}
		return strings.Join(names, ", ")
	}
	f := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	f("keys", paths(s.Keys), "a false, b c true")
	f("maxspan", s.MaxSpan, 90*time.Second)
	f("stages", len(s.Stages), 2)
	f("first", eql.String(s.Stages[0].Query), "process where x == 1")
	f("first is missing", s.Stages[0].Missing, false)
	f("runs of the first", s.Stages[0].Runs, 3)
	f("keys of the first", paths(s.Stages[0].Keys), "d.e false, f false")
	f("second", eql.String(s.Stages[1].Query), `"my cat" where true`)
	f("second is missing", s.Stages[1].Missing, true)
	f("runs of the second", s.Stages[1].Runs, 1)
	f("keys of the second", paths(s.Stages[1].Keys), "g false, h true")
	f("until", eql.String(s.Until.Query), "any where y")
	f("keys of until", paths(s.Until.Keys), "i false, j false")
	f("pipes", len(s.Pipes), 2)
	f("the first pipe", fmt.Sprint(s.Pipes[0].Kind, " ", s.Pipes[0].Count), "head 5")
	f("the second pipe", fmt.Sprint(s.Pipes[1].Kind, " ", s.Pipes[1].Count), "tail 0")
	f("queries", len(s.Queries()), 3)
	f("place of the second stage", text[s.Stages[1].Start:s.Stages[1].End],
		`!["my cat" where true] by g, ?h`)

	sample, ok := mustParseStatement(t,
		`sample by a [b where c] by d [e where f] by g`).(*eql.Sample)
	if !ok {
		t.Fatal("got another statement, want a sample")
	}
	f("keys of the sample", paths(sample.Keys), "a false")
	f("stages of the sample", len(sample.Stages), 2)
	f("keys of its second stage", paths(sample.Stages[1].Keys), "g false")

	event, ok := mustParseStatement(t, `any where a | tail 3`).(*eql.Event)
	f("an event query", ok, true)
	f("its pipes", len(event.Pipes), 1)
}

// TestPrintStatement holds the canonical form of the statements with stages.
func TestPrintStatement(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := mustParseStatement(t, text).String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	same := func(text string) { t.Helper(); f(text, text) }
	same("any where a | head 5 | tail 2")
	same("sequence [any where a] [any where b]")
	same("sequence by a.`in`, ?b with maxspan=500ms [a where b == 1] by c ![d where e] by `f g`")
	same("sequence with maxspan=1d [any where a] with runs=100 until [any where b] | head 1")
	same("sequence [any where a] by b with runs=2 | tail 1")
	same("sample by a [any where b] by c [any where d] by e")
	f("sequence by a /* x */ with maxspan = 120s\n[any where (b)]by c // y\n[any where d] by\ne",
		"sequence by a with maxspan=2m [any where b] by c [any where d] by e")
}

// TestPrintStatementRandom prints random sequences and reads them back.
func TestPrintStatementRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := func(count int) []*cond.Field {
			var keys []*cond.Field
			for range count {
				keys = append(keys, &cond.Field{Path: rapid.StringN(1, 8, -1).Draw(t, "key"),
					Optional: rapid.Bool().Draw(t, "optional")})
			}
			return keys
		}
		own := rapid.IntRange(0, 2).Draw(t, "own keys")
		stage := func() eql.Stage {
			return eql.Stage{Query: &cond.Query{Where: expression(t, 2)}, Keys: keys(own), Runs: 1}
		}
		want := &eql.Sequence{Keys: keys(rapid.IntRange(0, 2).Draw(t, "keys")),
			MaxSpan: time.Duration(rapid.IntRange(1, 1e9).Draw(t, "maxspan")) * time.Millisecond}
		for range rapid.IntRange(2, 4).Draw(t, "stages") {
			s := stage()
			s.Runs = rapid.IntRange(1, 100).Draw(t, "runs")
			s.Missing = len(want.Stages) > 0 && rapid.Bool().Draw(t, "missing")
			want.Stages = append(want.Stages, s)
		}
		if rapid.Bool().Draw(t, "until") {
			until := stage()
			want.Until = &until
		}
		if rapid.Bool().Draw(t, "pipe") {
			want.Pipes = []eql.Pipe{{Kind: eql.Tail, Count: rapid.IntRange(0, 1e9).Draw(t, "tail")}}
		}
		got, err := eql.ParseStatement(want.String())
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if diff := difference(want, got); diff != "" {
			t.Fatalf("%s: want -, got +\n%s", want, diff)
		}
	})
}

// TestSequenceErrors looks at all errors of statements with stages: position and message.
func TestSequenceErrors(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		s, err := eql.ParseStatement(text)
		if err == nil {
			t.Errorf("%s\n got %s\nwant %q", text, s, want)
			return
		}
		var all cond.Errors
		if !errors.As(err, &all) {
			t.Fatalf("%s: got %T, want Errors", text, err)
		}
		for _, e := range all {
			if e.Advice == "" {
				t.Errorf("%s: %s comes without advice", text, e)
			}
		}
		if got, w := all.Error(), strings.Join(want, "\n"); got != w {
			t.Errorf("%s\n got %s\nwant %s", text, got, w)
		}
	}
	// The head of a sequence.
	f(`sequence`, `1:9: expected a stage, found the end of the query`)
	f(`sequence by`, `1:12: expected a field, found the end of the query`)
	f(`sequence by a,`, `1:15: expected a field, found the end of the query`)
	f(`sequence by a b [any where c] [any where d]`, "1:15: expected a stage, found name `b`")
	f(`sequence by length(a) [any where c] [any where d]`, `1:13: a key must be a field`)
	f(`sequence by "a", 1, length(a) [any where c] [any where d]`,
		`1:13: a key must be a field`,
		`1:18: a key must be a field`,
		`1:21: a key must be a field`)
	f(`sequence by a[0] [any where c] [any where d]`, `1:14: array indexes are not supported`)
	f(`sequence with maxspan=5m by a [any where c] [any where d]`,
		"1:26: expected a stage, found keyword `by`")
	f(`sequence with [any where c] [any where d]`,
		"1:15: expected `maxspan` after `with`, found \"[\"")
	f(`sequence with maxspan 5m [any where c] [any where d]`,
		"1:23: expected \"=\" after `maxspan`, found number 5")
	f(`sequence with maxspan=5 [any where c] [any where d]`, `1:23: maxspan has no unit of time`)
	f(`sequence with maxspan=1.5m [any where c] [any where d]`,
		`1:23: expected a whole number, found number 1.5`)
	f(`sequence with maxspan=-5m [any where c] [any where d]`,
		`1:23: expected a whole number, found "-"`)
	f(`sequence with maxspan=0s [any where c] [any where d]`, `1:23: maxspan is 0`)
	f(`sequence with maxspan=5w [any where c] [any where d]`, "1:24: unknown unit of time `w`")
	f(`sequence with maxspan=99999999d [any where c] [any where d]`,
		`1:23: maxspan is longer than 292 years`)
	f(`sequence with maxspan==5m [any where c] [any where d]`,
		"1:22: expected \"=\" after `maxspan`, found \"==\"")
	f(`sequence with runs=2 [any where c] [any where d]`,
		"1:15: expected `maxspan` after `with`, found name `runs`")
	// Its stages, several errors at once.
	f(`sequence [any where a]`, `1:1: a sequence needs two stages or more, found 1`)
	f(`sequence any where a`, "1:10: expected a stage, found keyword `any`")
	f(`sequence [any where a [any where b]`, `1:10: "[" is not closed`)
	f(`sequence [any where a == 1 [any where b] [any where c`,
		`1:10: "[" is not closed`,
		`1:42: "[" is not closed`)
	f(`sequence [any where (a] [any where b in (1, 2] [any where c = 1]`,
		`1:21: "(" is not closed`,
		`1:41: "(" is not closed`,
		`1:61: "=" does not compare`)
	f(`sequence [any where a = 1 or b c] by k [any d] by l [where e]`,
		`1:23: "=" does not compare`,
		"1:32: expected `and` or `or`, found name `c`",
		"1:45: expected `where`, found name `d`",
		`1:53: this stage has 0 keys of its own, the first has 1`,
		"1:54: expected an event category, found keyword `where`")
	f(`sequence [any where a == b] [any where length(c) > d]`,
		"1:26: expected a constant after \"==\", found field `b`",
		"1:52: expected a constant after \">\", found field `d`")
	f(`sequence [any where a] and [any where b]`, "1:24: expected a stage, found keyword `and`")
	f(`sequence [any where a], [any where b]`, `1:23: expected a stage, found ","`)
	f(`sequence [any where a by k] [any where b]`,
		"1:23: expected `and` or `or`, found keyword `by`")
	f(`sequence [any where a | head 1] [any where b]`,
		"1:23: expected `and`, `or` or \"]\", found \"|\"")
	f(`sequence [any where a)] [any where b]`, `1:22: ")" closes nothing`)
	f(`sequence [] [any where b]`, `1:11: expected an event category, found "]"`)
	f(`sequence [any where a] by k [any where b]`,
		`1:29: this stage has 0 keys of its own, the first has 1`)
	f(`sequence [any where a] [any where b] by k, l until [any where c] by k`,
		`1:24: this stage has 2 keys of its own, the first has 0`,
		`1:52: this stage has 1 key of its own, the first has 0`)
	f(`sequence [any where a] with runs=0 [any where b] with runs=101`,
		`1:34: runs is 0`,
		`1:60: runs is 101`)
	f(`sequence [any where a] with runs [any where b]`,
		"1:34: expected \"=\" after `runs`, found \"[\"")
	f(`sequence [any where a] with runs=x [any where b]`,
		"1:34: expected a whole number, found name `x`")
	f(`sequence [any where a] with rounds=3 [any where b]`,
		"1:29: expected `runs` after `with`, found name `rounds`")
	f(`sequence [any where a] with maxspan=3m [any where b]`,
		"1:29: expected `runs` after `with`, found keyword `maxspan`")
	f(`sequence [any where a] with runs=3 by k [any where b] by k`,
		"1:36: expected a stage, found keyword `by`")
	f(`sequence ![any where a] [any where b]`, `1:10: a missing event needs maxspan`)
	f(`sequence with maxspan=1m ![any where a] ![any where b]`,
		`1:1: all events of the sequence are missing ones`)
	// until, pipes.
	f(`sequence [any where a] [any where b] until`,
		"1:43: expected a stage after `until`, found the end of the query")
	f(`sequence [any where a] [any where b] until any where c`,
		"1:44: expected a stage after `until`, found keyword `any`")
	f(`sequence with maxspan=1m [any where a] [any where b] until ![any where c] with runs=2`,
		`1:60: until has no missing events`)
	f(`sequence [any where a] [any where b] until [any where c] [any where d]`,
		`1:58: expected the end of the query, found "["`)
	f(`sequence [any where a] [any where b] | head`,
		"1:44: expected a whole number after `head`, found the end of the query")
	f(`sequence [any where a] [any where b] | head -1 | tail 1.5 | head 1, 2 | tail 99999999999`,
		"1:45: expected a whole number after `head`, found \"-\"",
		"1:55: expected a whole number after `tail`, found number 1.5",
		`1:67: expected a pipe or the end of the query, found ","`,
		"1:78: expected a whole number after `tail`, found number 99999999999")
	f(`sequence [any where a] [any where b] | count | heads 1 |`,
		"1:38: the pipe `count` is not supported",
		"1:48: EQL has no pipe `heads`",
		`1:57: expected a pipe's name, found the end of the query`)
	// Samples.
	f(`sample by a`, `1:12: expected a stage, found the end of the query`)
	f(`sample [any where a] [any where b]`, `1:1: a sample needs a key`)
	f(`sample by k with maxspan=1m [any where a] [any where b]`,
		"1:13: expected a stage, found keyword `with`")
	f(`sample by k ![any where a] [any where b] with runs=2`,
		`1:13: a sample has no missing events`,
		`1:28: a sample has no runs`)
	f(`sample by k [any where a] [any where b] until [any where c]`,
		"1:41: expected a stage, found keyword `until`")
	f(`sample by k [any where a] [any where b] | head 1`,
		`1:41: pipes after a sample are not supported`)
	f(`sample by k [any where a] by l [any where b]`,
		`1:32: this stage has 0 keys of its own, the first has 1`)
	f(`SEQUENCE by a [any where b] [any where c]`,
		"1:1: expected keyword `sequence`, found name `SEQUENCE`")
}
