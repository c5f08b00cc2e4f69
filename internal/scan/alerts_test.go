package scan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
)

// overAlerts returns a rule of EQL whose patterns are these.
func overAlerts(t *testing.T, id, query string, index ...string) *rule.Rule {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	return &rule.Rule{Head: rule.Head{ID: rule.ID(id), Name: id, Severity: "low", Index: index,
		From: time.Hour}, Body: &rule.EventQuery{Query: q}}
}

// madeSignal is what the tests read of a signal.
type madeSignal struct {
	Rule      rule.ID   `json:"kibana.alert.rule.uuid"`
	ID        signal.ID `json:"kibana.alert.uuid"`
	Depth     int       `json:"kibana.alert.depth"`
	Original  string    `json:"kibana.alert.original_time"`
	Ancestors []struct {
		ID, Type, Index string
		Depth           int
		Rule            string
	} `json:"kibana.alert.ancestors"`
	document string
}

// signalsOf scans a text with rules at a moment.
func signalsOf(t *testing.T, at time.Time, text string,
	all ...*rule.Rule) ([]madeSignal, scan.Summary) {
	t.Helper()
	rules := scan.NewRules()
	for _, r := range all {
		if err := rules.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	var made []madeSignal
	summary, err := scan.Run(t.Context(), rules, []scan.Input{input("f", text)}, scan.Options{
		Execution: signal.Execution{ID: "x", Now: func() time.Time { return at }},
		Signal: func(_ *rule.Rule, s signal.Signal) error {
			one := madeSignal{document: string(s.Document)}
			made = append(made, one)
			return json.Unmarshal(s.Document, &made[len(made)-1])
		},
		Bad: func(err error) { t.Log(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return made, summary
}

// lines returns the documents of signals, bare or as hits of an index.
func linesOf(signals []madeSignal, index string) string {
	var b strings.Builder
	for _, s := range signals {
		if index == "" {
			fmt.Fprintln(&b, s.document)
			continue
		}
		fmt.Fprintf(&b, "{\"_index\":%q,\"_id\":%q,\"_source\":%s}\n", index, s.ID, s.document)
	}
	return b.String()
}

// Signals that a scan reads are alerts to rules over alerts, each by its own id and with its
// ancestors, as in a run; to other rules they are nothing.
func TestScanOfSignals(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a, b := overAlerts(t, "a", `any where name == "bad"`, "logs-*"),
		overAlerts(t, "b", `any where true`, "logs-*")
	first, _ := signalsOf(t, at, `{"@timestamp":"2026-01-01T00:00:00Z","event":{"id":"1"},`+
		`"name":"bad"}`, a, b)
	over := overAlerts(t, "over", `any where kibana.alert.rule.name in ("a", "b")`,
		".alerts-security.*")
	all := overAlerts(t, "all", `any where event.kind == "signal"`, "logs-*")
	var ids [2][]signal.ID
	for i, index := range []string{"", "esrule-signals"} {
		second, summary := signalsOf(t, at.Add(time.Hour), linesOf(first, index), a, b, over, all)
		if len(first) != 2 || len(second) != 4 || summary.ByInput[0].Alerts != 2 {
			t.Fatalf("got %d signals, and of these %d, %+v, want 2 and 4", len(first), len(second),
				summary)
		}
		for j, s := range second {
			ids[i] = append(ids[i], s.ID)
			of := first[j/2]
			want, err := signal.Identify(s.Rule, signal.Event{Source: []byte(of.document),
				Alert: true})
			last := s.Ancestors[len(s.Ancestors)-1]
			if err != nil || s.ID != want || s.Depth != 2 || len(s.Ancestors) != 2 ||
				last.ID != string(of.ID) || last.Type != "signal" || last.Index != index ||
				last.Rule != string(of.Rule) || s.Original != "2026-01-02T03:04:05.000Z" {
				t.Errorf("%q: got %+v, want the signal %s of %s with its ancestors, %v", index, s,
					want, of.ID, err)
			}
		}
		third, summary := signalsOf(t, at, linesOf(second, index), all)
		if len(third) != 2 || summary.ChainStopped != 2 || summary.ByRule[0].ChainStopped != 2 ||
			third[0].Depth != 3 || third[0].Ancestors[2].Rule != "over" {
			t.Errorf("%q: got %+v, %+v, want those of over judged and its own stopped", index,
				third, summary)
		}
	}
	if diff := cmp.Diff(ids[0], ids[1]); diff != "" {
		t.Errorf("ids of bare documents -, of hits +\n%s", diff)
	}
}

// A rule that counts alerts names the rules that they are of, and does not count those that come
// from itself. Rules over alerts place them by @timestamp, whatever they override it with.
func TestScanCountsSignals(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	base := overAlerts(t, "base", `any where true`, "logs-*")
	var events strings.Builder
	for i := range 3 {
		fmt.Fprintf(&events, `{"@timestamp":"2026-01-01T0%d:00:00Z","event":{"id":"%d","ingested":`+
			`"2025-01-01T00:00:00Z"},"user":"u"}`+"\n", i, i)
	}
	first, _ := signalsOf(t, at, events.String(), base)
	q, err := kql.Parse("kibana.alert.rule.name: *")
	if err != nil {
		t.Fatal(err)
	}
	head := rule.Head{ID: "count", Name: "count", Severity: "low", Type: "threshold",
		Language: "kuery", Index: []string{".alerts-security.*"}, From: time.Minute,
		TimestampOverride: "event.ingested"}
	counting := &rule.Rule{Head: head, Body: &rule.ThresholdQuery{
		EventQuery: rule.EventQuery{Query: q}, Fields: []string{"user"}, Value: 3}}
	second, _ := signalsOf(t, at, linesOf(first, "esrule-signals"), counting)
	if len(second) != 1 || second[0].Depth != 2 || len(second[0].Ancestors) != 2 ||
		second[0].Ancestors[0].Rule != "base" || second[0].Ancestors[0].Type != "signal" {
		t.Fatalf("got %+v, want one signal of depth 2 that names base", second)
	}
	three := strings.Repeat(linesOf(second, ""), 3)
	third, summary := signalsOf(t, at, three, counting)
	if len(third) != 0 || summary.ChainStopped != 3 {
		t.Errorf("got %+v, %+v, want no signal of its own ones", third, summary)
	}
	head.ID = "new"
	newTerms := &rule.Rule{Head: head, Body: &rule.NewTermsQuery{
		EventQuery: rule.EventQuery{Query: q}, Fields: []string{"user"}, History: time.Hour}}
	if made, _ := signalsOf(t, at, linesOf(first, ""), newTerms); len(made) != 1 ||
		made[0].Original != "2026-01-02T03:04:05.000Z" {
		t.Errorf("new terms: got %+v, want one signal", made)
	}
}

// What of a file are alerts is said, and that no rule is about them. An alert that does not say
// which one it is is no document that a rule over alerts can judge.
func TestScanSaysWhatAreAlerts(t *testing.T) {
	const plain, alert = `{"event":{"category":"file"},"name":"x"}` + "\n",
		`{"event.kind":"signal","kibana.alert.uuid":"1","kibana.alert.rule.uuid":"saved",` +
			`"kibana.alert.rule.rule_id":"over","name":"x"}` + "\n"
	other := overAlerts(t, "other", `any where name == "x"`, "logs-*")
	over := overAlerts(t, "over", `any where name == "x"`, ".alerts-security.*")
	beside := overAlerts(t, "beside", `any where name == "x"`, ".siem-signals-*")
	f := func(text string, signals, bad int, said, unjudged string, rules ...*rule.Rule) {
		t.Helper()
		made, summary := signalsOf(t, time.Unix(0, 0), text, rules...)
		in := summary.ByInput[0]
		if len(made) != signals || in.BadLines != bad || in.AlertsText() != said ||
			in.Unjudged() != unjudged {
			t.Errorf("%s: got %d signals, %d bad lines, %q and %q, want %d, %d, %q and %q", text,
				len(made), in.BadLines, in.AlertsText(), in.Unjudged(), signals, bad, said,
				unjudged)
		}
	}
	none := func(n, of int) string {
		return fmt.Sprintf("%d of %d documents are alerts, and were not judged: no rule here is "+
			"about alerts, by its index patterns or by its condition.", n, of)
	}
	some := func(n, of, rules int) string {
		return fmt.Sprintf("%d of %d documents are alerts: only the rules about alerts (%d) judged "+
			"them.", n, of, rules)
	}
	f(plain, 1, 0, "", "", other)
	f(alert, 0, 0, none(1, 1), none(1, 1), other)
	f(plain+alert, 1, 0, none(1, 2), "", other)
	f(plain+alert, 3, 0, some(1, 2, 1), "", other, beside) // index patterns are not applied
	f(alert, 1, 0, some(1, 1, 2), "", over, beside)        // it is an alert of Kibana's rule over
	const fields = `{"_index":"a","_id":"1","fields":{"event.kind":["signal"],"name":["x"],` +
		`"kibana.alert.uuid":["1"]}}` + "\n"
	f(plain+fields, 2, 1, "", "", other, beside)
	f(plain+fields, 1, 0, "", "", other)
}

// Alerts are indicators of a rule whose threat_index names some, but for its own ones.
func TestScanOfIndicatorsThatAreAlerts(t *testing.T) {
	f := func(by string, index string, want int) {
		t.Helper()
		r := matching(t, "*:*")
		r.Body.(*rule.IndicatorQuery).ThreatIndex = []string{index}
		rules := rulesOf(t)
		defer rules.Close()
		if err := rules.Add(r); err != nil {
			t.Fatal(err)
		}
		if _, err := rules.ReadIndicators(t.Context(), []scan.Input{input("ti", fmt.Sprintf(
			`{"event.kind":"signal","kibana.alert.uuid":"1","kibana.alert.rule.uuid":%q,`+
				`"threat.indicator.ip":"10.0.0.1"}`, by))}, time.Now()); err != nil {
			t.Fatal(err)
		}
		got := run(rules, input("events", `{"name":"x","ip":"10.0.0.1"}`))
		if got.summary.Created != want || got.err != nil {
			t.Errorf("an alert of %s in %s: got %+v, %v, want %d signals", by, index, got.summary,
				got.err, want)
		}
	}
	f("other", ".alerts-security.*", 1)
	f("match", ".alerts-security.*", 0)
	f("other", "ti-*", 0)
}
