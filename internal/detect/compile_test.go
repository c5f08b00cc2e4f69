package detect_test

import (
	"errors"
	"testing"

	"esrule/internal/detect"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
)

func TestCompileRefuses(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Fatalf("%s: %v", condition, err)
		}
		_, err = detect.Compile(&rule.Rule{Body: &rule.EventQuery{Query: q}},
			detect.Where{}, &event.Fields{})
		var refused cond.Errors
		if !errors.As(err, &refused) || len(refused) != len(want) {
			t.Errorf("%s: got %v, want %d errors", condition, err, len(want))
			return
		}
		for i, one := range refused {
			if one.Error() != want[i] || one.Code != cond.CodeType {
				t.Errorf("%s: got %q (%v), want %q", condition, one, one.Code, want[i])
			}
		}
	}
	f(`a regex "x("`, `1:19: the regular expression ends where a character has to follow`)
	f(
		`a regex~ ("x", "[a-]")`,
		`1:26: 'a' comes after ']', so there is no range from the one to the other, at character 4 of the regular expression`,
	)
	f(
		`a regex "~(.*a.{20})"`,
		`1:19: the regular expression needs an automaton of more than 10000 states`,
	)
	f(`string(a) regex "a|"`, `1:27: the regular expression ends where a character has to follow`)
	f(
		`cidrMatch(a, "10.0.0.0/8", "10.0.0.0/33")`,
		`1:38: "10.0.0.0/33" is not an address or a block of addresses`,
	)
	f(`cidrMatch(a, "x")`, `1:24: "x" is not an address or a block of addresses`)
	f(`length(a) == "3"`, `1:24: a string is compared with a number by "=="`)
	f(`"a" + 1 == 2 and a regex "("`, `1:11: expected a number beside "+", found a string`)
}
