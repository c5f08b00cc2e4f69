package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink"
)

// Input is one file, or standard input. Open is called when its turn comes and the reader closed behind it.
type Input struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// Options are what a scan can be told.
type Options struct {
	// Workers judge at the same time; 0 is one a processor.
	Workers int
	// Execution goes into every signal.
	Execution sink.Execution
	// Signal gets each signal, in the order of the input, one an identity.
	Signal func(*rule.Rule, sink.Signal) error
	// Explained, where it is set, gets each signal behind Signal, with the rule's condition as it was judged on the event.
	Explained func(sink.Signal, *match.Explanation)
	// Bad gets each line that is no event, and each input that could not be read whole.
	Bad func(error)
}

// Summary is what a scan came to.
type Summary struct {
	Inputs int
	Events int
	Bytes  int64 // of text, unpacked
	// Matches counts an event for each rule that it matches; Signals leaves out what was seen before.
	Matches, Signals int
	// BadLines are no events; BadInputs could not be read whole.
	BadLines, BadInputs int
	// ByRule is the number of signals a rule, in the order in which the rules were added.
	ByRule []RuleCount
	// ByInput says of each input how far it was read.
	ByInput []InputCount
}

// InputCount is the part of one input in a Summary.
type InputCount struct {
	Name     string
	Events   int
	BadLines int
	FirstBad error // of the bad lines
	Whole    bool  // it was read to its end
	Err      error // why it was not; nil too where the scan ended before it
}

// RuleCount is the part of one rule in a Summary.
type RuleCount struct {
	Rule             *rule.Rule
	Matches, Signals int
}

// Run scans the inputs in their order. Its error is the context's, or that of Signal; what is wrong with
// an input goes to Options.Bad and is counted.
func Run(ctx context.Context, rules *Rules, inputs []Input, o Options) (Summary, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	r := &reader{
		buffers: &buffers{free: make(chan []byte, 4*o.Workers)},
		work:    make(chan *job, 2*o.Workers),
		inOrder: make(chan *job, 2*o.Workers),
	}
	group.Go(func() error { return r.read(ctx, inputs) })
	now := time.Now // one instant for the relative dates of all workers
	if o.Execution.Now != nil {
		now = o.Execution.Now
	}
	began := now()
	for range o.Workers {
		w := newWorker(rules, o.Execution, began)
		w.explains = o.Explained != nil
		group.Go(func() error {
			for j := range r.work {
				j.done <- w.judge(j.chunk)
			}
			return nil
		})
	}
	g := newGiver(rules, o)
	g.summary.Inputs = len(inputs)
	for _, input := range inputs {
		g.summary.ByInput = append(g.summary.ByInput, InputCount{Name: input.Name})
	}
	group.Go(func() error { return g.give(ctx, r) })
	err := group.Wait()
	return g.summary, err
}

// job is a chunk with the promise of its outcome, or the end of an input at its place in the order, with an error or without.
type job struct {
	input int // its place among the inputs
	chunk chunk
	done  chan judged // holds one
	err   error
}

// reader cuts the inputs into jobs. Each goes to whichever worker is free, and stands in line for its turn.
type reader struct {
	buffers *buffers
	work    chan *job
	inOrder chan *job
}

func (r *reader) read(ctx context.Context, inputs []Input) error {
	defer close(r.work)
	defer close(r.inOrder)
	for i, input := range inputs {
		if err := r.readInput(ctx, i, input); err != nil {
			return err
		}
	}
	return nil
}

// readInput gives an error only where the scan is over.
func (r *reader) readInput(ctx context.Context, i int, input Input) error {
	broken := func(err error) error {
		return r.enqueue(ctx, &job{input: i, err: fmt.Errorf("%s: %w", input.Name, err)})
	}
	file, err := input.Open()
	if err != nil {
		return broken(err)
	}
	defer file.Close()
	from, err := opened(file)
	if err != nil {
		return broken(err)
	}
	c := &chunker{input: input.Name, from: from, line: 1, buffers: r.buffers}
	for {
		k, err := c.next()
		if errors.Is(err, io.EOF) {
			return r.enqueue(ctx, &job{input: i})
		}
		if over := r.enqueue(ctx, &job{input: i, chunk: k, done: make(chan judged, 1)}); over != nil {
			return over
		}
		if err != nil {
			return broken(fmt.Errorf("breaks off at line %d: %w", c.line, err))
		}
	}
}

func (r *reader) enqueue(ctx context.Context, j *job) error {
	select {
	case r.inOrder <- j:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if j.done == nil {
		return nil
	}
	select {
	case r.work <- j:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// giver gives out what the workers found, in order, and counts.
type giver struct {
	options Options
	summary Summary
	seen    map[sink.SignalID]bool
}

func newGiver(rules *Rules, o Options) *giver {
	g := &giver{options: o, seen: map[sink.SignalID]bool{}}
	for _, r := range rules.rules {
		g.summary.ByRule = append(g.summary.ByRule, RuleCount{Rule: r})
	}
	return g
}

func (g *giver) give(ctx context.Context, r *reader) error {
	for j := range r.inOrder {
		input := &g.summary.ByInput[j.input]
		if j.done == nil {
			input.Whole, input.Err = j.err == nil, j.err
			if j.err != nil {
				g.summary.BadInputs++
				g.options.Bad(j.err)
			}
			continue
		}
		select {
		case done := <-j.done:
			r.buffers.put(j.chunk.text)
			input.add(done)
			if err := g.giveOne(done); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (c *InputCount) add(j judged) {
	c.Events += j.events
	c.BadLines += len(j.bad)
	if c.FirstBad == nil && len(j.bad) > 0 {
		c.FirstBad = j.bad[0]
	}
}

func (g *giver) giveOne(j judged) error {
	g.summary.Events += j.events
	g.summary.Bytes += int64(j.bytes)
	g.summary.BadLines += len(j.bad)
	for _, bad := range j.bad {
		g.options.Bad(bad)
	}
	for _, f := range j.signals {
		count := &g.summary.ByRule[f.rule]
		count.Matches++
		g.summary.Matches++
		if g.seen[f.signal.ID] {
			continue
		}
		g.seen[f.signal.ID] = true
		count.Signals++
		g.summary.Signals++
		if err := g.options.Signal(count.Rule, f.signal); err != nil {
			return err
		}
		if g.options.Explained != nil {
			g.options.Explained(f.signal, f.explanation)
		}
	}
	return nil
}
