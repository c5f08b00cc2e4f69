package eql_test

import (
	"strings"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

func TestCheckTypes(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			return
		}
		var got []string
		for _, e := range eql.CheckTypes(q) {
			if e.Code != cond.CodeType {
				t.Errorf("%s: %v has code %v", condition, e, e.Code)
			}
			got = append(got, e.Error())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", condition, got, want)
		}
	}
	// What a mapping decides is no error here.
	f(`a == 1 and a == "1" and a > true and a : "x" and a in (1, 2) and -a == 1 and a`)
	f(`length(a) == 1 and string(a) : "x" and concat(a, 1, true) == "x" and (a > 1) == true and startsWith(a, b)`)
	f(`length(a) == null and a == null and null == (a > 1) and concat(a, null) == null and a : null and null`)
	f(`between(a, "x", "y", true) == "" and substring(a, b, null) == "" and number(a, 16) > 1 and cidrMatch(a, "10.0.0.0/8")`)
	// Operands.
	f(`length(a) == "3"`, `1:24: a string is compared with a number by "=="`)
	f(`3 == concat(a, "x")`, `1:11: a number is compared with a string by "=="`)
	f(`"a" == 1`, `1:18: a number is compared with a string by "=="`)
	f(`startsWith(a, "x") == "true"`, `1:33: a string is compared with a boolean by "=="`)
	f(`"a" + 1 == 2`, `1:11: expected a number beside "+", found a string`)
	f(`a + b : "x" == 1`, `1:15: expected a number beside "+", found a boolean`)
	f(`-"x" == 1`, `1:12: expected a number beside "-", found a string`)
	f(`length(a) : "3"`, `1:11: ":" compares strings, found a number`)
	f(`a : (5, "x")`, `1:16: expected a string after ":", found a number`)
	f(`a regex true`, `1:19: expected a string after "regex", found a boolean`)
	f(`length(a) in (1, "2")`, `1:28: expected a number in the list, found a string`)
	f(`a in (1, "x")`, `1:20: expected a number in the list, found a string`)
	f(`a in ("x", null, true)`, `1:28: expected a string in the list, found a boolean`)
	f(`a in~ ("x", 1)`, `1:23: expected a string in the list, found a number`)
	f(`length(a) in~ ("x")`, "1:11: `in~` compares strings, found a number")
	// Conditions.
	f(`1`, `1:11: expected a condition, found a number`)
	f(`"x"`, `1:11: expected a condition, found a string`)
	f(`length(a)`, `1:11: expected a condition, found a number`)
	f(`a == 1 and concat(a)`, `1:22: expected a condition, found a string`)
	f(`not a + 1`, `1:15: expected a condition, found a number`)
	// Arguments.
	f(`length(1) == 1`, "1:18: expected a string as argument 1 of `length`, found a number")
	f(`startsWith(a, 1)`, "1:25: expected a string as argument 2 of `startsWith`, found a number")
	f(`substring(a, "1") == ""`, "1:24: expected a whole number as argument 2 of `substring`, "+
		"found a string")
	f(`substring(a, 1.5) == ""`,
		"1:24: expected a whole number as argument 2 of `substring`, found 1.5")
	f(`add(a, "1") == 1`, "1:18: expected a number as argument 2 of `add`, found a string")
	f(`number(1) == 1`, "1:18: expected a string as argument 1 of `number`, found a number")
	f(`between(a, "x", "y", "z") == ""`, "1:32: expected a boolean as argument 4 of `between`, "+
		"found a string")
	f(`cidrMatch(concat(a), "10.0.0.0/8")`, "1:21: expected a field of type ip as argument 1 of "+
		"`cidrMatch`, found a string")
	f(`cidrMatch(a, b)`, "1:24: expected a constant string as argument 2 of `cidrMatch`, found field `b`")
	f(`cidrMatch(a, 1)`, "1:24: expected a constant string as argument 2 of `cidrMatch`, found a number")
	// Several at once, in the order of the text.
	f(`"a" + 1 == 2 or length(a) == "3"`, `1:11: expected a number beside "+", found a string`,
		`1:40: a string is compared with a number by "=="`)
}

func TestTypeAdvice(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Fatal(err)
		}
		errors := eql.CheckTypes(q)
		if len(errors) != 1 || errors[0].Advice != want {
			t.Errorf("%s: got %v, want the advice %q", condition, errors, want)
		}
	}
	f(`length(a) == "3"`, "Write the number without quotes.")
	f(`concat(a) == 3`, `Write "3" in quotes.`)
	f(`length(a) : "3"`, "Compare it with ==, or make a string of it with string(…).")
	f(`concat(a) + 1 == 1`, "number(…) makes a number of a string.")
	f(`startsWith(a, "x") == "true"`, "Write true or false.")
}

func TestCorpusTypes(t *testing.T) {
	count := 0
	for _, pattern := range []string{"rules/*.toml", "eql/*.toml"} {
		for _, file := range corpus(t, pattern) {
			var doc struct {
				Rule    struct{ Query string }
				Queries []struct{ Name, Query string }
			}
			readTOML(t, file, &doc)
			texts := []string{doc.Rule.Query}
			for _, q := range doc.Queries {
				texts = append(texts, q.Query)
			}
			for _, text := range texts {
				s, err := eql.ParseStatement(text)
				if err != nil {
					continue
				}
				for _, q := range s.Queries() {
					count++
					if errors := eql.CheckTypes(q); len(errors) > 0 {
						t.Errorf("%s: %v", file, errors)
					}
				}
			}
		}
	}
	t.Logf("%d queries are well typed", count)
}
