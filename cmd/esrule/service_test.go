package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/metrics"
	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
	"esrule/internal/sink/indices"
)

// movedClock is a time that a test moves while others read it.
type movedClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *movedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *movedClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A run that waits for an answer that never comes shows at /healthz; that readiness is asked
// meanwhile does not hide it.
func TestHangingPollShows(t *testing.T) {
	asked := make(chan struct{}, 100)
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/_security/_authenticate" {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			return
		}
		asked <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not noticed
		<-r.Context().Done()
	}))
	defer stuck.Close()
	setEnvironment(t, "ESRULE_ELASTICSEARCH_URL="+stuck.URL)
	cfg, err := config.Load(os.Environ(), noon)
	if err != nil {
		t.Fatal(err)
	}
	clock := &movedClock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	a.now = clock.now
	s := &service{app: a, cfg: cfg, log: a.logger(cfg), metrics: a.newMetrics(false),
		health: metrics.NewHealth(clock.now)}
	rules, err := a.ruleSet(cfg, s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.rules = &rules
	s.next.Store(&rules)
	c, err := elastic.New(cfg.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.setUp(c); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.poll(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	<-asked
	alive := func(want string) {
		t.Helper()
		got := "alive"
		if err := s.health.Alive(); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	alive("alive")
	clock.move(time.Hour)
	if err := c.Probe(context.Background()); err != nil {
		t.Fatal(err)
	}
	alive("the run under way hangs: nothing was heard of the cluster for 1h0m0s")
}

func TestWarnedOnce(t *testing.T) {
	var log strings.Builder
	k := &keeper{log: newLogger(&log, config.LogText, 0)}
	f := func(want int, problems ...string) {
		t.Helper()
		var warnings []indices.Warning
		for _, p := range problems {
			warnings = append(warnings, indices.Warning{On: "index template esrule-state",
				Problem: p})
		}
		log.Reset()
		k.warn(warnings)
		if got := strings.Count(log.String(), "left as it is"); got != want {
			t.Errorf("%q: warned %d times, want %d: %s", problems, got, want, log.String())
		}
	}
	f(0)
	f(1, "older")
	f(0, "older")
	f(1, "older", "not made by esrule")
	f(0, "not made by esrule", "older")
	f(0, "older")
	f(1, "newer")
	f(0)
	f(1, "newer") // mended, and there again
}

func TestRuleChange(t *testing.T) {
	set := func(rules ...string) []*detect.Detection {
		var all []*detect.Detection
		for _, r := range rules {
			id, pattern, _ := strings.Cut(r, " ")
			all = append(all, &detect.Detection{Rule: &rule.Rule{
				Head: rule.Head{ID: rule.ID(id)},
				Body: &rule.EventQuery{Query: &cond.Query{}}},
				Where: detect.Where{Patterns: []string{pattern}}})
		}
		return all
	}
	f := func(before, after []*detect.Detection, added, changed, removed string) {
		t.Helper()
		c := changeOf(before, after)
		for _, one := range []struct {
			what string
			got  []rule.ID
			want string
		}{{"added", c.added, added}, {"changed", c.changed, changed},
			{"removed", c.removed, removed}} {
			var want []rule.ID
			for _, id := range strings.Fields(one.want) {
				want = append(want, rule.ID(id))
			}
			if !slices.Equal(one.got, want) {
				t.Errorf("%s: got %q, want %q", one.what, one.got, want)
			}
		}
	}
	f(set("a x"), set("a x"), "", "", "")
	f(set("a x"), set("a x", "b x"), "b", "", "")
	f(set("a x", "c x", "b x"), set("b x"), "", "", "a c")
	f(set("a x", "b x"), set("a y", "c x"), "c", "a", "b")
}
