package elastic

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"esrule/internal/estest"
)

// searchNothing is the path of a search that no index of another test can spoil.
const searchNothing = "/esrule-nothing*/_search"

// logBuffer is a log that a test reads while others write it.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) count(part string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), part)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// closedAddress refuses connections.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String()
}

// gateway passes requests on to a real server, and spoils those that spoil takes.
func gateway(t *testing.T, to string,
	spoil func(http.ResponseWriter, *http.Request) bool) *httptest.Server {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !spoil(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// hang waits until the other side is gone, which a server notices only behind the request's body.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func clientFor(t *testing.T, cfg Config) (*Client, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, log
}

// ask sends a request and returns its status and its body, or the error.
func ask(ctx context.Context, c *Client, method, path, body string) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, path, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Once.Transport.Perform(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// One address that fails, in whatever way, costs seconds and is named once; the other does the
// work.
func TestOneOfTwoAddressesFails(t *testing.T) {
	good := estest.For(t).URL
	status := func(code int) string {
		return gateway(t, good, func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}).URL
	}
	stalls := gateway(t, good, func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		hang(r)
		return true
	}).URL
	f := func(name, bad string, badFirst bool, tries int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := []string{good, bad}
			if badFirst {
				list = []string{bad, good}
			}
			c, log := clientFor(t, Config{Addresses: list})
			began, failed := time.Now(), 0
			for range 6 {
				for attempt := range 3 {
					code, text, err := ask(t.Context(), c, http.MethodPost, searchNothing,
						`{"size": 0}`)
					if err == nil && code == http.StatusOK && strings.Contains(text, `"took"`) {
						break
					}
					if failed++; attempt == 2 {
						t.Fatalf("got status %d, %q, error %v", code, text, err)
					}
				}
			}
			if failed > tries {
				t.Errorf("%d requests had to be repeated, want at most %d", failed, tries)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if n := log.count("an address of the cluster does not answer"); n != 1 ||
				log.count("address="+bad) != 1 {
				t.Errorf("the address was named %d times, want once:\n%s", n, log)
			}
		})
	}
	for _, first := range []bool{true, false} {
		order := map[bool]string{true: "first", false: "second"}[first]
		f("hung "+order, estest.HungAddress(t), first, 0)
		f("closed "+order, closedAddress(t), first, 0)
		f("bad gateway "+order, status(http.StatusBadGateway), first, 0)
		f("another program "+order, status(http.StatusOK), first, 0)
		f("stalls "+order, stalls, first, 1) // its answer has begun, so the caller has to ask again
	}
}

// A node that is slow is not hung: its answer is waited for, and no other node is asked as well.
func TestSlowIsNotHung(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	var searches atomic.Int32
	slow := func() string {
		return gateway(t, good, func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == searchNothing {
				searches.Add(1)
				time.Sleep(quietFor + aliveWithin + 5*time.Second)
			}
			return false
		}).URL
	}
	c, log := clientFor(t, Config{Addresses: []string{slow(), slow()}})
	code, text, err := ask(t.Context(), c, http.MethodPost, searchNothing, `{"size": 0}`)
	if err != nil || code != http.StatusOK {
		t.Errorf("got status %d, %q, error %v", code, text, err)
	}
	if got := searches.Load(); got != 1 {
		t.Errorf("the search was sent %d times, want once", got)
	}
	if log.String() != "" {
		t.Errorf("logged:\n%s", log)
	}
}

// A node that begins to hang while it works is left, and is used again when it is well.
func TestAddressHangsForAWhile(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	var hangs atomic.Bool
	var asked atomic.Int32
	sick := gateway(t, good, func(_ http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		if !hangs.Load() {
			return false
		}
		hang(r)
		return true
	}).URL
	c, log := clientFor(t, Config{Addresses: []string{sick, good}})
	search := func() {
		t.Helper()
		code, text, err := ask(t.Context(), c, http.MethodPost, searchNothing, `{"size": 0}`)
		if err != nil || code != http.StatusOK {
			t.Fatalf("got status %d, %q, error %v", code, text, err)
		}
	}
	search()
	hangs.Store(true)
	search()
	search()
	before := asked.Load()
	for range 10 {
		search()
	}
	if got := asked.Load() - before; got > 1 {
		t.Errorf("a hung address was asked %d times in a moment", got)
	}
	hangs.Store(false)
	for deadline := time.Now().Add(time.Minute); log.count("answers again") == 0; search() {
		if time.Now().After(deadline) {
			t.Fatalf("the address was not used again:\n%s", log)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if n := log.count("does not answer"); n != 1 {
		t.Errorf("the address was named %d times:\n%s", n, log)
	}
}

// Both clients know of an address what one of them has learnt.
func TestHealthIsShared(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, Config{Addresses: []string{estest.HungAddress(t), estest.For(t).URL}})
	for range 2 {
		if code, text, err := ask(t.Context(), c, http.MethodPost, searchNothing,
			`{}`); err != nil || code != http.StatusOK {
			t.Fatalf("got status %d, %q, error %v", code, text, err)
		}
	}
	began := time.Now()
	for range 4 {
		r := Request{Method: http.MethodPost, Path: "/esrule-nothing*/_search"}
		if _, err := Send(t.Context(), c.Requests, r, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > quietFor {
		t.Errorf("the other client took %s", took)
	}
}

// Where no address is well, the request ends with what each of them has said.
func TestNoAddressIsWell(t *testing.T) {
	t.Parallel()
	one, other := closedAddress(t), closedAddress(t)
	c, _ := clientFor(t, Config{Addresses: []string{one, other}})
	_, _, err := ask(t.Context(), c, http.MethodGet, searchNothing, "")
	if err == nil || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), other) {
		t.Errorf("got %v, want both addresses named", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c, _ = clientFor(t, Config{Addresses: []string{estest.HungAddress(t), estest.HungAddress(t)}})
	if _, _, err = ask(ctx, c, http.MethodGet, searchNothing, ""); err == nil || ctx.Err() == nil {
		t.Errorf("got %v, want the end of the context", err)
	}
}

// An address may have a path of its own, and an index name characters that a path escapes.
func TestLocate(t *testing.T) {
	f := func(base, path, want string) {
		t.Helper()
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&address{base: u}).locate(rel).String(); got != want {
			t.Errorf("%s on %s: got %s, want %s", path, base, got, want)
		}
	}
	f("http://a:9200", "/x/_search?size=1", "http://a:9200/x/_search?size=1")
	f("https://a/es", "/x/_search", "https://a/es/x/_search")
	f("https://a/es/", "/logs-%2A%2C-x%2Fy/_search", "https://a/es/logs-%2A%2C-x%2Fy/_search")
	f("https://a/e%2Fs", "/x", "https://a/e%2Fs/x")
}
