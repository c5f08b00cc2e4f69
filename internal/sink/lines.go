package sink

import (
	"context"
	"fmt"
	"io"
	"sync"

	"esrule/internal/sink/signal"
)

// Lines writes signals as NDJSON, each once, and nothing to the cluster: a dry run. It remembers
// the ids of all, some 100 bytes a signal. It may be used from many goroutines.
type Lines struct {
	mu   sync.Mutex
	out  io.Writer
	seen signal.Seen
	each func(signal.Signal)
}

// NewLines returns a Lines on w, which is written to once a batch. each, if there is one, gets
// every signal that was written, one at a time.
func NewLines(w io.Writer, each func(signal.Signal)) *Lines {
	return &Lines{out: w, each: each}
}

// Write writes the signals that were not written before. What it counts as created is new among
// these only: the signals index is not asked.
func (l *Lines) Write(_ context.Context, signals []signal.Signal) ([]Verdict, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	verdicts := make([]Verdict, len(signals))
	var batch []byte
	var fresh []signal.Signal
	for i, s := range signals {
		s, isNew := l.seen.Add(s)
		if !isNew {
			verdicts[i].Fate = Duplicate
			continue
		}
		verdicts[i].Fate = Created
		fresh = append(fresh, s)
		batch = append(append(batch, s.Document...), '\n')
	}
	if _, err := l.out.Write(batch); err != nil {
		return nil, fmt.Errorf("write %d signals: %w", len(fresh), err)
	}
	for _, s := range fresh {
		if l.each != nil {
			l.each(s)
		}
	}
	return verdicts, nil
}
