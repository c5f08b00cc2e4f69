package estest

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A socket that accepts connections and never answers, such as a Docker engine that hangs, must not hold up whoever
// wants a server: testcontainers itself would wait for ever. A process of its own asks, since testcontainers looks up
// the engine once a process.
func TestAHangingDockerEngineCountsAsAbsent(t *testing.T) {
	if os.Getenv("ESTEST_TEST_ENGINE") != "" {
		err := engineAnswers(t.Context())
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
	cmd.Env = append(os.Environ(), "ESTEST_TEST_ENGINE=1", "DOCKER_HOST=tcp://"+listener.Addr().String(), "HOME="+t.TempDir())
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestContainer(t *testing.T) {
	skipIfShort(t)
	if err := engineAnswers(t.Context()); err != nil {
		t.Skip(err)
	}
	server, err := startContainer(t.Context(), Options{
		Users: []User{{Name: "reader", Password: "reader-pass", Roles: []string{"viewer"}}},
	}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, server)
	c.Bulk("logs-1", `{"a":1}`)
	if n := c.Count("logs-1"); n != 1 {
		t.Errorf("count: got %d, want 1", n)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}
