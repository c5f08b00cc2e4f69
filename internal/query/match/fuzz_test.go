package match_test

import (
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// FuzzMatch holds that no query makes Compile, Match or Explain panic, that Match and Explain
// agree, and that `not` of a condition is its opposite, with a mapping and without.
func FuzzMatch(f *testing.F) {
	for _, condition := range []string{
		`s : "a*" and long > 1`, `length(s) + 1 == 5`, `between~(s, "a", t, true) in ("x", null)`,
		`(long > 1) == (1 == 1)`,
		`cidrMatch(ip, "10.0.0.0/8") == false`, `string(date) regex "2.*" or date < "now-1d/d"`,
		`concat(s, long / 0, on) == null`,
		`substring(s, long, -1) != indexOf("abc", "b") + ""`, `number(s, 16) % 3 >= -unsigned`,
	} {
		f.Add(condition, `{"s":["a","b😀"],"long":5,"on":true,"ip":"10.0.0.1","date":"2026-01-02","unsigned":18446744073709551615}`)
	}
	f.Fuzz(func(t *testing.T, condition, source string) {
		q, err := eql.Parse("any where " + condition)
		if err != nil || len(condition) > 500 || len(source) > 500 {
			return
		}
		opposite, err := eql.Parse("any where not (" + condition + "\n)")
		if err != nil {
			return
		}
		if fastjson.Validate(source) != nil {
			return
		}
		var fields event.Fields
		m, err := match.Compile(q, &fields, match.Options{})
		if err != nil {
			return
		}
		not, err := match.Compile(opposite, &fields, match.Options{})
		if err != nil {
			t.Fatalf("%s compiles, its negation does not: %v", condition, err)
		}
		e := match.NewEvaluation(&fields, time.Now())
		for _, mapping := range []*event.Mapping{typed, nil} {
			read(t, e, mapping, source)
			holds := m.Match(e)
			if explained := m.Explain(e).Holds; explained != holds {
				t.Errorf("%s of %s: Match says %v, Explain %v", condition, source, holds, explained)
			}
			if not.Match(e) == holds {
				t.Errorf("%s of %s: it and its negation are both %v", condition, source, holds)
			}
		}
	})
}
