package schedule_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"esrule/internal/query/rule"
)

// counted counts requests.
type counted struct{ n atomic.Int64 }

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return http.DefaultTransport.RoundTrip(req)
}

// TestHealthIsAskedOnce has several rules over indices that lack their shards: the requests of a
// run grow with the rules and with the indices, not with their product.
func TestHealthIsAskedOnce(t *testing.T) {
	const red, rules = 10, 4
	w := newWorld(t)
	w.event(w.index("well"), 3, "bad.exe", 1)
	for i := range red {
		w.Do(http.MethodPut, w.Index(fmt.Sprintf("events-red-%d", i))+"?wait_for_active_shards=0",
			`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	}
	var all []*rule.Rule
	for i := range rules {
		one := *w.rule
		one.ID = rule.ID(fmt.Sprintf("rule-%d", i))
		all = append(all, &one)
	}
	requests := &counted{}
	w.through = w.Through(requests)
	for run := range 3 {
		before := requests.n.Load()
		for _, report := range w.runAll(all...) {
			if len(report.Open) != red {
				t.Errorf("run %d: %d indices are open, want %d", run, len(report.Open), red)
			}
		}
		// 15 a rule and one an index were measured, without those of the ledger.
		if got := requests.n.Load() - before; got > 30*rules+2*red {
			t.Errorf("run %d: %d requests for %d rules and %d red indices", run, got, rules, red)
		} else {
			t.Logf("run %d: %d requests", run, got)
		}
		w.clock = w.clock.Add(time.Second)
	}
}
