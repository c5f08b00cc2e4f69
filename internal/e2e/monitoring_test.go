package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// valve stands between the program and the server: it lets everything through, cuts every
// connection, or holds the searches back until it is opened again, or cuts them too.
type valve struct {
	*httptest.Server

	mu    sync.Mutex
	cuts  bool
	holds chan struct{} // not nil where searches wait for it
	held  int           // that wait, or have
}

func newValve(t *testing.T, target string) *valve {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{}
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cuts, holds := v.state()
		if holds != nil && r.URL.Path == "/_search" {
			v.mu.Lock()
			v.held++
			v.mu.Unlock()
			select {
			case <-holds:
			case <-r.Context().Done():
				return
			}
			cuts, _ = v.state()
		}
		if cuts {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		v.open()
		v.Close()
	})
	return v
}

func (v *valve) cut() { v.set(true, nil) }

func (v *valve) hold() { v.set(false, make(chan struct{})) }

func (v *valve) isHolding() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.held > 0
}

func (v *valve) state() (cuts bool, holds chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cuts, v.holds
}

func (v *valve) open() { v.set(false, nil) }

func (v *valve) set(cuts bool, holds chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.holds != nil {
		close(v.holds)
	}
	v.cuts, v.holds = cuts, holds
}

// monitored is a service under way that serves its metrics.
type monitored struct {
	*process
	address string
}

func startMonitored(t *testing.T, s *stage, args ...string) *monitored {
	t.Helper()
	m := &monitored{address: freeAddress(t)}
	s.more["METRICS_ADDRESS"] = m.address
	s.more["SCHEDULE"] = "@every 1s"
	m.process = start(t, s.env(), append([]string{"run"}, args...)...)
	return m
}

// freeAddress is one that nobody listens on. Its port is below those that systems give out by
// themselves, or whoever asked for any, in a test beside, could get it before the program.
func freeAddress(t *testing.T) string {
	t.Helper()
	const lowest, ports, tries = 20_000, 12_000, 100
	var err error
	for range tries {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(lowest+rand.IntN(ports)))
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatalf("no free port in %d tries: %v", tries, err)
	return ""
}

// get gives the answer to a request, or 0 where nobody answers yet.
func (m *monitored) get(path string) (status int, body string) {
	m.t.Helper()
	res, err := http.Get("http://" + m.address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

// value gives a metric by its name and the labels beside the rule's, such as
// `esrule_runs_total{outcome="covered"}`.
func (m *monitored) value(name string) (float64, bool) {
	m.t.Helper()
	_, body := m.get("/metrics")
	return valueIn(m.t, body, name)
}

func valueIn(t *testing.T, text, name string) (float64, bool) {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader([]byte(text)))
	if err != nil {
		return 0, false // nobody answered yet
	}
	family, selector, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
	for _, one := range families[family].GetMetric() {
		labels := ""
		for _, l := range one.Label {
			if l.GetName() != "rule" && l.GetName() != "rule_id" {
				labels += fmt.Sprintf("%s=%q", l.GetName(), l.GetValue())
			}
		}
		if labels == selector {
			// One of the three is there, and the others are nil and give 0.
			return one.GetGauge().GetValue() + one.GetCounter().GetValue() +
				float64(one.GetHistogram().GetSampleCount()), true
		}
	}
	return 0, false
}

// reaches waits until a metric has a value.
func (m *monitored) reaches(name string, want float64) {
	m.t.Helper()
	eventually(m.t, fmt.Sprintf("%s is %v", name, want), func() bool {
		got, there := m.value(name)
		return there && got == want
	})
}

func (m *monitored) answers(path string, status int, text string) {
	m.t.Helper()
	eventually(m.t, fmt.Sprintf("%s answers %d %q", path, status, text), func() bool {
		got, body := m.get(path)
		return got == status && strings.Contains(body, text)
	})
}

// What the endpoints say of a service that finds something, whose cluster goes away, and comes
// back. No answer holds the password.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.put("events-1", "b", match(2*time.Minute))
	near := match(time.Minute)
	near["file"].(map[string]any)["path"] = `C:\elsewhere\shell.aspx`
	s.put("events-1", "near", near)
	v := newValve(t, s.url)
	s.url = v.URL
	if s.password == "" { // a server without security takes any
		s.user, s.password = "planted", "planted-secret"
	}

	m := startMonitored(t, s)
	m.answers("/readyz", 200, "ok")
	m.answers("/healthz", 200, "ok")
	m.reaches("esrule_rule_signals_created_total", 2)
	at := func(name string, least float64) {
		t.Helper()
		if got, there := m.value(name); !there || got < least {
			t.Errorf("%s: got %v (there: %v), want %v or more", name, got, there, least)
		}
	}
	at("esrule_rule_matches_total", 2)
	at("esrule_rule_candidates_total", 3)
	at("esrule_rule_searched_seconds_total", 3600)
	at("esrule_rule_run_duration_seconds", 1)
	at("esrule_run_duration_seconds", 1)
	at(`esrule_runs_total{outcome="covered"}`, 1)
	at("esrule_build_info{"+s.buildLabels(m)+"}", 1)
	at("process_resident_memory_bytes", 1)
	m.reaches("esrule_rules_loaded", 1)
	m.reaches("esrule_last_run_success", 1)
	m.reaches("esrule_rule_last_run_success", 1)
	m.reaches("esrule_rule_gap_seconds", 0)
	m.reaches("esrule_rule_open_indices", 0)
	m.reaches("esrule_patterns_without_index", 0)
	upTo, _ := m.value("esrule_rule_covered_up_to_timestamp_seconds")
	if ledger := s.ledger(); upTo < float64(ledger.Since.Unix()) ||
		upTo > float64(time.Now().Unix()+1) {
		t.Errorf("covered up to: got %v, want a time since %s", upTo, ledger.Since)
	}

	v.hold()
	eventually(t, "a run searches", v.isHolding)
	v.cut() // not while signals are written: for those the program waits as long as this test does
	m.answers("/readyz", 503, "not ready: the cluster does not answer")
	m.reaches("esrule_last_run_success", 0)
	eventually(t, "a run that could not begin is counted", func() bool {
		n, _ := m.value(`esrule_runs_total{outcome="not_begun"}`)
		return n > 0
	})
	m.answers("/healthz", 200, "ok") // it polls, and is not to be restarted
	before, _ := m.value("esrule_rule_lag_seconds")
	eventually(t, "the lag grows while nothing can be searched", func() bool {
		lag, _ := m.value("esrule_rule_lag_seconds")
		return lag > before
	})

	v.open()
	m.answers("/readyz", 200, "ok")
	m.reaches("esrule_last_run_success", 1)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		if _, body := m.get(path); strings.Contains(body, s.password) ||
			strings.Contains(body, s.user) {
			t.Errorf("%s shows the credentials:\n%s", path, body)
		}
	}
}

// buildLabels are those that the program says of itself.
func (s *stage) buildLabels(m *monitored) string {
	_, body := m.get("/metrics")
	for line := range strings.Lines(body) {
		if labels, ok := strings.CutPrefix(line, "esrule_build_info{"); ok {
			labels, _, _ = strings.Cut(labels, "}")
			return strings.ReplaceAll(labels, ",", "")
		}
	}
	return ""
}

// An index that does not answer, and signals that no index takes, each show by a metric of their
// own.
func TestMonitoringFailures(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.Create(s.name("events-2"),
		`{"mappings": {"_source": {"enabled": false}, "properties": {"@timestamp": {"type": "date"}}}}`)
	s.put("events-1", "a", match(time.Minute))
	// the index takes this one's signal, so the other's is at fault
	s.put("events-1", "7", match(2*time.Minute))
	s.Create(s.signalsIndex(), `{"mappings": {"properties": {
		"kibana.alert.ancestors": {"properties": {"id": {"type": "long"}}}}}}`)
	m := startMonitored(t, s)
	m.reaches("esrule_rule_open_indices", 1)
	m.reaches("esrule_rule_dead_letters_total", 1)
	m.reaches(`esrule_rule_failures_total{kind="dead_letter"}`, 1)
	for name, least := range map[string]float64{
		"esrule_rule_open_seconds":                 3600,
		"esrule_rule_lag_seconds":                  3600,
		`esrule_rule_failures_total{kind="index"}`: 1,
		`esrule_runs_total{outcome="not_covered"}`: 1,
	} {
		if got, _ := m.value(name); got < least {
			t.Errorf("%s: got %v, want %v or more", name, got, least)
		}
	}
	m.reaches("esrule_rule_gap_seconds", 0)
	eventually(t, "three runs have ended", func() bool {
		n, _ := m.value("esrule_run_duration_seconds")
		return n >= 3
	})
	if n := strings.Count(m.stderr.String(), "not made by esrule"); n != 1 {
		t.Errorf("the warning about the signals index was given %d times, want once:\n%s", n,
			m.stderr.String())
	}
}

// At the start the three indices are looked at once, not once more by the first run.
func TestIndicesAreEnsuredOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.runOnce() // they are there
	p := newProxy(t, s.url)
	s.url = p.URL
	m := startMonitored(t, s)
	eventually(t, "the first run ends", func() bool {
		return strings.Contains(m.stderr.String(), "msg=run ")
	})
	looks := 0
	for _, c := range p.seen() {
		if strings.HasSuffix(c.path, "/_pit") {
			break
		}
		if c.method == http.MethodGet && c.path == "/"+s.signalsIndex() {
			looks++
		}
	}
	if looks != 1 {
		t.Errorf("the signals index was looked at %d times before the first search, want once",
			looks)
	}
}

// An address that somebody else listens on is for the user to mend.
func TestMetricsAddressIsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	env := []string{"ESRULE_ELASTICSEARCH_URL=http://127.0.0.1:1", "ESRULE_METRICS_ADDRESS=" +
		l.Addr().String()}
	run(t, env, "run").want(t, 2).says(t, "ESRULE_METRICS_ADDRESS="+
		strconv.Quote(l.Addr().String()), "address already in use")
}

// The endpoints answer before the cluster does.
func TestMonitoringBeforeTheCluster(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	v := newValve(t, s.url)
	v.cut()
	s.url = v.URL
	m := startMonitored(t, s)
	m.answers("/healthz", 200, "ok")
	m.answers("/readyz", 503, "not ready: the cluster has not answered yet")
	v.open()
	m.answers("/readyz", 200, "ok")
}

func TestMetricsFile(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	file := filepath.Join(t.TempDir(), "esrule.prom")
	holds := func(name string, want float64) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, there := valueIn(t, string(text), name); !there || got != want {
			t.Errorf("%s: got %v (there: %v), want %v, in\n%s", name, got, there, want, text)
		}
	}
	s.run("run", "--once", "--metrics-file", file).want(t, 0)
	holds("esrule_last_run_success", 1)
	holds("esrule_rule_last_run_signals_created", 1)
	holds("esrule_rule_gap_seconds", 0)
	ledger := s.ledger()
	upTo := float64(ledger.CoveredUpTo().UnixMilli()) / 1000
	holds("esrule_rule_covered_up_to_timestamp_seconds", upTo)

	// Another address, where no cluster is: the run fails, the file says so, and what was covered
	// stays covered.
	stranger := httptest.NewServer(http.NotFoundHandler())
	defer stranger.Close()
	direct := s.url
	s.url = stranger.URL
	s.run("run", "--once", "--metrics-file", file).want(t, 1).says(t, "not Elasticsearch")
	holds("esrule_last_run_success", 0)
	holds("esrule_rule_covered_up_to_timestamp_seconds", upTo)

	s.url = direct
	s.run("run", "--once", "--metrics-file", file).want(t, 0)
	holds("esrule_last_run_success", 1)
	holds("esrule_rule_last_run_signals_created", 0)

	// A file that cannot be written is told, after the work is done.
	s.put("events-1", "b", match(0))
	s.run("run", "--once", "--metrics-file", filepath.Join(t.TempDir(), "no-such-folder",
		"x.prom")).want(t, 1).says(t, "write the metrics to")
	s.wantFound("a", "b")
}
