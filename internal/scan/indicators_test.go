package scan_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
)

// matching is a rule that matches events that have a name with indicators.
func matching(t *testing.T, threat string) *rule.Rule {
	t.Helper()
	query, err := kql.Parse("name: *")
	if err != nil {
		t.Fatal(err)
	}
	threatQuery, err := kql.Parse(threat)
	if err != nil {
		t.Fatal(err)
	}
	return &rule.Rule{Head: rule.Head{ID: "match", Name: "Match", Type: "threat_match",
		Severity: "low"}, Body: &rule.IndicatorQuery{EventQuery: rule.EventQuery{Query: query},
		Threat: rule.EventQuery{Query: threatQuery}, IndicatorPath: "threat.indicator",
		Mapping: [][]rule.Pair{{{Field: "ip", Value: "threat.indicator.ip"}},
			{{Field: "name", Value: "threat.indicator.name"},
				{Field: "n", Value: "threat.indicator.n"}}}}}
}

// A scan matches events with the indicators of a file, whatever way it is written.
func TestScanOfIndicators(t *testing.T) {
	f := func(threat, documents, event string, want ...string) {
		t.Helper()
		rules := rulesOf(t)
		defer rules.Close()
		if err := rules.Add(matching(t, threat)); err != nil {
			t.Fatal(err)
		}
		if _, err := rules.ReadIndicators(t.Context(), []scan.Input{input("ti", documents)},
			time.Now()); err != nil {
			t.Fatal(err)
		}
		var got []string
		summary, err := scan.Run(t.Context(), rules, []scan.Input{input("events", event)},
			scan.Options{Signal: func(_ *rule.Rule, s signal.Signal) error {
				var d struct {
					Threat struct {
						Enrichments []struct {
							Indicator json.RawMessage
							Matched   struct{ Atomic, Field, ID string }
						}
					}
				}
				err := json.Unmarshal(s.Document, &d)
				for _, e := range d.Threat.Enrichments {
					got = append(got, fmt.Sprint(e.Matched.Field, "=", e.Matched.Atomic, " of ",
						e.Matched.ID, string(e.Indicator)))
				}
				return err
			}})
		slices.Sort(got)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || len(summary.NotJudged) > 0 {
			t.Errorf("%s with %s: error %v, not judged %v (-want +got):\n%s", event, documents, err,
				summary.NotJudged, diff)
		}
	}
	const ip = `{"threat":{"indicator":{"ip":"::ffff:10.0.0.1"}}}`
	f("", ip, `{"name":"a","ip":"10.0.0.1"}`, `ip=10.0.0.1 of {"ip":"::ffff:10.0.0.1"}`)
	f("", ip, `{"name":"a","ip":"10.0.0.2"}`)
	f("", ip, `{"ip":"10.0.0.1"}`)
	f("", `{"threat":{"indicator":{"ip":["1.1.1.1","10.0.0.0/8"]}}}`,
		`{"name":"a","ip":["::1","10.9.9.9"]}`,
		`ip=10.9.9.9 of {"ip":["1.1.1.1","10.0.0.0/8"]}`)
	f("", `{"threat":{"indicator":{"ip":"2001:db8::/32"}}}`, `{"name":"a","ip":"2001:db8::9"}`,
		`ip=2001:db8::9 of {"ip":"2001:db8::/32"}`)
	f("kind: b", `[{"_id":"1","_index":"i","_source":{"kind":"a","threat":{"indicator":{"ip":"::1"}}}},
		{"_id":"2","_index":"i","_source":{"kind":"b","threat":{"indicator":{"ip":"::1"}}}}]`,
		`{"name":"a","ip":"::1"}`, `ip=::1 of 2{"ip":"::1"}`)
	const pair = `{"threat":{"indicator":{"name":"A","n":1}}}` + "\n" +
		`{"threat":{"indicator":{"name":"b","n":2}}}`
	f("", pair, `{"name":"A","n":1.0}`, `n=1.0 of {"name":"A","n":1}`,
		`name=A of {"name":"A","n":1}`)
	f("", pair, `{"name":"A","n":2}`)
	f("", pair, `{"name":["A","b"],"n":2}`, `n=2 of {"name":"b","n":2}`,
		`name=b of {"name":"b","n":2}`)
	f("", pair, `{"name":"a","n":1}`)
}

// A rule whose indicators are not there is not judged, and a file that cannot be read whole is an
// error.
func TestScanWithoutIndicators(t *testing.T) {
	rules := rulesOf(t, `any where name == "a"`)
	if err := rules.Add(matching(t, "")); err != nil {
		t.Fatal(err)
	}
	got := run(rules, input("events", `{"name":"a","ip":"::1"}`))
	if len(got.summary.NotJudged) != 1 || got.summary.Matched != 1 {
		t.Errorf("got %+v", got.summary)
	}
	f := func(text, want string) {
		t.Helper()
		defer rules.Close()
		_, err := rules.ReadIndicators(t.Context(), []scan.Input{input("ti", text)}, time.Now())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %s", text, err, want)
		}
	}
	f("{}\n5", "ti:2: not a JSON object")
	f("{\n\"a\": [", "ti:1: ")
	f("\x1f\x8b", "ti: ")
	none, err := rules.ReadIndicators(t.Context(), []scan.Input{input("ti", "{}")}, time.Now())
	defer rules.Close()
	if err != nil || len(none) != 1 {
		t.Errorf("got %v, error %v", none, err)
	}
}
