package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/sink/signal"
)

// way is a real proxy in front of the server, which does as refuse says with some of the requests.
// refuse reports whether it has answered.
func way(t *testing.T, c *estest.Cluster,
	refuse func(http.ResponseWriter, *http.Request) bool) http.RoundTripper {
	t.Helper()
	target, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !refuse(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { proxy.CloseClientConnections(); proxy.Close() })
	return sentTo(strings.TrimPrefix(proxy.URL, "http://"))
}

// sentTo is a transport that sends everything to a host.
type sentTo string

func (host sentTo) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Host = string(host)
	return http.DefaultTransport.RoundTrip(req)
}

// html answers as a proxy does.
func html(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(code)
	fmt.Fprintf(w, "<html><center><h1>%d</h1></center><hr><center>nginx</center></html>", code)
}

// reset ends a connection as a gateway does that has seen too much of it.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

const limit = 1 << 20

// oversize is an event of more than a way's limit, and at is where numbered events go on.
func oversize(n, at int) string {
	return fmt.Sprintf(`{"@timestamp":%d,"event":{"category":["file"]},"message":"%s","secret":"swordfish"}`,
		1772445600000+at, strings.Repeat("x", n))
}

// TestTooLargeForTheWay: an event that the way to the cluster does not carry becomes a signal
// without its event, and all others are written.
func TestTooLargeForTheWay(t *testing.T) {
	c, i := set(t)
	next := 0
	f := func(name string, refuse func(http.ResponseWriter, *http.Request) bool) {
		t.Helper()
		next += 1000
		signals := numbered(t, next+6)[next:]
		large := signalOf(t, oversize(limit+200_000, next))
		signals[3] = large
		var log bytes.Buffer
		o := options(i)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		o.RequestTimeout = 3 * time.Second
		w := NewWriter(c.Through(way(t, c, refuse)), o)
		got, err := counted(w.Write(t.Context(), signals))
		if want := (fates{Created: 5, WithoutEvent: 1}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
			return
		}
		write(t, w, signals, fates{Duplicate: 6})
		wantPointer(t, c, i.Signals, large)
		if l := log.String(); !strings.Contains(l, "event_index=idx event_id=doc bytes=") ||
			strings.Contains(l, "swordfish") {
			t.Errorf("%s: log: got %.2000s, want the event's place and nothing of it", name, l)
		}
	}
	over := func(r *http.Request) bool { return r.ContentLength > limit }
	f("413 of a proxy", func(w http.ResponseWriter, r *http.Request) bool {
		if over(r) {
			html(w, http.StatusRequestEntityTooLarge)
		}
		return over(r)
	})
	f("connection reset at a size", func(w http.ResponseWriter, r *http.Request) bool {
		if over(r) {
			_, _ = io.CopyN(io.Discard, r.Body, limit)
			reset(w)
		}
		return over(r)
	})
	f("connection closed without an answer", func(_ http.ResponseWriter, r *http.Request) bool {
		if over(r) {
			panic(http.ErrAbortHandler)
		}
		return false
	})
	f("502 of a proxy", func(w http.ResponseWriter, r *http.Request) bool {
		if over(r) {
			html(w, http.StatusBadGateway)
		}
		return over(r)
	})
	f("no answer at all", func(_ http.ResponseWriter, r *http.Request) bool {
		if over(r) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
		return over(r)
	})
	f("403 of a gateway that reads bodies", func(w http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte("swordfish")) {
			html(w, http.StatusForbidden)
			return true
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return false
	})
	f("a page instead of an answer", func(w http.ResponseWriter, r *http.Request) bool {
		if over(r) {
			html(w, http.StatusOK)
		}
		return over(r)
	})
}

// TestTooLargeIsSentOnce: what was refused for its size is not sent again, by this process or
// another.
func TestTooLargeIsSentOnce(t *testing.T) {
	c, i := set(t)
	next := 0
	f := func(name string, most int64, size int, wantAgain int) {
		t.Helper()
		next += 1000
		refused := 0
		proxy := way(t, c, func(w http.ResponseWriter, r *http.Request) bool {
			over := r.ContentLength > most
			if over {
				refused++
				html(w, http.StatusRequestEntityTooLarge)
			}
			return over
		})
		signals := numbered(t, next+40)[next:]
		for n := range 4 {
			signals[10*n] = signalOf(t, oversize(size+n, next+n))
		}
		w := NewWriter(c.Through(proxy), options(i))
		write(t, w, signals, fates{Created: 36, WithoutEvent: 4})
		if refused == 0 {
			t.Fatalf("%s: nothing was refused", name)
		}
		refused = 0
		for range 3 {
			write(t, w, signals, fates{Duplicate: 40})
		}
		if refused > 0 {
			t.Errorf("%s: %d requests were refused when the signals were there, want none", name,
				refused)
		}
		write(t, NewWriter(c.Through(proxy), options(i)), signals, fates{Duplicate: 40})
		if refused > wantAgain {
			t.Errorf("%s: another process had %d requests refused, want %d", name, refused,
				wantAgain)
		}
	}
	f("a large limit", 1<<20, 1<<20, 0)
	f("a small limit", 48<<10, 48<<10, 40) // such documents are asked for only once one was refused
}

// wantPointer: a signal without its event says what, where, how large and why, and nothing of the
// event.
func wantPointer(t *testing.T, c *estest.Cluster, index string, s signal.Signal) {
	t.Helper()
	var stored struct {
		Source json.RawMessage `json:"_source"`
	}
	if err := json.Unmarshal(c.Do(http.MethodGet, index+"/_doc/"+string(s.ID), nil),
		&stored); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"kibana.alert.uuid":"` + string(s.ID) + `"`, `"kibana.alert.status":"active"`,
		`"kibana.alert.workflow_status":"open"`, `"kibana.alert.rule.name":`,
		`"kibana.alert.severity":`,
		`"kibana.alert.ancestors":[{"id":"doc","type":"event","index":"idx","depth":0}]`,
		`"kibana.alert.original_time":`,
		fmt.Sprintf(`"kibana.alert.esrule.event_bytes":%d`, len(s.Match.Events[0].Source)),
		`"kibana.alert.esrule.reduced":"without the event: `,
		`bytes of it were refused (`, `): it is document doc of index idx.`,
	} {
		if !bytes.Contains(stored.Source, []byte(want)) {
			t.Errorf("signal without its event: got %s, want %s in it", stored.Source, want)
		}
	}
	if n := len(stored.Source); n > 8<<10 || bytes.Contains(stored.Source, []byte("swordfish")) {
		t.Errorf("signal without its event: got %d bytes, want at most 8 KiB and nothing of the event", n)
	}
	if _, err := signal.EventOf(stored.Source); err == nil {
		t.Error("signal without its event: got an event read back, want ErrWithoutEvent")
	}
}

// TestTooLargeForTheServer: the same where Elasticsearch itself has the limit.
func TestTooLargeForTheServer(t *testing.T) {
	t.Parallel() // its server takes a while to start
	c := estest.Own(t, estest.Options{Settings: map[string]any{
		"http.max_content_length": "1mb", "indexing_pressure.memory.limit": "700kb",
	}})
	i := names(c)
	if _, err := i.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	next := 0
	f := func(bytes int) {
		t.Helper()
		next += 100
		signals := numbered(t, next+6)[next:]
		signals[3] = signalOf(t, oversize(bytes, next))
		o := options(i)
		o.MaxElapsed = 2 * time.Second
		w := NewWriter(c.Client, o)
		write(t, w, signals, fates{Created: 5, WithoutEvent: 1})
		write(t, w, signals, fates{Duplicate: 6})
	}
	f(3 << 20)   // beyond http.max_content_length
	f(800 << 10) // below it, and beyond what may be held at once
}

// TestWayIsDown: where small requests fail too, no event is to blame.
func TestWayIsDown(t *testing.T) {
	c, i := set(t)
	f := func(name string, fail func(http.ResponseWriter)) {
		t.Helper()
		down := way(t, c, func(w http.ResponseWriter, _ *http.Request) bool {
			fail(w)
			return true
		})
		o := options(i)
		o.MaxElapsed = 100 * time.Millisecond
		got, err := counted(NewWriter(c.Through(down), o).Write(t.Context(), numbered(t, 5)))
		if err == nil || got != (fates{}) {
			t.Errorf("%s: got %+v and the error %v, want nothing written and an error", name, got,
				err)
		}
		c.Refresh(i.DeadLetter)
		if n := c.Count(i.DeadLetter) + c.Count(i.Signals); n > 0 {
			t.Errorf("%s: got %d documents, want none", name, n)
		}
	}
	f("reset", reset)
	f("403", func(w http.ResponseWriter) { html(w, http.StatusForbidden) })
	f("413", func(w http.ResponseWriter) { html(w, http.StatusRequestEntityTooLarge) })
	f("502", func(w http.ResponseWriter) { html(w, http.StatusBadGateway) })
	f("a page", func(w http.ResponseWriter) { html(w, http.StatusOK) })
}
