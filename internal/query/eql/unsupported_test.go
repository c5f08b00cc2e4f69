package eql_test

import (
	"errors"
	"strings"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// TestUnsupported holds that what EQL has beyond event queries is refused by name where an event
// query is wanted, so that it can be told from a mistake.
func TestUnsupported(t *testing.T) {
	f := func(text string, unsupported bool, want string) {
		t.Helper()
		_, err := eql.Parse(text)
		var all cond.Errors
		if !errors.As(err, &all) {
			t.Errorf("%s: got %v, want Errors", text, err)
			return
		}
		if got := all[0].Error(); got != want || all.Unsupported() != unsupported {
			t.Errorf("%s\n got %s, unsupported %v\nwant %s, unsupported %v", text, got,
				all.Unsupported(), want, unsupported)
		}
	}
	f(`sequence by a [any where b] [any where c]`, true, `1:1: sequence queries are not supported`)
	f("// x\nsequence\n [any where b][any where c]", true,
		`2:1: sequence queries are not supported`)
	f(`sample by a [any where b]`, true, `1:1: sample queries are not supported`)
	f(`join [any where b]`, true, `1:1: join queries are not supported`)
	for _, pipe := range []string{"head 5", "tail 1", "count", "filter a == 1", "sort a",
		"unique a", "unique_count a, b"} {
		name, _, _ := strings.Cut(pipe, " ")
		f(`any where true | `+pipe, true, "1:16: the pipe `"+name+"` is not supported")
	}
	f(`any where true | head 5 | tail 2`, true, "1:16: the pipe `head` is not supported")
	f(`any where descendant of [any where a] and b`, true,
		`1:11: process relationships (descendant of) are not supported`)
	f(`any where not child of [any where a == 1 and (b or c)]`, true,
		`1:15: process relationships (child of) are not supported`)

	// A mistake beside it makes it a mistake.
	f(`any where a = 1 | head 5`, false, `1:13: "=" does not compare`)
	f(`any where (a | head 5`, false, `1:11: "(" is not closed`)
	f(`any where true | heads 5`, false, "1:18: EQL has no pipe `heads`")
	f(`any where child of b`, false, "1:20: expected \"[\" after `of`, found name `b`")
	f(`any where true |`, false, "1:17: expected a pipe's name, found the end of the query")
}

func TestAdvice(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		_, err := eql.Parse("any where " + condition)
		var one *cond.Error
		if !errors.As(err, &one) {
			t.Errorf("%s: got %v, want an Error", condition, err)
			return
		}
		if one.Advice != want {
			t.Errorf("%s\n got %s\nwant %s", condition, one.Advice, want)
		}
	}
	f(`a == True`, "Keywords are lower-case: write true.")
	f(`a : '*.exe'`, `Write "*.exe".`)
	f(`a : ?"\w"`, `Write """\w""".`)
	f(`a : "\w"`, `Write \\w for a backslash, or the whole string raw: """…""".`)
	f(`a not like~ "x"`, `Write not before the field: not a like~ …`)
	f(`a.with == 1`, "It is a keyword; write it in backquotes: `with`.")
	f(`a.5xx == 1`, "A part of a field's name that is not a plain name goes into backquotes: .`5xx`.")
	f(`lenght(a) == 1`, `Did you mean length?`)
	f(`stringcontain(a, "x")`, `Did you mean stringContains?`)
	f(`wildcard(a, "x")`, `wildcard() is gone from EQL. Write field : "pattern" or field like "pattern".`)
	f(`length~(a) > 1`, `Letter case makes no difference to it: write length.`)
}
