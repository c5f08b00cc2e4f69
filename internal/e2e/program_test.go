package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/estest"
)

// binary is the program, built once for the test process.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "esrule-e2e-")
	if err != nil {
		return "", err
	}
	file, err := estest.BuildProgram(context.Background(), folder)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// runLimit ends a program that hangs. No test waits for it.
const runLimit = 5 * time.Minute

// process is the program under way.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	args           string
	stdout, stderr buffer
	ended          chan struct{}
}

// result is what a process came to.
type result struct {
	args           string
	code           int // -1 where a signal ended it
	stdout, stderr string
}

// buffer can be read while the process writes to it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs the program with an environment of nothing but the given variables.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(file, args...), args: "esrule " + strings.Join(args, " "),
		ended: make(chan struct{})}
	p.cmd.Env = env
	if p.cmd.Env == nil {
		p.cmd.Env = []string{} // nil would mean our own
	}
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit code is read from its state
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

func run(t *testing.T, env []string, args ...string) result {
	t.Helper()
	return start(t, env, args...).wait()
}

func (p *process) wait() result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(runLimit):
		_ = p.cmd.Process.Kill()
		p.t.Fatalf("%s did not end within %s\n%s", p.args, runLimit, p.stderr.String())
	}
	return result{p.args, p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

// want ends the test where the exit code is another one, since what follows would mean nothing.
func (r result) want(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("%s: exit code %d, want %d\nstandard output:\n%s\nstandard error:\n%s", r.args,
			r.code, code, r.stdout, r.stderr)
	}
	return r
}

// says fails the test where a part of a message is missing from both outputs.
func (r result) says(t *testing.T, parts ...string) result {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.stderr+r.stdout, part) {
			t.Errorf("%s: does not say %q\nstandard output:\n%s\nstandard error:\n%s", r.args, part,
				r.stdout, r.stderr)
		}
	}
	return r
}

func (r result) saysNot(t *testing.T, parts ...string) result {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(r.stderr+r.stdout, part) {
			t.Errorf("%s: says %q\nstandard output:\n%s\nstandard error:\n%s", r.args, part,
				r.stdout, r.stderr)
		}
	}
	return r
}

// eventually waits until something holds that another process brings about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	const patience, pause = 2 * time.Minute, 100 * time.Millisecond
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
