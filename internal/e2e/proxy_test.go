package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// call is a request as the program sent it.
type call struct {
	method, path, body string
}

// proxy stands between the program and the server and passes everything on. It remembers what it
// saw, and can hold one request back, so that a test can kill the program at that moment.
type proxy struct {
	*httptest.Server

	mu      sync.Mutex
	calls   []call
	hold    func(call) bool // says of a request whether it is the one
	forward bool            // the held request reaches the server, and its answer is held
	first   func(call)      // is done before the request goes on, instead of holding it; may be nil
	held    chan struct{}   // closed when the request is there
	release chan struct{}
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{held: make(chan struct{}), release: make(chan struct{})}
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.pass(next, w, r)
	}))
	t.Cleanup(func() {
		close(p.release)
		p.Close()
	})
	return p
}

func (p *proxy) pass(next http.Handler, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the program is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !p.note(call{r.Method, r.URL.Path, string(body)}) {
		next.ServeHTTP(w, r)
		return
	}
	if p.first != nil {
		p.first(call{r.Method, r.URL.Path, string(body)})
		next.ServeHTTP(w, r)
		return
	}
	if p.forward {
		next.ServeHTTP(httptest.NewRecorder(), r)
	}
	close(p.held)
	<-p.release
}

// note says whether to hold the request. Once one is held, the program is as good as dead: whatever
// it sends besides is held too, by having arrived after its end.
func (p *proxy) note(c call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
	if p.hold == nil || !p.hold(c) {
		return false
	}
	p.hold = nil
	return true
}

// holdAt makes the proxy hold the nth request of a kind, before the server sees it or behind.
func (p *proxy) holdAt(n int, forward bool, is func(call) bool) {
	p.forward = forward
	p.hold = func(c call) bool {
		if is(c) {
			n--
		}
		return n == 0
	}
}

// before makes the proxy do something when the nth request of a kind is there, and then pass it on.
func (p *proxy) before(n int, is func(call) bool, do func(call)) {
	p.holdAt(n, false, is)
	p.first = do
}

func (p *proxy) seen() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.calls...)
}
