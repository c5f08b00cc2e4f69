package sink

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Lines writes signals as NDJSON, each once, and nothing to the cluster: a dry run. It remembers the ids of all, some
// 100 bytes a signal. It may be used from many goroutines.
type Lines struct {
	mu   sync.Mutex
	out  io.Writer
	seen map[SignalID]SignalID // the wider id of the event that an id is of
	each func(Signal)
}

// NewLines gives a Lines on w, which is written to once a batch. each, if there is one, gets every signal that was written, one
// at a time.
func NewLines(w io.Writer, each func(Signal)) *Lines {
	return &Lines{out: w, seen: map[SignalID]SignalID{}, each: each}
}

// Write writes the signals that were not written before. What it counts as created is new among these only: the alerts index
// is not asked.
func (l *Lines) Write(_ context.Context, signals []Signal) (Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var r Result
	var batch []byte
	var fresh []Signal
	for _, s := range signals {
		if wider, taken := l.seen[s.ID]; taken && wider != s.widerID {
			s = s.widened()
		}
		if _, taken := l.seen[s.ID]; taken {
			r.Duplicates++
			continue
		}
		l.seen[s.ID] = s.widerID
		r.Created++
		fresh = append(fresh, s)
		batch = append(append(batch, s.Document...), '\n')
	}
	if _, err := l.out.Write(batch); err != nil {
		return Result{}, fmt.Errorf("write %d signals: %w", r.Created, err)
	}
	for _, s := range fresh {
		if l.each != nil {
			l.each(s)
		}
	}
	return r, nil
}
