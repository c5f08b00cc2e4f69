package backfill

import (
	"slices"
	"sync"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// task is a piece and what this process knows of it.
type task struct {
	Piece
	seen      sight
	tries     int // of this process
	notBefore time.Time
	busy      bool  // one of our workers is on it
	halved    bool  // its rules could not be searched together
	slice     Slice // how it stands
}

func (t *task) over() bool { return t.slice.State == Done || t.slice.State == Failed }

// queue hands the pieces of a plan to the workers of this process. It may be used concurrently.
type queue struct {
	mu      sync.Mutex
	tasks   []*task
	inOrder func(part int) bool // whether the slices of a part are searched in order, one at a time
	changed chan struct{}       // closed when a task is given back
}

func newQueue(pieces []Piece, known map[string]Slice, inOrder func(part int) bool) *queue {
	q := &queue{inOrder: inOrder, changed: make(chan struct{})}
	for _, p := range pieces {
		t := &task{Piece: p, slice: Slice{State: Free}}
		if s, ok := known[p.ID]; ok && s.State == Done {
			t.slice = s
		}
		q.tasks = append(q.tasks, t)
	}
	return q
}

// recheck is how long a worker without work waits until it looks for some again, unless a task is
// given back before.
const recheck = 200 * time.Millisecond

// next gives the first task that is due, for the caller alone. Where none is, changed is closed
// when to ask again at once; where nothing is left at all, it is nil.
func (q *queue) next(now time.Time) (t *task, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waits := map[int]bool{} // parts of which an earlier slice is not over
	for _, t := range q.tasks {
		if t.over() {
			continue
		}
		if !t.busy && !t.notBefore.After(now) && !waits[t.Part] {
			t.busy = true
			return t, nil
		}
		waits[t.Part] = q.inOrder(t.Part)
		changed = q.changed
	}
	return nil, changed
}

// put gives a task back, changed.
func (q *queue) put(t *task, change func(*task)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t.busy = false
	change(t)
	close(q.changed)
	q.changed = make(chan struct{})
}

// totals sums up what is known.
func (q *queue) totals() Totals {
	q.mu.Lock()
	defer q.mu.Unlock()
	var sum Totals
	for _, t := range q.tasks {
		sum.enter(t.Piece, t.slice)
	}
	return sum
}

// searched lists the windows for which each rule was searched.
func (q *queue) searched() map[rule.ID][]span.Interval {
	q.mu.Lock()
	defer q.mu.Unlock()
	windows := map[rule.ID][]span.Interval{}
	for _, t := range q.tasks {
		for _, id := range t.Rules {
			if t.slice.covers(id) {
				windows[id] = append(windows[id], t.Window)
			}
		}
	}
	return windows
}

// Totals is where a plan stands.
type Totals struct {
	Slices, Done, Failed int
	// Weight is how many candidates the plan expects, DoneWeight how many of them lie in slices
	// that are done.
	Weight, DoneWeight int64
	Counts             detect.Counts
	// Rules are the counts of each rule that found anything.
	Rules map[rule.ID]detect.Counts
	// Workers are the processes that did the slices, by the names that their signals carry as
	// execution.
	Workers []string
	// Failures are the indices, or errors, for which slices failed, with the time that is not
	// covered for them.
	Failures []Uncovered
}

// Uncovered is an index with the time for which it was not searched.
type Uncovered struct {
	detect.Failure
	Time span.Intervals `json:"time"`
}

// Whole tells whether every slice is done.
func (t Totals) Whole() bool { return t.Done == t.Slices }

func (t *Totals) enter(p Piece, s Slice) {
	t.Slices++
	t.Weight += p.Weight
	t.count(p, s)
	switch s.State {
	case Done:
		t.Done++
		t.DoneWeight += p.Weight
		if !slices.Contains(t.Workers, s.Worker) {
			t.Workers = append(t.Workers, s.Worker)
		}
	case Failed:
		t.Failed++
		for _, f := range s.Failures {
			t.fail(p, f)
		}
	case Free, Claimed:
	}
}

// count adds what a slice found. That of a part of one rule says it once.
func (t *Totals) count(p Piece, s Slice) {
	t.Counts.Add(s.Counts)
	if t.Rules == nil {
		t.Rules = map[rule.ID]detect.Counts{}
	}
	each := s.Rules
	if len(p.Rules) == 1 && s.Counts.Candidates > 0 {
		each = map[rule.ID]detect.Counts{p.Rules[0]: s.Counts}
	}
	for id, its := range each {
		its.Add(t.Rules[id])
		t.Rules[id] = its
	}
}

func (t *Totals) fail(p Piece, f detect.Failure) {
	at := slices.IndexFunc(t.Failures, func(u Uncovered) bool { return u.Failure == f })
	if at < 0 {
		at = len(t.Failures)
		t.Failures = append(t.Failures, Uncovered{Failure: f})
	}
	t.Failures[at].Time = t.Failures[at].Time.Union(p.Window)
}

// totalsOf sums up a plan by the slices that are there.
func totalsOf(p *Plan, known map[string]Slice) Totals {
	var sum Totals
	for _, piece := range p.Pieces() {
		sum.enter(piece, known[piece.ID])
	}
	return sum
}
