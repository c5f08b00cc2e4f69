package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// setApart gives the server one processor and this process, with the programs that it starts, another, until the benchmark ends: as if each
// had a machine of its own. It skips the benchmark where the server is no process of this machine, or there is one processor.
func (s server) setApart(b *testing.B) {
	b.Helper()
	pid, err := s.process(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err != nil || string(bytes.TrimSpace(name)) != "java" {
		b.Skip("the server is no process of this machine")
	}
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil || all.Count() < 2 {
		b.Skipf("two processors are needed, there are %d: %v", all.Count(), err)
	}
	processors := list(all)
	for process, processor := range map[int]int{pid: processors[0], os.Getpid(): processors[1]} {
		var one unix.CPUSet
		one.Set(processor)
		b.Cleanup(func() { _ = confine(process, all) })
		if err := confine(process, one); err != nil {
			b.Fatal(err)
		}
	}
	// The runtime asked how many processors there are when it began.
	before := runtime.GOMAXPROCS(1)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// process is the server's process.
func (s server) process(ctx context.Context) (int, error) {
	var answer struct {
		Nodes map[string]struct{ Process struct{ ID int } }
	}
	if err := s.do(ctx, http.MethodGet, "_nodes/_local/process", "", &answer); err != nil {
		return 0, err
	}
	for _, n := range answer.Nodes {
		return n.Process.ID, nil
	}
	return 0, fmt.Errorf("the server names no node of its own")
}

// confine keeps every thread of a process, and with it those that they will start, on some processors.
func confine(pid int, to unix.CPUSet) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &to); err != nil && err != unix.ESRCH { // it may just have ended
			return fmt.Errorf("confine thread %d of process %d: %w", id, pid, err)
		}
	}
	return nil
}

func list(set unix.CPUSet) (processors []int) {
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			processors = append(processors, i)
		}
	}
	return processors
}
