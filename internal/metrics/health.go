package metrics

import (
	"fmt"
	"sync"
	"time"
)

const (
	// longestSilence is how long a run may hear nothing before it counts as hanging. A request
	// waits two minutes for its answer; what waits longer does not come back.
	longestSilence = 10 * time.Minute
	// latestStart is how late a run may begin after it was due.
	latestStart = 2 * time.Minute
)

// Health knows whether the process still polls: each run begins when it is due, and none hears
// nothing for long. A run that catches up on days is healthy for as long as answers come.
type Health struct {
	now func() time.Time

	mu      sync.Mutex
	running bool
	heard   time.Time // of the run under way: its begin, or when it heard of the cluster last
	due     time.Time // of the next run, where none is under way
	runs    int       // that have ended
}

// NewHealth gives the health of a process that begins now and whose first run is due.
func NewHealth(now func() time.Time) *Health { return &Health{now: now, due: now()} }

// Waits says that the process is alive and waits for the cluster: the first run is due after that.
func (h *Health) Waits() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.due = h.now()
}

// Begin says that a run begins.
func (h *Health) Begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running, h.heard = true, h.now()
}

// Heard says that the run under way goes on: an answer came, or the certainty that none will.
func (h *Health) Heard() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = h.now()
}

// End says that the run has ended and how long it is until the next: a span, since a clock that is
// set must not look like a poll that hangs.
func (h *Health) End(untilNext time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running, h.due = false, h.now().Add(untilNext)
	h.runs++
}

// Runs is how many runs have ended.
func (h *Health) Runs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs
}

// Alive says what hangs, or is nil.
func (h *Health) Alive() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if silence := now.Sub(h.heard); h.running && silence > longestSilence {
		return fmt.Errorf("the run under way hangs: nothing was heard of the cluster for %s",
			silence.Round(time.Second))
	}
	if late := now.Sub(h.due); !h.running && late > latestStart {
		return fmt.Errorf("the poll hangs: a run was due %s ago and has not begun",
			late.Round(time.Second))
	}
	return nil
}
