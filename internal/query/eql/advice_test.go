package eql_test

import (
	"errors"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// TestForeignWords holds what is advised where a query is written in another language, or half of
// one: the place and the advice of its one error. The condition begins at column 11.
func TestForeignWords(t *testing.T) {
	f := func(condition string, column int, want string) {
		t.Helper()
		q, err := eql.Parse("any where " + condition)
		all := cond.Errors{}
		if err == nil {
			all = eql.CheckTypes(q)
		}
		if err != nil && !errors.As(err, &all) || len(all) != 1 {
			t.Errorf("%s: got %v, want one error", condition, errors.Join(err, all))
			return
		}
		if all[0].Column != column || all[0].Advice != want {
			t.Errorf("%s:\n got %d %s\nwant %d %s", condition, all[0].Column, all[0].Advice, column,
				want)
		}
	}
	text := func(word string) string {
		return `EQL compares a field with constants only. If a text is meant, its quotes are missing: "` + word + `".`
	}

	// Texts without quotes.
	f(`event.outcome == success`, 28, text("success"))
	f(`event.outcome : success and b == 1`, 27, text("success"))
	f(`event.outcome in (success, "b")`, 29, text("success"))
	f(`process.name == cmd.exe`, 27, text("cmd.exe"))
	f(`process.name == my-tool.exe`, 27, text("my-tool.exe"))
	f(`process.name : my-tool.exe`, 26, text("my-tool.exe"))
	f(`process.name : cmd*.exe or b == 1`, 26, `A pattern is written in quotes: "cmd*.exe".`)
	f(`process.name : *.exe`, 26, `A pattern is written in quotes: "*.exe".`)
	f(`process.name == cmd*`, 27, `A pattern is written in quotes after : or like: field : "cmd*".`)
	f(`a : /x.*/`, 15, `A regular expression is written in quotes after regex: field regex "x.*".`)
	f(`a == /x/`, 16, `A regular expression is written in quotes after regex: field regex "x".`)
	f(`source.ip == ::1`, 24, `An address is written in quotes: "::1".`)
	f(`source.ip == 10.0.0.1`, 24, `An address or a version is written in quotes: "10.0.0.1".`)
	f(`source.ip : 10.0.0.0/8 and b == 1`, 23,
		`An address or a version is written in quotes: "10.0.0.0/8".`)
	f(`@timestamp > now-1h`, 24, `Write "now-1h".`)
	f(`@timestamp >= now-1d/d and b == 1`, 25, `Write "now-1d/d".`)
	f(`@timestamp > now`, 24, `Date math is written in quotes: "now", "now-1h".`)
	f(`@timestamp > now()`, 24, `Date math is written in quotes: @timestamp > "now-1h".`)
	f(`@timestamp > 2026-01-01T00:00:00Z`, 24, `Write "2026-01-01T00:00:00Z".`)

	// Numbers.
	f(`pid == 0x10`, 18, `Write 16.`)
	f(`pid == 0xff and b == 1`, 18, `Write 255.`)
	f(`pid == 1_000`, 18, `Write 1000.`)
	f(`pid == 1,000`, 19, `A number is written without commas.`)
	f(`pid > 5m`, 17, `A number has no unit. Date math is written in quotes: "now-5m".`)
	f(`pid > 10MB`, 17, `A number has no unit. Date math is written in quotes: "now-5m".`)
	f(`pid == 1e+5A`, 18, "A name that begins with a digit goes into backquotes: `1e+5A`; a text "+
		"is written in quotes.")
	f(`pid == 4abc`, 18, "A name that begins with a digit goes into backquotes: `4abc`; a text "+
		"is written in quotes.")

	// Names.
	f(`field-name == "x"`, 11, "It is read as a subtraction. A name with - goes into backquotes: "+
		"`field-name`.")
	f(`"x" == a-b-c.d`, 18, "It is read as a subtraction. A name with - goes into backquotes: "+
		"`a-b-c.d`.")
	f(`user-agent.name : "x"`, 11, "It is read as a subtraction. A name with - goes into "+
		"backquotes: `user-agent.name`.")
	f(`user-agent.name in ("x")`, 11, "It is read as a subtraction. A name with - goes into "+
		"backquotes: `user-agent.name`.")
	f(`startsWith(a-b, "x")`, 22, "It is read as a subtraction. A name with - goes into "+
		"backquotes: `a-b`.")
	f(`is-admin and b == 1`, 11, "It is read as a subtraction. A name with - goes into "+
		"backquotes: `is-admin`.")
	f(`$a == 1`, 11, "A name with such a character goes into backquotes, a text into quotes.")
	f(`a..b == 1`, 13, "Take the dot away, or write the rest of the name.")

	// Escapes.
	f(`a : "a\*b"`, 17, `* cannot be escaped: : and like take it as a wildcard, == and in as it is. `+`Where the value has a backslash before it, write \\*.`)
	f(`a like "a\?b"`, 20, `? cannot be escaped: : and like take it as a wildcard, == and in as it is. `+`Where the value has a backslash before it, write \\?.`)
	f(`a : "\x41"`, 16, `Write \u{41} for a character by its code, \\x for a backslash.`)
	f(`a : "a\/b"`, 17, `Write /: it needs no backslash. Write \\/ where the value has one.`)
	f(`a : "\d"`, 16, `Write \\d for a backslash, or the whole string raw: """…""".`)
	f(`a == ""x""`, 18, `A quote inside a text is written \".`)
	f(`a == "x”`, 16, `End it with a plain quote: ".`)
	f(`a == „x“`, 16, `Write "x".`)
	f(`a == «x»`, 16, `Write "x".`)

	// Operators that are words elsewhere.
	f(`a contains "x"`, 13, `Write stringContains(a, "x"), or stringContains~ to ignore letter case.`)
	f(`a.b startswith "x" and c`, 15,
		`Write startsWith(a.b, "x"), or startsWith~ to ignore letter case.`)
	f(`a endsWith "x"`, 13, `Write endsWith(a, "x"), or endsWith~ to ignore letter case.`)
	f(`a|contains: "x"`, 13,
		`Write stringContains(field, "text"), or stringContains~ to ignore letter case.`)
	f(`a is null`, 13, `Write a == null.`)
	f(`a IS NOT NULL`, 13, `Write a != null, or != with another value.`)
	f(`a is "x"`, 13, `Write a == "x".`)
	f(`a matches "x"`, 13, `Write a regex "x", or regex~ to ignore letter case.`)
	f(`a RLIKE "x"`, 13, `Write a regex "x", or regex~ to ignore letter case.`)
	f(`a ilike "x"`, 13, `Write a : "x", which ignores letter case; * and ? are its wildcards.`)
	f(`a between 1 and 5`, 13, `Write a >= low and a <= high.`)
	f(`a eq "x"`, 13, `Write a == "x".`)
	f(`a gte 5`, 13, `Write a >= 5.`)
	f(`a notin ("x")`, 13, `Write a not in (…).`)
	f(`a not == "x"`, 13, `Write a != value.`)
	f(`a not contains "x"`, 13,
		`Write stringContains(a, "value"), or stringContains~ to ignore letter case. Put not before it.`)
	f(`a : "x" NOT b : "y"`, 19, "The word `and` or `or` is missing before it.")
	f(`a == "x" b == "y"`, 20, "The word `and` or `or` is missing before it.")
	f(`a "x"`, 13, "An operator is missing before it, such as a == value.")
	f(`a AND b`, 13, `Keywords are lower-case: write and.`)
	f(`a IN ("x")`, 13, `Keywords are lower-case: write in.`)
	f(`a LIKE "x*"`, 13, `Keywords are lower-case: write like.`)

	// Operators of other languages.
	f(`a = "x"`, 13, `Write ==, or : to ignore letter case.`)
	f(`a === "x"`, 13, `Write ==.`)
	f(`a !== "x"`, 13, `Write !=.`)
	f(`a =~ "x"`, 13, `Write : to ignore letter case, or regex~ for a regular expression.`)
	f(`a ~= "x"`, 13, `Write : to ignore letter case, or regex~ for a regular expression.`)
	f(`a !=~ "x"`, 13, `Write not before the field: not field : "pattern".`)
	f(`a !~ "x"`, 13, `Write not before the field: not field : "pattern".`)
	f(`a && b`, 13, `Write and.`)
	f(`a || b`, 13, `Write or.`)
	f(`a => 5`, 13, `Write >=.`)
	f(`a ! = 5`, 13, `Write != without a blank in it.`)
	f(`a == 'x'`, 16, `Write "x".`)
	f(`a : ("x" or "y")`, 20, `The values of a list are separated by commas; any of them may fit.`)
	f(`a : "x", "y"`, 18, `A list is written in parentheses, with commas: ("a", "b").`)
	f(`a : "x" "y"`, 19, `A list is written in parentheses, with commas: ("a", "b").`)
	f(`a in ["x"]`, 16, `The values stand in parentheses: field in ("a", "b").`)

	// Existence.
	f(`a : *`, 15, `To ask whether it has a value, write a != null. A pattern is written in quotes: "*.exe".`)
	f(`a:* and b == 1`, 13, `To ask whether it has a value, write a != null. A pattern is written in quotes: "*.exe".`)
	f(`exists(a)`, 11, `Write field != null.`)
	f(`exists a`, 18, `Write a != null.`)
	f(`_exists_:a`, 20, `Write a != null.`)
	f(`a == None`, 16, `Write null for a field without a value, or the text in quotes.`)

	// Functions and comments.
	f(`wildcard(a, "x")`, 11,
		`wildcard() is gone from EQL. Write field : "pattern" or field like "pattern".`)
	f(`regex(a, "x")`, 11, `It is an operator and no function: field regex "pattern".`)
	f(`lower(a) == "x"`, 11,
		`Letter case is ignored by :, in~, like~, regex~ and functions with ~: field : "text".`)
	f(`len(a) > 1`, 11, `Write length(field).`)
	f(`a == 1 # comment`, 18, `A comment is written // … or /* … */.`)
	f(`a == 1 -- comment`, 16, `A comment is written // … or /* … */.`)
}

// TestNumbersBeforeWords holds that what is EQL without a blank stays EQL.
func TestNumbersBeforeWords(t *testing.T) {
	f := func(condition string) {
		t.Helper()
		if _, err := eql.Parse("any where " + condition); err != nil {
			t.Errorf("%s: %v", condition, err)
		}
	}
	f(`a == 1and b == 2`)
	f(`a == 1.5or b`)
	f(`1in (1, 2)`)
	f(`2026-01-01 < a`)
	f(`now-1 > 5`)
	f(`now - a > 5`)
	f(`a-b == 5`)
	f(`a == --1`)
}

func TestStatementAdvice(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		_, err := eql.Parse(query)
		var one *cond.Error
		if !errors.As(err, &one) || one.Advice != want {
			t.Errorf("%s:\n got %+v\nwant %s", query, one, want)
		}
	}
	const form = `An event query is: category where condition; for any category: any where condition.`
	f(`process.name : "x"`, `A condition follows a category and where: any where process.name : "x"`)
	f(`process, file where a`,
		`For several categories: any where event.category in ("process", "file") and …`)
	f(`my-category where a`, `A category with such a character is a string: "my-category" where …`)
	f(`SELECT * FROM x`, form)
	f(`process where a by b`,
		`It belongs to sequence queries, which are not supported; take it away.`)
	f(`process where a | where b`, `Pipes are not supported; join conditions with and.`)
}
