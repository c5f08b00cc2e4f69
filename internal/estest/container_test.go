package estest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// A socket that accepts connections and never answers, such as a Docker engine that hangs, must not
// hold up whoever wants a server: testcontainers itself would wait for ever. A process of its own
// asks, since testcontainers looks up the engine once a process.
func TestAHangingDockerEngineCountsAsAbsent(t *testing.T) {
	if os.Getenv("ESTEST_TEST_ENGINE") != "" {
		_, err := engineHost(t.Context())
		if err == nil || !strings.Contains(err.Error(), engineTimeout.String()) {
			t.Errorf("got %v, want an error that names the time-out %s", err, engineTimeout)
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=30s")
	cmd.Env = append(os.Environ(), "ESTEST_TEST_ENGINE=1", "DOCKER_HOST=tcp://"+
		listener.Addr().String(), "HOME="+t.TempDir())
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// An engine that has the images must give a server; where there is no such engine the test says
// what is left out.
func TestContainer(t *testing.T) {
	skipIfShort(t)
	f := func(o Options) {
		t.Helper()
		o = o.withDefaults()
		o.Log = t.Output()
		if _, err := engineHost(t.Context()); err != nil {
			t.Skipf("left out: servers in containers: %v", err)
		}
		if err := fetchImages(t.Context(), o); err != nil {
			t.Skipf("left out: servers in containers: %v", err)
		}
		server, err := startContainer(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		c := newCluster(t, server)
		c.Bulk("logs-1", `{"a":1}`)
		if n := c.Count("logs-1"); n != 1 {
			t.Errorf("count at %s: got %d, want 1", server.URL, n)
		}
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}
	f(Options{Users: []User{{Name: "reader", Password: "reader-pass", Roles: []string{"viewer"}}}})
	f(Options{TLS: true})
}

// An engine that reaches no registry must not hold up whoever can have the test distribution:
// testcontainers' own way to fetch an image retries for a quarter of an hour. The answers are those
// of Docker 20.10 without a network.
func TestAnEngineWithoutARegistryIsGivenUp(t *testing.T) {
	pulls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			pulls++
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w,
				`{"message": "dial tcp: lookup registry-1.docker.io: no such host"}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message": "No such image: x:1"}`)
	}))
	defer server.Close()
	engine, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()),
		client.WithAPIVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	err = fetchImage(t.Context(), engine, "x:1", io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no such host") || pulls != 1 {
		t.Errorf("got %v after %d pulls, want the engine's reason after 1", err, pulls)
	}
}
