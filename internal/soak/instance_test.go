package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// instance is a place in which the program runs again and again, as a service or once, until it is
// stopped.
type instance struct {
	file  string
	env   []string
	clock string // the file that says how wrong its clock is
	home  string
	url   func() string // where it finds the cluster when it starts

	mu      sync.Mutex
	running *exec.Cmd
	killed  bool   // the one that runs, by us
	log     []byte // the end of what it said
	runs    int
	wrong   []error // ends that no fault explains
}

// work runs the program until ctx ends: most often once, sometimes as a service for a few seconds.
func (i *instance) work(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		args, limit := []string{"run", "--once"}, time.Duration(0)
		if random.IntN(3) == 0 {
			args, limit = []string{"run"}, time.Second+span(random, 6*time.Second)
		}
		i.once(ctx, limit, args...)
		pause(ctx, span(random, 200*ms))
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// once runs the program to its end, or asks it to end after a limit, or when ctx ends. It gives the
// exit code.
func (i *instance) once(ctx context.Context, limit time.Duration, args ...string) int {
	cmd := exec.Command(i.file, args...)
	cmd.Env, cmd.Dir, cmd.Stderr = append(slices.Clone(i.env), "ESRULE_ELASTICSEARCH_URL="+i.url()),
		i.home, i
	i.mu.Lock()
	err := cmd.Start()
	if err != nil {
		i.wrong = append(i.wrong, err)
		i.mu.Unlock()
		return -1
	}
	i.running, i.killed = cmd, false
	i.runs++
	i.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		expire := make(<-chan time.Time)
		if limit > 0 {
			expire = time.After(limit)
		}
		select {
		case <-ended:
			return
		case <-expire:
		case <-ctx.Done():
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			i.complain(errors.New("it did not end within 20 s of SIGTERM"))
			_ = cmd.Process.Kill()
		}
	}()
	_ = cmd.Wait()
	close(ended)
	return i.judge(cmd, args)
}

// judge wants an end that the program promises: 0 or 1, or our kill.
func (i *instance) judge(cmd *exec.Cmd, args []string) int {
	i.mu.Lock()
	killed := i.killed
	i.running = nil
	said := string(i.log)
	i.mu.Unlock()
	code := cmd.ProcessState.ExitCode()
	if !killed && code != 0 && code != 1 || strings.Contains(said, "\ngoroutine ") {
		i.complain(fmt.Errorf("esrule %s: %s\n%s", strings.Join(args, " "), cmd.ProcessState, said))
	}
	return code
}

func (i *instance) complain(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.wrong = append(i.wrong, err)
}

// kill ends what runs as kill -9 does; false where nothing runs just now.
func (i *instance) kill() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.running == nil || i.killed {
		return false
	}
	i.killed = true
	return i.running.Process.Kill() == nil
}

// shift makes its clock wrong by d.
func (i *instance) shift(d time.Duration) error {
	next := i.clock + ".next"
	if err := os.WriteFile(next, []byte(d.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(next, i.clock)
}

// Write keeps the end of what the program says.
func (i *instance) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.log = append(i.log, p...)
	const enough = 16 << 10
	if len(i.log) > 2*enough {
		i.log = bytes.Clone(i.log[len(i.log)-enough:])
	}
	return len(p), nil
}

func (i *instance) said() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return string(i.log)
}
