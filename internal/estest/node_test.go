//go:build unix

package estest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// temporary gives a folder of the test's own to the servers that it starts, so that all their
// processes can be told by it. t.TempDir lies in a folder that is closed to the server's user.
func temporary(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "estest-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ESTEST_FOLDER", folder)
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// processes lists the running processes that have the folder in their command line, but for the
// guard.
func processes(t *testing.T, folder string) []string {
	t.Helper()
	output, err := exec.Command("ps", "-eww", "-o", "pid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, folder) && !strings.Contains(line, "estest-guard") {
			found = append(found, line)
		}
	}
	return found
}

func mustBeEmpty(t *testing.T, folder string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %q (%v)", left, err)
	}
}

func needsDistribution(t *testing.T) {
	t.Helper()
	skipIfShort(t)
	if _, err := exec.LookPath("mvn"); err != nil {
		t.Skip("no mvn on the PATH: the test distribution cannot be fetched")
	}
}

func TestDistributionWithUsersEndsOnStop(t *testing.T) {
	needsDistribution(t)
	folder := temporary(t)
	server, err := startDistribution(t.Context(), Options{
		Users: []User{{Name: "reader", Password: "reader-pass", Roles: []string{"only_logs"}}},
		Roles: map[string]string{"only_logs": `{
			"indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]
		}`},
	}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if len(processes(t, folder)) == 0 {
		t.Errorf("no process has %s in its command line: the test cannot see whether they end",
			folder)
	}
	c := newCluster(t, server)
	c.Bulk("logs-1", `{"a":1}`)
	c.Bulk("other-1", `{"a":1}`)
	status := func(user, password, path string, want int) {
		t.Helper()
		req, _ := http.NewRequest(http.MethodGet, path, nil)
		res, err := c.As(user, password).Perform(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s as %s: got %d, want %d", path, user, res.StatusCode, want)
		}
	}
	status("reader", "reader-pass", "/logs-1/_count", 200)
	status("reader", "reader-pass", "/other-1/_count", 403)
	status("reader", "wrong", "/logs-1/_count", 401)
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if left := processes(t, folder); len(left) > 0 {
		t.Errorf("still running after Stop: %q", left)
	}
	mustBeEmpty(t, folder)
	if err := server.Stop(); err != nil {
		t.Errorf("stopped again: %v", err)
	}
}

func TestDistributionThatCannotStartSaysWhy(t *testing.T) {
	needsDistribution(t)
	folder := temporary(t)
	server, err := startDistribution(t.Context(),
		Options{Settings: map[string]any{"no.such.setting": true}}.withDefaults())
	if err == nil {
		_ = server.Stop()
		t.Fatal("it started with a setting that does not exist")
	}
	if !strings.Contains(err.Error(), "unknown setting [no.such.setting]") {
		t.Errorf("the error does not show the server's reason: %v", err)
	}
	mustBeEmpty(t, folder)
}

// holder is the environment variable that makes this test binary start a server and hold it until
// it is killed.
const holder = "ESTEST_TEST_HOLDER"

func TestMain(m *testing.M) {
	if os.Getenv(holder) != "" {
		hold()
	}
	os.Exit(m.Run())
}

func hold() {
	server, err := startDistribution(context.Background(), Options{}.withDefaults())
	answer, _ := json.Marshal(struct{ Server, Error any }{server, fmt.Sprint(err)})
	fmt.Println(string(answer))
	select {}
}

func TestDistributionEndsWithAKilledProcess(t *testing.T) {
	needsDistribution(t)
	folder := temporary(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holder+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var held struct {
		Server *Server
		Error  string
	}
	if err := json.NewDecoder(out).Decode(&held); err != nil || held.Server == nil {
		t.Errorf("no server: %v, %s", err, held.Error)
	}
	if n := len(processes(t, folder)); n < 2 {
		t.Errorf("got %d processes, want the launcher and the server", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 200 {
		if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if left := processes(t, folder); len(left) > 0 {
		t.Errorf("still running after its process was killed: %q", left)
	}
	mustBeEmpty(t, folder)
}
