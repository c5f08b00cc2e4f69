package metrics

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// scraped returns what a scrape brings where so many rules run, each with open indices.
func scraped(rules, open int) (series, size int) {
	c := newClock()
	m := New(Options{Now: c.now})
	var detections []*detect.Detection
	var all schedule.Report
	for i := range rules {
		id, name := rule.ID(fmt.Sprintf("00000000-0000-0000-0000-%012d", i)),
			fmt.Sprintf("A Published Rule With a Usual Name %d", i)
		detections = append(detections, detection(id, name))
		one := schedule.RuleReport{RuleID: id, Name: name, Run: schedule.Run{At: c.at}}
		ledger := schedule.NewLedger(id, name, c.at.Add(-time.Hour))
		ledger.Sweep = &schedule.Sweep{Start: c.at, CompletedAt: c.at}
		for j := range open {
			one.Open = append(one.Open, schedule.OpenIndex{Index: fmt.Sprint(j), Reason: "red"})
		}
		ledger.Open = one.Open
		m.Ledger(ledger)
		all.Rules = append(all.Rules, one)
	}
	m.Rules(detections, 0)
	m.Run(c.at, time.Second, all, nil)
	answer := httptest.NewRecorder()
	m.Handler(Probes{}, slog.New(slog.DiscardHandler)).ServeHTTP(answer,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "esrule_") {
			series++
		}
	}
	return series, answer.Body.Len()
}

// The series grow with the rules, by a fixed number for each, and with nothing else.
func TestSeriesAreBounded(t *testing.T) {
	one, _ := scraped(1, 0)
	two, _ := scraped(2, 0)
	many, size := scraped(1000, 50)
	each := two - one
	t.Logf("1,000 rules: %d series of esrule, %d for each rule, %d bytes", many, each, size)
	if want := one + 999*each; many != want {
		t.Errorf("series of 1,000 rules that wait for 50 indices each: got %d, want %d", many, want)
	}
	const most = 14
	if each > most {
		t.Errorf("series for each rule: got %d, want %d at most", each, most)
	}
}
