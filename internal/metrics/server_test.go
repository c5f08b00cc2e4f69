package metrics

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEndpoints(t *testing.T) {
	var alive, ready error
	asked := 0
	probes := Probes{
		Alive: func() error { return alive },
		Ready: func(ctx context.Context) error {
			asked++
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the cluster is asked without a limit")
			}
			return ready
		},
	}
	// A server each time, since an answer to /readyz is remembered for a moment.
	f := func(method, path string, status int, text string) {
		t.Helper()
		server := httptest.NewServer(everything(t, false).Handler(probes,
			slog.New(slog.DiscardHandler)))
		defer server.Close()
		req, err := http.NewRequest(method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status || !strings.Contains(string(body), text) {
			t.Errorf("%s %s: got %d %q %v, want %d with %q", method, path, res.StatusCode, body,
				err, status, text)
		}
	}
	f("GET", "/healthz", 200, "ok")
	f("GET", "/readyz", 200, "ok")
	f("GET", "/metrics", 200, "esrule_rule_lag_seconds{")
	f("GET", "/metrics", 200, "process_resident_memory_bytes ")
	f("GET", "/", 404, "")
	f("POST", "/metrics", 405, "")
	alive, ready = errors.New("the poll hangs"), errors.New("not ready: because")
	f("GET", "/healthz", 503, "the poll hangs")
	f("GET", "/readyz", 503, "not ready: because")
	if asked != 2 {
		t.Errorf("readiness was asked %d times, want 2", asked)
	}
}

// Whoever asks often asks us, not the cluster.
func TestReadinessIsRemembered(t *testing.T) {
	asked := 0
	r := remembered{ask: func(context.Context) error { asked++; return errors.New("no") }}
	gone, cancel := context.WithCancel(context.Background())
	cancel() // the asker's end must not become everybody's answer
	for range 10 {
		if err := r.get(gone); err == nil || err.Error() != "no" {
			t.Errorf("got %v, want the answer", err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
}
