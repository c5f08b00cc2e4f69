package match_test

import "testing"

// TestConditionComparedWithTruth: Elasticsearch replaces a condition that is compared with true or
// false by the condition or its negation, so that one that is null counts as false on either side.
func TestConditionComparedWithTruth(t *testing.T) {
	conditions := map[string]string{ // a condition, and an event that satisfies it
		`startsWith(s, "a")`:                    `{"s":"ab"}`,
		`startsWith~(s, "A")`:                   `{"s":"ab"}`,
		`endsWith(s, "b")`:                      `{"s":"ab"}`,
		`endsWith~(s, "B")`:                     `{"s":"ab"}`,
		`stringContains(s, "a")`:                `{"s":"ab"}`,
		`stringContains~(s, "B")`:               `{"s":["x","ab"]}`,
		`startsWith(s, t)`:                      `{"s":"ab","t":"a"}`,
		`cidrMatch(ip, "10.0.0.0/8")`:           `{"ip":"10.1.2.3"}`,
		`cidrMatch(s, "10.0.0.0/8")`:            `{"s":"10.1.2.3"}`,
		`(n > 1)`:                               `{"n":5}`,
		`(n + 1 > 2)`:                           `{"n":5}`,
		`(s : "a*")`:                            `{"s":"ab"}`,
		`(s regex "a.")`:                        `{"s":"ab"}`,
		`(s in ("ab"))`:                         `{"s":"ab"}`,
		`(s == "ab" and n == 1)`:                `{"s":"ab","n":1}`,
		`(s == "ab" or n == 1)`:                 `{"n":1}`,
		`(startsWith(s, "a") != false)`:         `{"s":"ab"}`,
		`(endsWith(concat(s, "!"), "b!"))`:      `{"s":"ab"}`,
		`(cidrMatch(ip, "10.0.0.0/8") == true)`: `{"ip":"10.1.2.3"}`,
	}
	lacking := []string{`{}`, `{"s":null,"ip":[],"n":null}`, `{"s":"none","ip":"x","n":"x"}`}
	for condition, satisfying := range conditions {
		for _, c := range []struct {
			written string
			holds   bool // where the condition does
		}{
			{condition + ` == true`, true}, {condition + ` != false`, true},
			{condition + ` == false`, false}, {condition + ` != true`, false},
			{`false != ` + condition, true}, {`true == ` + condition, true},
			{`true != ` + condition, false}, {`false == ` + condition, false},
			{condition + ` != (1 == 2)`, true},
		} {
			f := func(written, source string, want bool) {
				t.Helper()
				if got := holds(t, typed, written, source); got != want {
					t.Errorf("%s of %s: got %v, want %v", written, source, got, want)
				}
			}
			f(c.written, satisfying, c.holds)
			f(`not (`+c.written+`)`, satisfying, !c.holds)
			for _, source := range lacking {
				f(c.written, source, !c.holds)
				f(`not (`+c.written+`)`, source, c.holds)
			}
		}
	}
}
