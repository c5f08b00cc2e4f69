package schedule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/finding"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// indicators returns a rule that matches events with the indicators of the index ti, by a mapping.
func (w *world) indicators(query string, mapping ...[]rule.Pair) *rule.Rule {
	w.t.Helper()
	one := *w.rule
	one.ID, one.Name, one.Type, one.Language = "indicators", "Indicators", "threat_match", "kuery"
	body := &rule.IndicatorQuery{ThreatIndex: []string{w.Index("ti*")}, Mapping: mapping,
		IndicatorPath: "threat.indicator"}
	var err, failed error
	body.Query, err = kql.Parse("*:*")
	body.Threat.Query, failed = kql.Parse(query)
	if err := errors.Join(err, failed); err != nil {
		w.t.Fatal(err)
	}
	one.Body = body
	return &one
}

// feed makes an index of indicators.
func (w *world) feed(name string, documents ...string) string {
	w.t.Helper()
	index := w.Index(name)
	w.Create(index, `{"mappings":{"dynamic":false,"properties":{"@timestamp":{"type":"date"},
		"threat":{"properties":{"feed":{"properties":{"name":{"type":"keyword"}}},
		"indicator":{"properties":{"ip":{"type":"ip"},"name":{"type":"keyword"},
		"pid":{"type":"keyword"},"type":{"type":"keyword"}}}}}}}}`)
	for i, d := range documents {
		w.Do("PUT", fmt.Sprintf("%s/_doc/%d", index, i), d)
	}
	w.Refresh(index)
	return index
}

// wantEnriched checks the signals of the rule: the event's value, and its indicators.
func (w *world) wantEnriched(why, field string, want ...string) {
	w.t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Threat struct{ Enrichments []json.RawMessage }
				} `json:"_source"`
				Fields map[string][]any
			}
		}
	}
	body := w.Do("POST", w.indices.Signals+"/_search", fmt.Sprintf(`{"size":1000,
		"fields":[%q]}`, field))
	if err := json.Unmarshal(body, &answer); err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, h := range answer.Hits.Hits {
		line := fmt.Sprint(h.Fields[field], ":")
		for _, e := range h.Source.Threat.Enrichments {
			line += " " + string(e)
		}
		got = append(got, line)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s\n%s", why, diff, w.log.String())
	}
}

// An event that has a value of an indicator is a signal, with the indicators, once.
func TestIndicatorMatch(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	feed := w.feed("ti", `{"threat":{"feed":{"name":"F"},
		"indicator":{"name":"bad","type":"file","pid":"7"}}}`,
		`{"threat":{"indicator":{"name":["worse","bad"],"type":"file"}}}`,
		`{"threat":{"indicator":{"name":"other","type":"url"}}}`)
	r := w.indicators("threat.indicator.type: file",
		[]rule.Pair{{Field: "process.name", Value: "threat.indicator.name"}})
	w.event(index, 2, "bad", 1)
	w.event(index, 2, "BAD", 2)
	w.event(index, 2, "other", 3)
	w.event(index, 2, "worse", 4)
	matched := func(value, id string) string {
		return fmt.Sprintf(`"matched":{"atomic":%q,"field":"process.name","id":%q,"index":%q,`+
			`"type":"indicator_match_rule"}}`, value, id, feed)
	}
	const one = `{"indicator":{"name":"bad","type":"file","pid":"7"},"feed":{"name":"F"},`
	const two = `{"indicator":{"name":["worse","bad"],"type":"file"},"feed":{},`
	want := []string{
		"[bad]: " + one + matched("bad", "0") + " " + two + matched("bad", "1"),
		"[worse]: " + two + matched("worse", "1"),
	}
	report := w.runAll(r)[0]
	if report.Run.Created != 2 || !report.Covered() {
		t.Errorf("got %+v", report)
	}
	w.wantEnriched("a first run", "process.name", want...)
	w.clock = w.clock.Add(time.Minute)
	w.Do("PUT", feed+"/_doc/9?refresh=true", `{"threat":{"indicator":{"name":"worse",
		"type":"file"}}}`)
	if again := w.runAll(r)[0]; again.Run.Created != 0 || again.Run.Duplicates != 2 {
		t.Errorf("with one more indicator: got %+v", again.Run)
	}
	w.wantEnriched("a second run", "process.name", want...)
}

// Groups are alternatives; all pairs of a group are of one indicator. Values are compared as the
// event's field does.
func TestIndicatorGroups(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.feed("ti", `{"threat":{"indicator":{"name":"a","pid":"1"}}}`,
		`{"threat":{"indicator":{"name":"b","pid":"2.0"}}}`,
		`{"threat":{"indicator":{"ip":"10.0.0.1"}}}`)
	r := w.indicators("*:*", []rule.Pair{{Field: "process.name", Value: "threat.indicator.name"},
		{Field: "process.pid", Value: "threat.indicator.pid"}},
		[]rule.Pair{{Field: "process.name", Value: "threat.indicator.ip"}})
	for i, name := range []string{"a", "a", "b", "b", "10.0.0.1", "c"} {
		w.event(index, 1, name, 1+i%2)
	}
	report := w.runAll(r)[0]
	if report.Run.Created != 3 || report.Run.Candidates != 5 {
		t.Errorf("got %+v\n%s", report.Run, w.log.String())
	}
}

// What cannot be said of indicators leaves the time open, by name; the other rules go on. That
// there are none is said once.
func TestUnknownIndicators(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.event(index, 1, "bad", 1)
	r := w.indicators("*:*", []rule.Pair{{Field: "process.name", Value: "threat.indicator.name"}})
	runner := w.runner()
	for range 2 {
		if reports := w.runOn(runner, r, w.rule); !reports[0].Covered() || !reports[1].Covered() {
			t.Errorf("no index of indicators: got %+v", reports)
		}
	}
	if n := strings.Count(w.log.String(), "a rule has no indicators"); n != 1 {
		t.Errorf("said %d times that there are no indicators\n%s", n, w.log.String())
	}
	w.wantSignals("no index of indicators", 1)
	w.clock = w.clock.Add(time.Minute)
	feed := w.feed("ti", `{"threat":{"indicator":{"name":"bad"}}}`)
	w.Do("POST", feed+"/_close", "")
	reports := w.runAll(r, w.rule)
	if reports[0].Covered() || !reports[1].Covered() ||
		!strings.Contains(fmt.Sprint(reports[0].Failed, reports[0].Sick), feed) {
		t.Errorf("a closed index of indicators: got %+v", reports)
	}
	w.Do("POST", feed+"/_open?wait_for_active_shards=1", "")
	w.clock = w.clock.Add(time.Minute)
	if report := w.runAll(r)[0]; !report.Covered() || report.Run.Created != 1 {
		t.Errorf("the index is open: got %+v\n%s", report, w.log.String())
	}
}

// Check says what keeps a rule from having indicators, and explain which ones an event matches.
func TestCheckIndicators(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 1, "bad", 1)
	cluster := search.NewCluster(w.Client, search.Options{Tries: 1})
	codes := []finding.Code{finding.IndicatorsUnread, finding.NoIndicators,
		finding.IndicatorUnmapped, finding.NeverFires, finding.UnmappedField}
	f := func(query, field, value string, want ...string) {
		t.Helper()
		check := w.check(w.indicators(query, []rule.Pair{{Field: field, Value: value}}))
		got := textsOf(about(check.All(), codes...))
		if !slices.EqualFunc(got, want, strings.HasPrefix) {
			t.Errorf("%s, %s: %s:\n got %q\nwant %q", query, field, value, got, want)
		}
	}
	const name = "threat.indicator.name"
	f("*:*", "process.name", name, "no-indicators no index matches")
	feed := w.feed("ti", `{"threat":{"indicator":{"name":"bad","type":"file"}}}`)
	f("*:*", "process.name", name)
	f("threat.indicator.type: url", "process.name", name, "no-indicators no document of")
	f("*:*", "process.name", "threat.indicator.no",
		"indicator-unmapped "+w.Index("ti*")+": not mapped", "no-indicators no document of")
	f("*:*", "process.no", name, "never-fires")
	explain := func(name string, matches bool, want string) {
		t.Helper()
		d, err := detect.New(w.indicators("*:*", []rule.Pair{{Field: "process.name",
			Value: "threat.indicator.name"}}), nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.ExplainOn(t.Context(), cluster, detect.Sample{Index: w.Index("events-a"),
			Source: json.RawMessage(fmt.Sprintf(`{"process":{"name":%q}}`, name))}, w.clock)
		if got := fmt.Sprint(x.Indicators, x.Notes); err != nil || x.Matches != matches ||
			!strings.Contains(got, want) {
			t.Errorf("%s: got %t, %s, error %v, want %t, %s", name, x.Matches, got, err, matches,
				want)
		}
	}
	explain("bad", true, "{process.name bad "+feed+" 0}")
	explain("good", false, "none of the 1 indicators of "+w.Index("ti*"))
	w.Do("POST", feed+"/_close", "")
	f("*:*", "process.name", name, "indicators-unread indicators in "+feed+" cannot be read")
}

// An indicator that comes after an event is found by the runs that read the event's time again:
// within the overlap, and by the late sweep of ESRULE_LATE. What is older is lost to runs, and
// check says so.
func TestLateIndicators(t *testing.T) {
	w := newWorld(t)
	w.late = 2 * time.Hour
	w.theirs = func() time.Time { return w.clock }
	index, feed := w.index("a"), w.feed("ti", `{"threat":{"indicator":{"name":"none"}}}`)
	r := w.indicators("*:*", []rule.Pair{{Field: "process.name", Value: "threat.indicator.name"}})
	rules := []*rule.Rule{r}
	published := func(name string) {
		t.Helper()
		w.Do("PUT", feed+"/_doc/"+name+"?refresh=true",
			fmt.Sprintf(`{"threat":{"indicator":{"name":%q}}}`, name))
	}
	w.event(index, 1, "soon", 1)
	w.event(index, 1, "swept", 2)
	w.event(index, 1, "lost", 3)
	w.wantCreated("before the indicators", rules, 0)
	published("soon")
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("within the overlap", rules, 1)
	w.clock = w.clock.Add(20 * time.Minute)
	w.wantCreated("after the overlap", rules, 0)
	published("swept")
	w.clock = w.clock.Add(5 * time.Minute)
	w.wantCreated("no sweep is due", rules, 0)
	w.clock = w.clock.Add(time.Hour)
	if run := w.runAll(r)[0].Run; run.Swept == nil || run.Swept.Created != 1 || run.Created != 1 {
		t.Errorf("the late sweep: got %+v, want one signal that only it found", run)
	}
	w.clock = w.clock.Add(2 * time.Hour)
	w.wantCreated("up to now", rules, 0)
	published("lost")
	w.clock = w.clock.Add(2 * time.Hour)
	w.wantCreated("beyond ESRULE_LATE", rules, 0)
	found := about(w.check(r).Findings, finding.LateIndicators)
	if len(found) != 1 || !strings.Contains(found[0].Text, "more than 2h0m0s after an event") {
		t.Errorf("check: got %v, want for how long late indicators are looked for", found)
	}
}
