package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"esrule/internal/estest"
)

// gateway stands before the server and answers itself what spoil takes.
func gateway(t *testing.T, to string, spoil func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !spoil(w, r) {
			next.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// A node that accepts connections and never answers costs a run seconds, wherever it is in the
// list.
func TestHungNode(t *testing.T) {
	t.Parallel()
	f := func(name string, order func(hung, good string) string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "events-*")
			s.Create(s.name("events-1"), ecs)
			s.put("events-1", "a", match(time.Minute))
			hung := estest.HungAddress(t)
			s.url = order(hung, s.url)
			began := time.Now()
			r := s.runOnce()
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			s.wantFound("a")
			s.wantWhole()
			if n := strings.Count(r.stderr, "an address of the cluster does not answer"); n != 1 {
				t.Errorf("the address was named %d times, want once:\n%s", n, r.stderr)
			}
			r.says(t, "address="+hung)
		})
	}
	f("first", func(hung, good string) string { return hung + "," + good })
	f("second", func(hung, good string) string { return good + "," + hung })
}

// A service whose first node begins to hang goes on with the other.
func TestNodeBeginsToHang(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	v := newValve(t, s.url)
	sick := hangingGateway(t, s.url)
	s.url = sick.url + "," + v.URL
	s.more["SCHEDULE"] = "@every 1s"
	service := start(t, s.env(), "run")
	s.put("events-1", "before", match(time.Minute))
	finds := func(want ...string) {
		t.Helper()
		eventually(t, "a signal for each of "+strings.Join(want, " "), func() bool {
			return slices.Equal(s.found(), want)
		})
	}
	eventually(t, "the first run ends", func() bool {
		return strings.Contains(service.stderr.String(), "msg=run ")
	})
	finds("before")
	sick.hang()
	began := time.Now()
	s.put("events-1", "hanging", match(0))
	finds("before", "hanging")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
	log := service.stderr.String()
	if n := strings.Count(log, "an address of the cluster does not answer"); n != 1 ||
		strings.Contains(log, "level=ERROR") {
		t.Errorf("the address was named %d times, want once, and no error of a rule:\n%s", n, log)
	}
}

// hanging is a gateway that can be told to answer no more.
type hanging struct {
	url   string
	until chan struct{}
}

func hangingGateway(t *testing.T, to string) *hanging {
	h := &hanging{until: make(chan struct{})}
	h.url = gateway(t, to, func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-h.until:
			<-t.Context().Done() // till the end of the test, whatever the client does
			return true
		default:
			return false
		}
	})
	return h
}

func (h *hanging) hang() { close(h.until) }

// A service whose cluster is not there at the start waits for it, says so, and then searches all of
// its time; so does one that is refused. It ends well when it is told to while it waits.
func TestServiceWaits(t *testing.T) {
	t.Parallel()
	f := func(name, kind, ready string, spoil func(http.ResponseWriter)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "events-*")
			s.Create(s.name("events-1"), ecs)
			s.put("events-1", "a", match(time.Minute))
			var well atomic.Bool
			s.url = gateway(t, s.url, func(w http.ResponseWriter, _ *http.Request) bool {
				if !well.Load() {
					spoil(w)
					return true
				}
				return false
			})
			m := startMonitored(t, s)
			m.answers("/readyz", 503, ready)
			m.answers("/healthz", 200, "ok, but "+ready)
			m.reaches("esrule_cluster_up", 0)
			if got, _ := m.value(fmt.Sprintf("esrule_cluster_failures_total{kind=%q}",
				kind)); got < 1 {
				t.Errorf("failures of the kind %s: got %v, want 1 or more", kind, got)
			}
			if since, there := m.value("esrule_cluster_down_since_timestamp_seconds"); !there ||
				time.Since(time.Unix(int64(since), 0)) > time.Minute {
				t.Errorf("down since %v (there: %v)", since, there)
			}
			if _, there := m.value("esrule_last_run_timestamp_seconds"); there {
				t.Error("a run has ended, without a cluster")
			}
			if n := strings.Count(m.stderr.String(), "the cluster cannot be used yet"); n != 1 {
				t.Errorf("said %d times that the cluster cannot be used, want once:\n%s", n,
					m.stderr.String())
			}
			well.Store(true)
			m.reaches("esrule_cluster_up", 1)
			m.answers("/readyz", 200, "ok")
			eventually(t, "a signal for the event", func() bool {
				return slices.Equal(s.found(), []string{"a"})
			})
			if _, there := m.value("esrule_cluster_down_since_timestamp_seconds"); there {
				t.Error("down since some time, while it is up")
			}
		})
	}
	f("closed", "unreachable", "the cluster does not answer", func(http.ResponseWriter) {
		panic(http.ErrAbortHandler)
	})
	f("refused", "unauthorized", "the cluster refuses the password or API key",
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) })
	f("default backend", "not_elasticsearch", "what answers is not Elasticsearch",
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) })
	f("bad gateway", "not_ready", "the cluster is not ready",
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })

	t.Run("told to end", func(t *testing.T) {
		t.Parallel()
		p := start(t, []string{"ESRULE_ELASTICSEARCH_URL=http://127.0.0.1:1"}, "run")
		eventually(t, "it waits", func() bool {
			return strings.Contains(p.stderr.String(), "the cluster cannot be used yet")
		})
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.wait().want(t, 0).says(t, "stopped")
	})
}

// A rotated password is read again by a service, without a restart and without a lost event; while
// the file is the old one, everything says why nothing is searched.
func TestRotatedPassword(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	var valid atomic.Value
	valid.Store("first")
	s.url = gateway(t, s.url, func(w http.ResponseWriter, r *http.Request) bool {
		if _, password, _ := r.BasicAuth(); password == valid.Load() {
			r.Header.Del("Authorization")
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	file := writeFile(t, "password", "first\n")
	s.more["ELASTICSEARCH_USERNAME"], s.more["ELASTICSEARCH_PASSWORD_FILE"] = "job", file
	m := startMonitored(t, s)
	finds := func(want ...string) {
		t.Helper()
		eventually(t, "a signal for each of "+strings.Join(want, " "), func() bool {
			return slices.Equal(s.found(), want)
		})
	}
	s.put("events-1", "a", match(0))
	m.answers("/readyz", 200, "ok")
	finds("a")

	valid.Store("second")
	s.put("events-1", "b", match(0))
	m.answers("/readyz", 503, "the cluster refuses the password or API key")
	m.answers("/healthz", 200, "ok, but the cluster refuses the password or API key")
	m.reaches("esrule_cluster_up", 0)
	if got, _ := m.value(`esrule_cluster_failures_total{kind="unauthorized"}`); got < 1 {
		t.Errorf("refusals: got %v, want 1 or more", got)
	}
	if err := os.WriteFile(file, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.answers("/readyz", 200, "ok")
	finds("a", "b")

	if err := os.WriteFile(file, []byte("third\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.hangUp()
	m.logs("the password or API key was read again from its file")
	valid.Store("third")
	s.put("events-1", "c", match(0))
	finds("a", "b", "c")
}

// A gateway that bars the questions about security before a cluster that has none stops nothing.
func TestSecurityPathIsBarred(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 405} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "events-*")
			s.Create(s.name("events-1"), ecs)
			s.put("events-1", "a", match(time.Minute))
			s.url = gateway(t, s.url, func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/_security/") {
					w.WriteHeader(status)
					return true
				}
				return false
			})
			s.runOnce()
			s.wantFound("a")
			s.wantWhole()
		})
	}
}

// The proxy's credentials come from HTTP_PROXY. Without them it is named, and without a proxy that
// can be read nothing begins.
func TestProxyCredentials(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	direct, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	// Requests for this machine never go through a proxy, so the cluster gets another name.
	s.url = "http://elasticsearch.invalid:9200"
	proxy := gateway(t, direct.String(), func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Proxy-Authorization") != "Basic "+
			base64.StdEncoding.EncodeToString([]byte("user:let me in")) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return true
		}
		r.URL.Scheme, r.URL.Host = "", ""
		return false
	})
	through := func(proxy string) result {
		return run(t, append(s.env(), "HTTP_PROXY="+proxy), "run", "--once")
	}
	address := strings.TrimPrefix(proxy, "http://")
	through(proxy).want(t, 1).says(t, "the proxy "+proxy+" does not let the request through (407",
		"HTTP_PROXY")
	through("http://user:wrong-staple@"+address).want(t, 1).says(t, "407").saysNot(t,
		"wrong-staple")
	through("http://user:let me in@[bad").want(t, 2).says(t,
		"HTTP_PROXY (value not shown): not an address").saysNot(t, "let me in")
	through("http://user:let%20me%20in@"+address).want(t, 0)
	s.wantFound("a")
}
