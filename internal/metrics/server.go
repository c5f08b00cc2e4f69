package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Probes are what the health endpoints ask. Their errors are shown to whoever asks, who need not be
// anybody we know: they say no address, no user and nothing that a server has answered.
type Probes struct {
	Alive func() error                // whether the process polls
	Ready func(context.Context) error // whether the cluster answers and the ledgers can be read
}

const (
	// readyWithin bounds how long the cluster is asked.
	readyWithin = 5 * time.Second
	// readyFor is how long an answer is good for: whoever asks often, asks us and not the cluster.
	readyFor = 5 * time.Second
	// scrapesAtOnce bounds how many scrapes are answered at the same time.
	scrapesAtOnce = 4
)

// Handler serves /metrics, /healthz and /readyz. log hears of a scrape that failed.
func (m *Metrics) Handler(p Probes, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: scrapesAtOnce, Timeout: 10 * time.Second,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, p.Alive(), m.ClusterNote())
	})
	ready := remembered{ask: p.Ready}
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer(w, ready.get(r.Context()), "")
	})
	return mux
}

// NewServer gives the server for the handler; no slow or silent client holds a connection for long.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  time.Minute, MaxHeaderBytes: 16 << 10,
	}
}

// answer says ok, or what is wrong. A note is for who reads it: what it says changes with no
// restart.
func answer(w http.ResponseWriter, problem error, note string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if problem != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, problem)
		return
	}
	if note != "" {
		fmt.Fprintln(w, "ok, but", note)
		return
	}
	fmt.Fprintln(w, "ok")
}

// remembered asks one question at a time and keeps the answer for a moment.
type remembered struct {
	ask func(context.Context) error

	mu    sync.Mutex
	until time.Time
	err   error
}

func (r *remembered) get(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return r.err
	}
	// Not the asker's own context: who hangs up early would leave an error to the next.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWithin)
	defer cancel()
	r.err = r.ask(ctx)
	r.until = time.Now().Add(readyFor)
	return r.err
}
