package deploy_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/metrics"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// scraped returns the lines of the series that a service of so many rules exports.
func scraped(rules int) (series []string) {
	m := metrics.New(metrics.Options{Now: time.Now})
	var detections []*detect.Detection
	var report schedule.Report
	for i := range rules {
		id, name := rule.ID(fmt.Sprint("r", i)), fmt.Sprint("R", i)
		detections = append(detections,
			&detect.Detection{Rule: &rule.Rule{Head: rule.Head{ID: id, Name: name}}})
		report.Rules = append(report.Rules, schedule.RuleReport{RuleID: id, Name: name})
		ledger := schedule.NewLedger(id, name, time.Now())
		ledger.Sweep = &schedule.Sweep{Start: time.Now(), CompletedAt: time.Now()}
		m.Ledger(ledger)
	}
	m.Rules(detections, 0)
	m.PatternsWithoutIndex(0)
	m.Cluster(elastic.Report{Failure: elastic.Unreachable})
	m.Run(time.Now(), time.Second, report, nil)
	answer := httptest.NewRecorder()
	m.Handler(metrics.Probes{}, slog.New(slog.DiscardHandler)).ServeHTTP(answer,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			series = append(series, line)
		}
	}
	return series
}

// exported returns the names of all series that a service exports.
func exported() map[string]bool {
	names := map[string]bool{}
	for _, line := range scraped(1) {
		names[line[:strings.IndexAny(line, "{ ")]] = true
	}
	return names
}

// metricName finds what can only be a metric of ours, or of the process, in an expression.
// anchor is where a link within a page leads: a heading may hold the name of a variable.
var anchor = regexp.MustCompile(`\]\(#[^)]*\)`)

var metricName = regexp.MustCompile(`\b(esrule|process|go)_[a-z0-9_]+\b`)

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

type alert struct {
	Alert               string
	Expr                string
	For                 string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var f ruleFile
	decode(t, "prometheus/esrule.rules.yaml", &f)
	var all []alert
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// dashboard is what a panel is asked about.
type dashboard struct {
	Title  string
	Panels []struct {
		ID      int
		Type    string
		Title   string
		Targets []struct{ Expr, RefID string }
	}
}

func panels(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "grafana/esrule.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every metric that an alert or a panel names is exported; every metric of a rule's health has an
// alert or a panel.
func TestMetricsAreExported(t *testing.T) {
	there := exported()
	named := map[string]bool{}
	f := func(where, expr string) {
		t.Helper()
		found := metricName.FindAllString(expr, -1)
		if len(found) == 0 && !strings.Contains(expr, "kube_cronjob_") {
			t.Errorf("%s names no metric: %s", where, expr)
		}
		for _, name := range found {
			named[name] = true
			if !there[name] {
				t.Errorf("%s names %s, which is not exported: %s", where, name, expr)
			}
		}
	}
	for _, a := range alerts(t) {
		f(a.Alert, a.Expr)
	}
	ids := map[int]bool{}
	for _, p := range panels(t).Panels {
		if p.Title == "" || ids[p.ID] || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q: has no title, no query, or the number of another", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			f("the panel "+p.Title, target.Expr)
		}
	}
	for _, name := range []string{
		"esrule_rule_covered_up_to_timestamp_seconds", "esrule_rule_gap_seconds",
		"esrule_rule_open_indices", "esrule_rule_open_seconds",
		"esrule_rule_failures_total", "esrule_rule_dead_letters_total", "esrule_rule_costly",
		"esrule_last_run_success",
	} {
		if !named[name] {
			t.Errorf("%s is shown by no alert and no panel", name)
		}
	}
	text := anchor.ReplaceAllString(read(t, "README.md")+read(t, "../docs/operations.md"), "")
	for _, name := range metricName.FindAllString(text, -1) {
		if base := strings.TrimSuffix(name, "_"); !there[name] && !there[name+"_count"] &&
			base == name {
			t.Errorf("the documentation names %s, which is not exported", name)
		}
	}
}

// Each alert has a test in which it fires, says what is wrong and what it means, and can be sorted.
func TestAlertsAreWhole(t *testing.T) {
	var tests struct {
		Tests []struct {
			Cases []struct {
				Alert    string `yaml:"alertname"`
				Expected []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/esrule.rules_test.yaml")),
		&tests); err != nil {
		t.Fatal(err)
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, one := range tests.Tests {
		for _, c := range one.Cases {
			if len(c.Expected) > 0 {
				fires[c.Alert] = true
			} else {
				quiet[c.Alert] = true
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !quiet[a.Alert] {
			t.Errorf("%s: want a test in which it fires (there: %v) and one in which it does not "+
				"(there: %v)", a.Alert, fires[a.Alert], quiet[a.Alert])
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s: want a summary and a description, got %v", a.Alert, a.Annotations)
		}
		if s := a.Labels["severity"]; s != "critical" && s != "warning" && s != "info" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
	}
}

// promtool gives the program that checks rules as Prometheus reads them.
func promtool(t *testing.T) string {
	t.Helper()
	file, err := exec.LookPath("promtool")
	switch {
	case err == nil:
		return file
	case testing.Short():
		t.Skip("promtool is not here")
	}
	t.Fatal("promtool is not here, and without it the alert rules are not tested: install " +
		"Prometheus (Debian: apt-get install prometheus), or run go test -short")
	return ""
}

// runsPromtool returns what runs promtool in a folder, and fails the test with it.
func runsPromtool(t *testing.T) func(folder string, args ...string) {
	tool := promtool(t)
	return func(folder string, args ...string) {
		t.Helper()
		cmd := exec.Command(tool, args...)
		cmd.Dir = folder
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
		}
	}
}

// queryOf is a panel's query with the dashboard's variables set.
func queryOf(expr string) string {
	return strings.NewReplacer("$job", ".*", "$__rate_interval", "5m", "$__range", "1h").
		Replace(expr)
}

func TestPromtool(t *testing.T) {
	f := runsPromtool(t)
	f("prometheus", "check", "rules", "esrule.rules.yaml")
	f("prometheus", "test", "rules", "esrule.rules_test.yaml")
	f("prometheus", "check", "config", "--syntax-only", "scrape.yaml")

	// The panels' queries, as rules, since promtool reads queries in no other form.
	var recorded []map[string]any
	for _, p := range panels(t).Panels {
		for _, target := range p.Targets {
			recorded = append(recorded, map[string]any{
				"record": "panel:query", "expr": queryOf(target.Expr),
				"labels": map[string]string{"panel": p.Title, "query": target.RefID},
			})
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "panels",
		"rules": recorded}}})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "panels.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	f(folder, "check", "rules", "panels.yaml")
}

// However many rules run, a panel draws few lines and a table has few rows, and no alert fires once
// for each rule.
func TestManyRulesAreFewLines(t *testing.T) {
	f := runsPromtool(t)
	const most = 21 // a table of 20, or 10 rules and their sum, twice
	type m = map[string]any
	var series, queries []m
	for _, line := range scraped(100) {
		name, _, _ := strings.Cut(line, " ")
		if strings.HasSuffix(name, "}") {
			name = strings.TrimSuffix(name, "}") + `,job="j"}`
		} else {
			name += `{job="j"}`
		}
		series = append(series, m{"series": name, "values": "0+7x60"})
	}
	for _, p := range panels(t).Panels {
		for _, target := range p.Targets {
			queries = append(queries, m{"expr": fmt.Sprintf("count(%s) > %d",
				queryOf(target.Expr), most), "eval_time": "30m"})
		}
	}
	for _, a := range alerts(t) {
		queries = append(queries, m{"expr": fmt.Sprintf("count(%s) > 1", a.Expr),
			"eval_time": "30m"})
	}
	text, err := yaml.Marshal(m{"tests": []any{m{"interval": "1m", "input_series": series,
		"promql_expr_test": queries}}})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "many.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	f(folder, "test", "rules", "many.yaml")
}

// Every variable that a file of this folder names is one that the program reads.
func TestVariables(t *testing.T) {
	known := map[string]bool{}
	name := regexp.MustCompile(`\bESRULE_[A-Z_]*[A-Z]`)
	for line := range strings.Lines(read(t, "../config.example.env")) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), "="); ok &&
			strings.HasPrefix(name, "ESRULE_") {
			known[name] = true
		}
	}
	files, err := filepath.Glob("*/*")
	if err != nil || len(files) < 10 {
		t.Fatalf("files: got %q, %v", files, err)
	}
	for _, file := range append(files, "README.md") {
		for _, found := range name.FindAllString(read(t, file), -1) {
			if !known[found] {
				t.Errorf("%s names %s, which is none of %s", file, found,
					slices.Sorted(maps.Keys(known)))
			}
		}
	}
}
