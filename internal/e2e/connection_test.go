package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// hungAddress accepts connections and answers nothing.
func hungAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return "http://" + l.Addr().String()
}

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

// A node that accepts connections and never answers costs a run seconds, wherever it is in the list.
func TestHungNode(t *testing.T) {
	t.Parallel()
	f := func(name string, order func(hung, good string) string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "events-*")
			s.Create(s.name("events-1"), ecs)
			s.put("events-1", "a", match(time.Minute))
			hung := hungAddress(t)
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
		eventually(t, "a signal for each of "+strings.Join(want, " "), func() bool { return slices.Equal(s.found(), want) })
	}
	eventually(t, "the first run ends", func() bool { return strings.Contains(service.stderr.String(), "msg=run ") })
	finds("before")
	sick.hang()
	began := time.Now()
	s.put("events-1", "hanging", match(0))
	finds("before", "hanging")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
	log := service.stderr.String()
	if n := strings.Count(log, "an address of the cluster does not answer"); n != 1 || strings.Contains(log, "level=ERROR") {
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
