package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"esrule/internal/estest"
)

// build makes the command, as the Makefile does: go run would turn every exit code into 1.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "with.exe")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return binary
}

func TestExitCodes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are shell commands")
	}
	c := estest.For(t)
	with := build(t)
	f := func(want int, args ...string) {
		t.Helper()
		cmd := exec.Command(with, args...)
		cmd.Env = append(os.Environ(), "ESTEST_URL="+c.URL)
		output, err := cmd.CombinedOutput()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		if code != want {
			t.Errorf("%q: got %d, want %d\n%s", args, code, want, output)
		}
	}
	f(0, "--", "true")
	f(0, "true")
	f(7, "--", "sh", "-c", "exit 7")
	f(0, "--", "sh", "-c", `test "$ESTEST_URL" = "$1"`, "sh", c.URL)
	f(128+15, "--", "sh", "-c", "kill -TERM $$")
	f(3, "--", "sh", "-c", "trap 'exit 3' TERM; kill -TERM $PPID; while :; do sleep 0.05; done")
	f(127, "--", "there-is-no-such-command")
	f(2)
	f(2, "--")
	f(2, "-opensearch", "--")
	t.Setenv("ESTEST_OPENSEARCH_URL", "http://one.of.mine")
	f(0, "-opensearch", "--", "sh", "-c", `test "$ESTEST_OPENSEARCH_URL" = http://one.of.mine`)
}

func TestAServerThatDoesNotAnswerIsAnError(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the server is given up; -short is set")
	}
	cmd := exec.Command(build(t), "--", "true")
	cmd.Env = append(os.Environ(), "ESTEST_URL=http://user:secret@127.0.0.1:1")
	output, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("it ran the command all the same: %s", output)
	}
	if got := string(output); !containsAll(got, "127.0.0.1:1", "ESTEST_URL") ||
		containsAll(got, "secret") {
		t.Errorf("got %q, want the variable and the address without its password", got)
	}
}

func containsAll(s string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}
