package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network lies between the instances and the cluster: a line for each instance, that can be broken
// alone.
type network struct {
	server  *toxiproxy.ApiServer
	watcher *watcher

	mu       sync.Mutex
	lines    []*toxiproxy.Proxy
	replaced int
	// abandoned is told of a slot whose line was replaced: what runs there waits for the old one.
	abandoned func(slot int)
}

func newNetwork(first string, second func() (string, error), g *gateway) (*network, error) {
	w, err := newWatcher(first, second, g)
	if err != nil {
		return nil, err
	}
	n := &network{watcher: w, abandoned: func(int) {},
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	for slot := range slots {
		line, err := n.newLine(slot)
		if err != nil {
			return nil, err
		}
		n.lines = append(n.lines, line)
	}
	return n, nil
}

func (n *network) newLine(slot int) (*toxiproxy.Proxy, error) {
	line := toxiproxy.NewProxy(n.server, fmt.Sprint("slot-", slot), "127.0.0.1:0",
		n.watcher.Listener.Addr().String())
	if err := line.Start(); err != nil {
		return nil, fmt.Errorf("start the line of slot %d: %w", slot, err)
	}
	return line, nil
}

func (n *network) close() {
	for slot := range slots {
		line := n.line(slot)
		_, _ = inTime(func() error { line.Stop(); return nil })
	}
	for _, server := range []*httptest.Server{n.watcher.Server, n.watcher.second} {
		server.CloseClientConnections()
		server.Close()
	}
}

func (n *network) line(slot int) *toxiproxy.Proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lines[slot]
}

// url is where the instance of a slot finds the cluster. One of them has the addresses of both
// nodes.
func (n *network) url(slot int) string {
	url := "http://" + n.line(slot).Listen
	if slot == twoAddresses {
		url += "," + n.watcher.second.URL
	}
	return url
}

// twoAddresses is the slot whose instance knows both nodes. The way to the second fails with that
// node only.
const twoAddresses = 1

// inTime waits ten seconds for a change to a line. Toxiproxy can wait for ever on a connection
// whose end is dead, and holds the line meanwhile (Shopify/toxiproxy#558).
func inTime(change func() error) (done bool, err error) {
	ended := make(chan error, 1)
	go func() { ended <- change() }()
	select {
	case err := <-ended:
		return true, err
	case <-time.After(10 * time.Second):
		return false, nil
	}
}

// replace puts a new line in the place of one that is stuck, unless that was done. It is for
// programs that start from now on.
func (n *network) replace(slot int, stuck *toxiproxy.Proxy) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lines[slot] != stuck {
		return nil
	}
	line, err := n.newLine(slot)
	if err != nil {
		return err
	}
	n.lines[slot] = line
	n.replaced++
	n.abandoned(slot)
	return nil
}

// change changes a line, and replaces it where it is stuck.
func (n *network) change(slot int, line *toxiproxy.Proxy, do func() error) error {
	done, err := inTime(do)
	if !done {
		return n.replace(slot, line)
	}
	return err
}

// toxic is one of toxiproxy's, with its settings. Toward the program is downstream.
type toxic struct {
	kind       string
	upstream   bool
	attributes map[string]int64
}

func (f fault) toxic() toxic {
	between := func(least, most uint64) int64 { return int64(least + f.amount%(most-least+1)) }
	switch f.kind {
	case connectionReset:
		return toxic{"reset_peer", f.amount%2 == 0, map[string]int64{"timeout": between(0, 50)}}
	case slowAnswers:
		return toxic{"latency", false, map[string]int64{"latency": between(20, 200),
			"jitter": between(0, 50)}}
	case slowRequests:
		return toxic{"latency", true, map[string]int64{"latency": between(20, 200),
			"jitter": between(0, 50)}}
	case narrow:
		return toxic{"bandwidth", false, map[string]int64{"rate": between(5, 100)}}
	case slowClose:
		return toxic{"slow_close", false, map[string]int64{"delay": between(50, 500)}}
	case cutAnswer:
		return toxic{"limit_data", false, map[string]int64{"bytes": between(1, 20_000)}}
	case cutRequest:
		return toxic{"limit_data", true, map[string]int64{"bytes": between(1, 20_000)}}
	case blackHole:
		return toxic{"timeout", true, map[string]int64{"timeout": 0}}
	case lostAnswers: // the cluster does what it is asked, and nobody hears of it
		return toxic{"timeout", false, map[string]int64{"timeout": 0}}
	}
	return toxic{}
}

// poison puts a toxic on a line and gives what takes it away.
func (n *network) poison(ctx context.Context, slot int, name string,
	t toxic) (func() error, error) {
	direction := "downstream"
	if t.upstream {
		direction = "upstream"
	}
	text, err := json.Marshal(map[string]any{"name": name, "type": t.kind, "stream": direction,
		"attributes": t.attributes})
	if err != nil {
		return nil, err
	}
	line := n.line(slot)
	err = n.change(slot, line, func() error {
		_, err := line.Toxics.AddToxicJson(bytes.NewReader(text))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put %s on the line of slot %d: %w", text, slot, err)
	}
	return func() error {
		return n.change(slot, line, func() error { return line.Toxics.RemoveToxic(ctx, name) })
	}, nil
}

// refuse cuts a line: its connections end, and no new one is taken. It gives what mends the line.
func (n *network) refuse(slot int) (func() error, error) {
	line := n.line(slot)
	err := n.change(slot, line, func() error { line.Stop(); return nil })
	return func() error {
		return n.change(slot, line, func() error {
			// two refusals that overlap: the first end mends
			if err := line.Start(); !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
				return err
			}
			return nil
		})
	}, err
}

// watcher stands before the nodes, as a gateway. It remembers the points in time that were opened,
// so that one can be ended under the program's hands, and counts the refusals that the program got.
type watcher struct {
	*httptest.Server // before the first node
	second           *httptest.Server
	gateway          *gateway

	mu       sync.Mutex
	pits     []string
	requests int
	busy     int // answered 429, as a whole
	items    int // answers to bulk requests that hold a 429
	refused  int // answered 403 or 5xx
}

func newWatcher(first string, second func() (string, error), g *gateway) (*watcher, error) {
	w := &watcher{gateway: g}
	w.Server = w.before(func() (string, error) { return first, nil })
	w.second = w.before(second)
	return w, nil
}

func (w *watcher) before(target func() (string, error)) *httptest.Server {
	next := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			text, err := target()
			if u, wrong := url.Parse(text); err == nil && wrong == nil {
				r.SetURL(u)
			} // else there is no node, and no host to go to: 502
		},
		ModifyResponse: w.look,
		ErrorLog:       log.New(io.Discard, "", 0), // connections that break are what this is about
	}
	return httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if w.gateway.admit(out, in) {
			next.ServeHTTP(out, in)
		}
	}))
}

func (w *watcher) look(res *http.Response) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests:
		w.busy++
	case code == http.StatusForbidden, code >= 500:
		w.refused++
	}
	opens := strings.HasSuffix(res.Request.URL.Path, "/_pit") &&
		res.Request.Method == http.MethodPost
	bulk := strings.HasSuffix(res.Request.URL.Path, "/_bulk")
	spoils := w.gateway.spoils() && res.StatusCode < http.StatusMultipleChoices
	if !opens && !bulk && !spoils {
		return nil
	}
	body, err := w.read(res)
	if err != nil {
		return err
	}
	if spoils {
		body = w.gateway.spoil(res.Header, body)
		replaceBody(res, body)
	}
	if bulk && bytes.Contains(body, []byte(`"status":429`)) {
		w.items++
	}
	var opened struct{ ID string }
	if opens && json.Unmarshal(body, &opened) == nil && opened.ID != "" {
		const newest = 8
		w.pits = append(w.pits, opened.ID)
		w.pits = w.pits[max(0, len(w.pits)-newest):]
	}
	return nil
}

// read reads an answer and leaves it readable. Others are looked at meanwhile: a node may hang.
func (w *watcher) read(res *http.Response) ([]byte, error) {
	w.mu.Unlock()
	defer w.mu.Lock()
	body, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

// open gives the newest points in time, of which some may be closed by now.
func (w *watcher) open() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.pits...)
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d requests answered; refused: %d with 429, %d in items of bulk "+
		"requests, %d with 403 or 5xx; the gateway: %s",
		w.requests, w.busy, w.items, w.refused, w.gateway)
}
