package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/span"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func detection(id rule.ID, name string) *detect.Detection {
	return &detect.Detection{Rule: &rule.Rule{Head: rule.Head{ID: id, Name: name}}}
}

// exported gives the lines of the metrics whose names begin with prefix, without the # before them.
func exported(t *testing.T, m *Metrics, prefix string) []string {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return linesWith(text.String(), prefix)
}

func linesWith(text, prefix string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

func check(t *testing.T, m *Metrics, prefix string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, exported(t, m, prefix)); diff != "" {
		t.Errorf("%s* (-want +got):\n%s", prefix, diff)
	}
}

// What the ledger says, and a lag that grows while nothing happens.
func TestStanding(t *testing.T) {
	c := newClock()
	m := New(Options{Now: c.now})
	m.Rules([]*detect.Detection{detection("a", "A"), detection("b", "B")}, 0)
	check(t, m, "esrule_rule_covered") // nothing is known yet, so nothing is said
	check(t, m, "esrule_rule_lag")

	since := c.at.Add(-10 * time.Hour)
	hour := func(from, to int) span.Interval {
		return span.New(since.Add(time.Duration(from)*time.Hour),
			since.Add(time.Duration(to)*time.Hour))
	}
	l := schedule.NewLedger("a", "A", since)
	l.Covered = span.Intervals{hour(0, 6), hour(8, 10)}
	l.Open = []schedule.OpenIndex{
		{Index: "x", Time: span.Intervals{hour(3, 4)}},
		{Index: "y", Time: span.Intervals{hour(3, 5)}},
	}
	m.Ledger(l)
	c.at = c.at.Add(30 * time.Second)
	const a = `{rule="A",rule_id="a"} `
	check(t, m, "esrule_rule_covered_up_to",
		fmt.Sprintf("esrule_rule_covered_up_to_timestamp_seconds%s%v", a,
			float64(since.Add(3*time.Hour).Unix())))
	check(t, m, "esrule_rule_lag", fmt.Sprintf("esrule_rule_lag_seconds%s%d", a, 7*3600+30))
	check(t, m, "esrule_rule_gap", "esrule_rule_gap_seconds"+a+"7200")
	check(t, m, "esrule_rule_late_sweep") // none is complete
	check(t, m, "esrule_rule_open", "esrule_rule_open_indices"+a+"2", "esrule_rule_open_seconds"+a+
		"7200")

	l.Sweep = &schedule.Sweep{Start: since, CompletedAt: since.Add(time.Hour)}
	m.Ledger(l)
	check(t, m, "esrule_rule_late_sweep",
		fmt.Sprintf("esrule_rule_late_sweep_timestamp_seconds%s%v", a, float64(since.Unix())))
	l.Sweep.CompletedAt = time.Time{}
	m.Ledger(l)
	check(t, m, "esrule_rule_late_sweep")

	// A ledger that another rule left says nothing of those that run.
	m.Ledger(schedule.NewLedger("gone", "Gone", since))
	check(t, m, "esrule_rule_lag", fmt.Sprintf("esrule_rule_lag_seconds%s%d", a, 7*3600+30))
}

// report is a run of one rule.
func report(one schedule.RuleReport) schedule.Report {
	return schedule.Report{Rules: []schedule.RuleReport{one}}
}

func TestRun(t *testing.T) {
	c := newClock()
	m := New(Options{Now: c.now})
	m.Rules([]*detect.Detection{detection("a", "A")}, 3)
	check(t, m, "esrule_rules_", "esrule_rules_loaded 1", "esrule_rules_skipped 3")
	check(t, m, "esrule_last_run") // none has ended yet
	const a = `{rule="A",rule_id="a"} `
	// the first increase can be seen
	check(t, m, "esrule_rule_signals_created_total", "esrule_rule_signals_created_total"+a+"0")
	m.Run(c.at, 0, schedule.Report{}, errors.New("the cluster is away"))
	check(t, m, "esrule_rule_last_run") // no rule had its turn

	run := schedule.Run{At: c.at, Duration: 2 * time.Second, Searched: 9 * time.Minute, Indices: 4,
		Searches: 1,
		Counts: detect.Counts{Candidates: 50, Matched: 9, Created: 5, Duplicates: 2,
			Reduced: 1, WithoutEvent: 1, DeadLettered: 1, Excepted: 7, ChainStopped: 6},
		Swept: &schedule.Swept{Created: 3}}
	other := schedule.RuleReport{RuleID: "b", Name: "B", Run: run}
	other.Run.Created, other.Run.DeadLettered = 0, 0
	for range 2 {
		m.Run(c.at, 3*time.Second, schedule.Report{Indices: 6, Rules: []schedule.RuleReport{
			{RuleID: "a", Name: "A", Run: run, Open: []schedule.OpenIndex{{}, {}}}, other}}, nil)
	}
	// Of each rule, and of all.
	const b, all = `{rule="B",rule_id="b"} `, " "
	f := func(name, labels, total, last string) {
		t.Helper()
		series := func(name, value string) {
			t.Helper()
			if value != "" && !slices.Contains(exported(t, m, name), name+labels+value) {
				t.Errorf("got %q, want %s%s%s", exported(t, m, name), name, labels, value)
			}
		}
		series("esrule_rule_"+name+"_total", total)
		series("esrule_rule_last_run_"+name, last)
		if n := len(exported(t, m, "esrule_rule_last_run_"+name)); labels == all && last != "" && n != 1 {
			t.Errorf("%s: got %d series, want one for all rules", name, n)
		}
	}
	f("searched_seconds", all, "2160", "1080")
	f("candidates", all, "200", "")
	f("candidates", a, "", "50")
	f("matches", all, "36", "18")
	f("signals_created", a, "10", "5")
	f("signals_created", b, "0", "0")
	f("late_signals_created", all, "12", "6")
	f("duplicates", all, "8", "4")
	f("signals_reduced", all, "4", "2")
	f("signals_without_event", all, "4", "2")
	f("excepted", all, "28", "14")
	f("chain_stopped", all, "24", "12")
	f("dead_letters", a, "2", "1")
	f("dead_letters", b, "0", "0")
	f("indices", all, "", "6")
	f("searches", all, "", "2")
	f("together", all, "", "0")
	f("success", a, "", "0")
	f("success", b, "", "1")
	check(t, m, "esrule_rule_run_duration_seconds_count",
		"esrule_rule_run_duration_seconds_count 4")
	check(t, m, "esrule_rule_run_duration_seconds_sum", "esrule_rule_run_duration_seconds_sum 8")
	check(t, m, `esrule_rule_failures_total{kind="index"`,
		`esrule_rule_failures_total{kind="index"} 4`)
	check(t, m, `esrule_rule_failures_total{kind="dead_letter"`,
		`esrule_rule_failures_total{kind="dead_letter"} 2`)
	check(t, m, "esrule_last_run",
		"esrule_last_run_duration_seconds 3",
		"esrule_last_run_success 0",
		fmt.Sprintf("esrule_last_run_timestamp_seconds %v", float64(c.at.Unix()+3)))
}

func TestOutcomes(t *testing.T) {
	f := func(why string, r schedule.Report, err error, want outcome) {
		t.Helper()
		if got := outcomeOf(r, err); got != want {
			t.Errorf("%s: got %s, want %s", why, got, want)
		}
	}
	good := schedule.RuleReport{RuleID: "a"}
	f("all covered", report(good), nil, covered)
	f("an index is open", report(schedule.RuleReport{Open: []schedule.OpenIndex{{}}}), nil,
		notCovered)
	f("a dead letter", report(
		schedule.RuleReport{Run: schedule.Run{Counts: detect.Counts{DeadLettered: 1}}}), nil,
		notCovered)
	f("a rule failed", report(schedule.RuleReport{Err: errors.New("x")}), nil, notCovered)
	f("no cluster", schedule.Report{}, errors.New("no cluster answers"), notBegun)
	f("told to end", report(schedule.RuleReport{Err: context.Canceled}), context.Canceled,
		interrupted)
	f("told to end before it began", schedule.Report{}, fmt.Errorf("wait: %w", context.Canceled),
		interrupted)
}

func TestKinds(t *testing.T) {
	f := func(err error, want kind) {
		t.Helper()
		got, failed := kindOf(err)
		if got != want || failed != (want != "") {
			t.Errorf("%v: got %q (failed: %v), want %q", err, got, failed, want)
		}
		if want != "" && !slices.Contains(kinds(), want) {
			t.Errorf("kind %q is not listed", want)
		}
	}
	wrap := func(err error) error { return fmt.Errorf("cover: %w", err) }
	f(nil, "")
	f(wrap(context.Canceled), "")
	f(wrap(&elastic.Error{Status: 401}), unauthorized)
	f(wrap(&elastic.Error{Status: 403}), forbidden)
	f(wrap(&elastic.Error{Status: 404, Type: "search_context_missing_exception"}), expired)
	f(wrap(&elastic.Error{Status: 429, Type: "circuit_breaking_exception"}), refused)
	f(wrap(ledgerRefused(401)), unauthorized)
	f(wrap(ledgerRefused(403)), forbidden)
	f(wrap(ledgerRefused(503)), refused)
	f(wrap(elastic.ErrUnreachable), unreachable)
	f(wrap(&net.OpError{Op: "dial", Err: errors.New("connection refused")}), unreachable)
	f(wrap(context.DeadlineExceeded), unreachable)
	f(errors.New("a signal cannot be made"), other)
}

// ledgerRefused is a refusal that package search knows nothing of.
type ledgerRefused int

func (r ledgerRefused) Error() string   { return "refused" }
func (r ledgerRefused) HTTPStatus() int { return int(r) }

func TestFailuresByKind(t *testing.T) {
	c := newClock()
	m := New(Options{Now: c.now})
	m.Rules([]*detect.Detection{detection("a", "A")}, 0)
	m.Run(c.at, 0, report(schedule.RuleReport{RuleID: "a", Name: "A", Err: elastic.ErrUnreachable}),
		nil)
	m.Run(c.at, 0, report(schedule.RuleReport{RuleID: "a", Name: "A", Err: context.Canceled}),
		context.Canceled)
	got := 0
	for _, line := range exported(t, m, "esrule_rule_failures_total") {
		if !strings.HasSuffix(line, " 0") {
			got++
			if want := `esrule_rule_failures_total{kind="unreachable"} 1`; line != want {
				t.Errorf("got %s, want %s", line, want)
			}
		}
	}
	if got != 1 {
		t.Errorf("kinds that were counted: got %d, want 1", got)
	}
	check(t, m, `esrule_runs_total{outcome="interrupted"`,
		`esrule_runs_total{outcome="interrupted"} 1`)
	check(t, m, `esrule_runs_total{outcome="not_covered"`,
		`esrule_runs_total{outcome="not_covered"} 1`)
}

func TestCostly(t *testing.T) {
	c := newClock()
	m := New(Options{Now: c.now})
	m.Rules([]*detect.Detection{detection("a", "A")}, 0)
	f := func(run schedule.Run, want string) {
		t.Helper()
		m.Run(c.at, 0, report(schedule.RuleReport{RuleID: "a", Name: "A", Run: run}), nil)
		check(t, m, "esrule_rule_costly", `esrule_rule_costly{rule="A",rule_id="a"} `+want)
	}
	f(schedule.Run{Searched: time.Minute, Counts: detect.Counts{Candidates: 1_000_000}}, "1")
	f(schedule.Run{Searched: time.Minute, Counts: detect.Counts{Candidates: 3},
		Duration: time.Second}, "0")
	f(schedule.Run{Searched: time.Minute, Duration: time.Minute}, "1")
}

// A rule that runs no more, or under another name, leaves nothing behind.
func TestRulesChange(t *testing.T) {
	c := newClock()
	m := New(Options{Now: c.now})
	m.Rules([]*detect.Detection{detection("a", "A"), detection("b", "B")}, 0)
	for _, r := range []schedule.RuleReport{{RuleID: "a", Name: "A"},
		{RuleID: "b", Name: "B", Err: errors.New("x")}} {
		m.Run(c.at, time.Second, report(r), nil)
		m.Ledger(schedule.NewLedger(r.RuleID, r.Name, c.at))
	}
	m.Rules([]*detect.Detection{detection("a", "A2")}, 0)
	for _, line := range exported(t, m, "esrule_rule_") {
		if strings.Contains(line, "rule=") && !strings.Contains(line, `rule="A2",rule_id="a"`) {
			t.Errorf("left behind: %s", line)
		}
	}
	check(t, m, "esrule_rule_lag", `esrule_rule_lag_seconds{rule="A2",rule_id="a"} 0`)
	check(t, m, "esrule_rules_loaded", "esrule_rules_loaded 1")
}

func TestReload(t *testing.T) {
	c := newClock()
	m := New(Options{Now: c.now})
	f := func(taken, refused, good int) {
		t.Helper()
		check(t, m, "esrule_reloads_total",
			fmt.Sprintf(`esrule_reloads_total{outcome="refused"} %d`, refused),
			fmt.Sprintf(`esrule_reloads_total{outcome="taken"} %d`, taken))
		check(t, m, "esrule_last_reload",
			fmt.Sprintf("esrule_last_reload_success %d", good),
			fmt.Sprintf("esrule_last_reload_timestamp_seconds %v", float64(c.at.Unix())))
	}
	f(0, 0, 1)
	c.at = c.at.Add(time.Hour)
	m.Reload(c.at, errors.New("malformed"))
	f(0, 1, 0)
	c.at = c.at.Add(time.Hour)
	m.Reload(c.at, nil)
	f(1, 1, 1)
}

// Names and help as Prometheus wants them, units included.
func TestLint(t *testing.T) {
	families, err := everything(t, false).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range families {
		if name := f.GetName(); !strings.HasPrefix(name, "esrule_") &&
			!strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s: a metric without the program's prefix", name)
		}
	}
}

// everything gives metrics with a value in each.
func everything(t *testing.T, once bool) *Metrics {
	t.Helper()
	c := newClock()
	m := New(Options{Now: c.now, Version: "1", Commit: "c", Runtime: "go", Once: once})
	m.Rules([]*detect.Detection{detection("a", "A")}, 1)
	m.PatternsWithoutIndex(1)
	m.Run(c.at, time.Second,
		report(schedule.RuleReport{RuleID: "a", Name: "A", Run: schedule.Run{At: c.at}}), nil)
	m.Ledger(schedule.NewLedger("a", "A", c.at.Add(-time.Hour)))
	m.Reload(c.at, nil)
	return m
}
