package scan

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"esrule/internal/detect"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// Input is one file, or standard input. Open is called when its turn comes; the reader is closed
// after it was read.
type Input struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// Options are what a scan can be told.
type Options struct {
	// Workers judge at the same time; 0 is one a processor.
	Workers int
	// Execution goes into every signal.
	Execution signal.Execution
	// Signal gets each signal, in the order of the input, one for each identity.
	Signal func(*rule.Rule, signal.Signal) error
	// Explained, where it is set, gets each signal after Signal, with the rule's condition as it
	// was judged on the event.
	Explained func(signal.Signal, *match.Explanation)
	// Bad gets the first lines of each input that are no events, MostBad of them, and each input
	// that could not be read whole.
	Bad func(error)
}

// MostBad bounds how many bad lines of an input [Options].Bad gets; the others are counted.
const MostBad = 20

// Summary is what a scan came to.
type Summary struct {
	Inputs int
	Events int
	Bytes  int64 // of text, unpacked
	// Counts counts an event for each rule that it matches, and what was seen before as a
	// duplicate.
	detect.Counts
	// BadLines are no events; BadInputs could not be read whole.
	BadLines, BadInputs int
	// ByRule is the number of signals a rule, in the order in which the rules were added.
	ByRule []RuleCount
	// ByInput says of each input how far it was read.
	ByInput []InputCount
	// NotJudged are the rules that were not judged to the end.
	NotJudged []NotJudged
}

// InputCount is the part of one input in a Summary.
type InputCount struct {
	Name     string
	Events   int
	BadLines int
	FirstBad error // of the bad lines
	// Bad counts the bad lines by what is wrong with them, in the order in which that was met
	// first.
	Bad []BadCount
	// CategoryRules is the number of rules that judge only events of a category.
	CategoryRules int
	// NoCategory counts events without a category, NoTime those without a time either.
	NoCategory, NoTime int
	// Strange counts documents that are no events as the rules read them. They are among Events.
	Strange      int
	FirstStrange *Strange
	// Alerts counts those of the events that are alerts, AlertRules the rules that judge alerts.
	Alerts, AlertRules int

	Whole bool  // it was read to its end
	Err   error // why it was not; nil too where the scan ended before it
}

// BadCount is how many lines of an input are bad for one cause.
type BadCount struct {
	Cause string
	Lines int
	First int // the first one's number
}

// mostCauses bounds the causes that are counted apart.
const mostCauses = 8

func (c *InputCount) bad(e LineError) {
	c.BadLines++
	if c.FirstBad == nil {
		c.FirstBad = e
	}
	cause := e.Err.Error()
	at := slices.IndexFunc(c.Bad, func(b BadCount) bool { return b.Cause == cause })
	if at < 0 && len(c.Bad) >= mostCauses {
		cause = "other causes"
		at = slices.IndexFunc(c.Bad, func(b BadCount) bool { return b.Cause == cause })
	}
	if at < 0 {
		at = len(c.Bad)
		c.Bad = append(c.Bad, BadCount{Cause: cause, First: e.Line})
	}
	c.Bad[at].Lines++
}

// RuleCount is the part of one rule in a Summary.
type RuleCount struct {
	Rule *rule.Rule
	detect.Counts
	// AsText are the fields that the rule compared as texts where an index may have another type.
	AsText []string
}

// ComparedAsText says which rules compared which fields as texts; it is empty where none did.
func (s Summary) ComparedAsText() string {
	var rules []string
	for _, r := range s.ByRule {
		if len(r.AsText) > 0 {
			rules = append(rules, fmt.Sprintf("%s (%s)", r.Rule.Name, strings.Join(r.AsText, ", ")))
		}
	}
	if len(rules) == 0 {
		return ""
	}
	return "No mapping is known, so these rules compared values of these fields as text: " +
		strings.Join(rules, ", ") + ". Where an index has them as dates, addresses or numbers, " +
		"Elasticsearch may decide otherwise."
}

// Run scans the inputs in their order. Its error is the context's, or that of Signal; what is wrong
// with an input goes to Options.Bad and is counted.
func Run(ctx context.Context, rules *Rules, inputs []Input, o Options) (Summary, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	now := time.Now // one instant for the relative dates of all workers
	if o.Execution.Now != nil {
		now = o.Execution.Now
	}
	began := now()
	group, ctx := errgroup.WithContext(ctx)
	g := newGiver(rules, o)
	defer g.joiner.close()
	r := &reader{inputs: inputs, inOrder: make(chan *job, 8*o.Workers)}
	defer r.close()
	for range o.Workers {
		w := newWorker(rules, o.Execution, began)
		w.execution.Seen = &g.seen // chunks that come before are given out
		w.explains = o.Explained != nil
		group.Go(func() error { return w.work(ctx, r) })
	}
	g.summary.Inputs = len(inputs)
	for _, input := range inputs {
		g.summary.ByInput = append(g.summary.ByInput,
			InputCount{Name: input.Name, CategoryRules: rules.gated,
				AlertRules: rules.overAlerts()})
	}
	group.Go(func() error { return g.give(ctx, r.inOrder) })
	err := group.Wait()
	return g.summary, err
}

// giver gives out what the workers found, in order, and counts.
type giver struct {
	options Options
	summary Summary
	seen    signal.Seen
	joiner  *joiner
}

func newGiver(rules *Rules, o Options) *giver {
	g := &giver{options: o, joiner: newJoiner(rules, o.Execution)}
	for _, r := range rules.rules {
		g.summary.ByRule = append(g.summary.ByRule, RuleCount{Rule: r})
	}
	return g
}

func (g *giver) give(ctx context.Context, inOrder <-chan *job) error {
	for {
		j, err := received(ctx, inOrder)
		if err != nil {
			return err
		}
		if j == nil {
			return g.giveJoined()
		}
		input := &g.summary.ByInput[j.input]
		if j.done == nil {
			input.Whole, input.Err = j.err == nil, j.err
			if j.err != nil {
				g.summary.BadInputs++
				g.options.Bad(j.err)
			}
			continue
		}
		outcome, err := received(ctx, j.done)
		if err != nil {
			return err
		}
		for i, bad := range outcome.bad {
			if input.BadLines+i < MostBad {
				g.options.Bad(bad)
			}
		}
		input.add(outcome)
		if err := g.giveOne(outcome); err != nil {
			return err
		}
	}
}

func (c *InputCount) add(j judged) {
	c.Events += j.events
	c.NoCategory += j.noCategory
	c.NoTime += j.noTime
	c.Strange += j.strange
	c.Alerts += j.alerts
	if c.FirstStrange == nil {
		c.FirstStrange = j.firstStrange
	}
	for _, bad := range j.bad {
		c.bad(bad)
	}
}

// received waits for what a channel gives, the zero value where it is closed.
func received[T any](ctx context.Context, from <-chan T) (T, error) {
	select {
	case v := <-from:
		return v, nil
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

func (g *giver) giveOne(j judged) error {
	g.summary.Events += j.events
	g.summary.Bytes += int64(j.bytes)
	g.summary.BadLines += len(j.bad)
	for _, use := range j.asText {
		of := &g.summary.ByRule[use.rule]
		if at, known := slices.BinarySearch(of.AsText, use.field); !known {
			of.AsText = slices.Insert(of.AsText, at, use.field)
		}
	}
	for _, x := range j.except {
		g.summary.ByRule[x.rule].Except(x.by)
		g.summary.Except(x.by)
	}
	for _, of := range j.stopped {
		g.summary.ByRule[of].ChainStopped++
		g.summary.ChainStopped++
	}
	for _, f := range j.signals {
		if err := g.giveSignal(f); err != nil {
			return err
		}
	}
	return g.joiner.hold(j.joined)
}

// giveSignal gives out a signal, unless it was given out before.
func (g *giver) giveSignal(f found) error {
	count := &g.summary.ByRule[f.rule]
	made, isNew := g.seen.Add(f.signal)
	came := detect.Counts{Matched: 1, Created: 1}
	if !isNew {
		came = detect.Counts{Matched: 1, Duplicates: 1}
	}
	count.Add(came)
	g.summary.Add(came)
	if !isNew {
		return nil
	}
	if err := g.options.Signal(count.Rule, made); err != nil {
		return err
	}
	if g.options.Explained != nil {
		g.options.Explained(made, f.explanation)
	}
	return nil
}

// giveJoined gives out the signals of the rules that ask for several events together.
func (g *giver) giveJoined() error {
	var failed error
	g.summary.NotJudged = g.joiner.judge(func(rule int, signals []signal.Signal) error {
		for _, made := range signals {
			if failed = g.giveSignal(found{rule: rule, signal: made}); failed != nil {
				return failed
			}
		}
		return nil
	})
	return failed
}
