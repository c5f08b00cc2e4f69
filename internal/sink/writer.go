package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/sink/signal"
)

// Options say where a Writer writes and how patient it is. The two indices are required.
type Options struct {
	SignalsIndex    string
	DeadLetterIndex string

	MaxBytes   int           // of one request; 5 MiB where 0
	MaxItems   int           // documents in one request; 500 where 0
	MaxElapsed time.Duration // how long one request is retried; 2 minutes where 0
	RetryPause time.Duration // the first pause between tries, which grow; 250 ms where 0
	// RequestTimeout ends a request that nobody answers; 90 s where 0, since Elasticsearch itself
	// waits up to a minute for a shard.
	RequestTimeout time.Duration

	Logger *slog.Logger // never given what is in an event; none where nil
}

// Writer puts signals into the signals index. Its methods may be called from many goroutines.
type Writer struct {
	client elastic.Transport
	o      Options
	// notCarried is the size of the smallest document so far that was refused for its size; 0 is
	// none.
	notCarried atomic.Int64
	// carried is how long a request may be since a longer one was refused; 0 is as long as Options
	// say.
	carried atomic.Int64
}

// NewWriter returns a Writer over indices that indices.Names.Ensure has checked.
func NewWriter(client elastic.Transport, o Options) *Writer {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 5 << 20
	}
	if o.MaxItems <= 0 {
		o.MaxItems = 500
	}
	if o.MaxElapsed <= 0 {
		o.MaxElapsed = 2 * time.Minute
	}
	if o.RetryPause <= 0 {
		o.RetryPause = 250 * time.Millisecond
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = 90 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Writer{client: client, o: o}
}

// pending is a signal on its way.
type pending struct {
	signal  *signal.Signal
	verdict *Verdict
	refusal *serverError // why the form tried before was refused
	tooLong int          // bytes of the smallest form that was refused for its size, 0 for none
}

// settle enters what became of the signal.
func (p pending) settle(fate Fate) {
	*p.verdict = Verdict{Fate: fate}
	if p.refusal != nil && fate != Duplicate {
		p.verdict.Why = p.refusal
	}
}

// form is one way to write a signal.
type form struct {
	index string
	build func(pending) ([]byte, error)
	fate  Fate                  // of a signal that is new in this form
	tell  func(taken []pending) // where it is not the form that everybody wants
}

// inSignals are the forms for the signals index, in the order in which they are tried.
func (w *Writer) inSignals() []form {
	return []form{
		{w.o.SignalsIndex, pending.full, Created, nil},
		{w.o.SignalsIndex, pending.reduced, Reduced,
			w.tells("signal written reduced", w.o.SignalsIndex)},
		{w.o.SignalsIndex, pending.withoutEvent, WithoutEvent, w.tellWithoutEvent},
	}
}

// inDeadLetters are the forms for signals that the signals index refuses.
func (w *Writer) inDeadLetters() []form {
	tell := w.tells("signal kept as a dead letter", w.o.DeadLetterIndex)
	return []form{
		{w.o.DeadLetterIndex, pending.deadLetter, DeadLettered, tell},
		{w.o.DeadLetterIndex, pending.deadLetterWithoutEvent, DeadLettered, tell},
	}
}

// Write brings each signal into the cluster: in full, else reduced, else without its event, else as
// a dead letter. It returns a verdict on each, in their order. An error means that at least one of
// them is Open or Refused, and that the caller must come back with all of them; writing a signal
// again is harmless.
//
// A signal without its event has nothing of it. So where every signal is refused in that form too,
// the fault is the index's, or the way's, and no signal becomes a dead letter for it. Nor does one
// where the index takes none any more of those that it took before.
func (w *Writer) Write(ctx context.Context, signals []signal.Signal) ([]Verdict, error) {
	verdicts := make([]Verdict, len(signals))
	all := make([]pending, len(signals))
	for i := range signals {
		all[i] = pending{signal: &signals[i], verdict: &verdicts[i]}
	}
	err := w.write(ctx, all)
	others, lookErr := w.merged(ctx, all)
	if err = errors.Join(err, lookErr); err == nil && len(others) > 0 {
		err = w.write(ctx, others)
	}
	for i := range verdicts {
		if verdicts[i].Fate == Open && verdicts[i].Why == nil {
			verdicts[i].Why = err
		}
	}
	return verdicts, err
}

// write is Write without a look at what the duplicates are duplicates of.
func (w *Writer) write(ctx context.Context, all []pending) error {
	open, err := w.tryAll(ctx, w.inSignals(), w.withoutWritten(ctx, all))
	if len(open) > 0 && !w.stillTakes(ctx, all) {
		err = errors.Join(err, &indexError{w.o.SignalsIndex, len(open), open[0].refusal})
		settle(open, Refused)
		return err
	}
	open, deadErr := w.tryAll(ctx, w.inDeadLetters(), open)
	err = errors.Join(err, deadErr)
	if len(open) > 0 {
		last := open[len(open)-1]
		err = errors.Join(err, fmt.Errorf("%d signals are refused as dead letters too: %s: %w",
			len(open), last.signal.ID, last.refusal))
	}
	settle(open, Refused)
	return err
}

// stillTakes reports whether the signals index takes signals now: one that it took is sent again,
// without its event, and must be there already. An index reads a document before it looks for its
// id, so one that refuses every document refuses that one too.
func (w *Writer) stillTakes(ctx context.Context, all []pending) bool {
	at := slices.IndexFunc(all, func(p pending) bool { return p.verdict.Fate != Open })
	if at < 0 {
		return false
	}
	body, err := all[at].signal.WithoutEvent("sent again, to see whether the index takes signals")
	if err != nil {
		return false
	}
	replies, err := w.deliver(ctx, w.o.SignalsIndex, []entry{{all[at].signal.ID, body}})
	return err == nil && (replies[0].outcome == duplicate || replies[0].outcome == created)
}

func settle(all []pending, fate Fate) {
	for _, p := range all {
		p.settle(fate)
	}
}

// tryAll writes signals in one form after the other and returns those that were refused in each.
func (w *Writer) tryAll(ctx context.Context, forms []form, open []pending) ([]pending, error) {
	var errs []error
	for _, f := range forms {
		left, err := w.try(ctx, f, open)
		if err != nil {
			errs = append(errs, err)
		}
		open = left
	}
	return open, errors.Join(errs...)
}

// try writes signals in one form and returns those that were refused in it.
func (w *Writer) try(ctx context.Context, f form, open []pending) ([]pending, error) {
	var left, sent, taken []pending
	var docs []entry
	for _, p := range open {
		body, err := f.build(p)
		if err != nil {
			return nil, fmt.Errorf("build the document of signal %s: %w", p.signal.ID, err)
		}
		if p.tooLong > 0 && len(body) >= p.tooLong {
			left = append(left, p)
			continue
		}
		sent = append(sent, p)
		docs = append(docs, entry{p.signal.ID, body})
	}
	replies, err := w.deliver(ctx, f.index, docs)
	for i, r := range replies {
		p := sent[i]
		switch r.outcome {
		case created:
			p.settle(f.fate)
			taken = append(taken, p)
		case duplicate:
			p.settle(Duplicate)
		case oversized:
			left = append(left, pending{p.signal, p.verdict, r.err, len(docs[i].body)})
		case refused:
			left = append(left, pending{p.signal, p.verdict, r.err, p.tooLong})
		case unsettled, barred: // in err
			p.refusal = r.err
			p.settle(Open)
		}
	}
	if f.tell != nil {
		f.tell(taken)
	}
	return left, err
}

// tells logs signals that were written in another form than the full one.
func (w *Writer) tells(note, index string) func([]pending) {
	return func(taken []pending) {
		var t tally
		for _, p := range taken {
			t.add(p)
		}
		t.log(w.o.Logger, note, index)
	}
}

// tellWithoutEvent logs each event that is not in its signal: who reads the signal needs to find
// it.
func (w *Writer) tellWithoutEvent(taken []pending) {
	const most = 20
	for i, p := range taken {
		if i == most {
			w.o.Logger.Warn("more signals were written without their events", "more",
				len(taken)-most)
			return
		}
		event := p.signal.Event()
		w.o.Logger.Warn("signal written without its event", "rule", p.signal.Match.Rule.ID,
			"signal", p.signal.ID, "event_index", event.Index, "event_id", event.ID,
			"bytes", len(event.Source), "refused", p.refusal, "advice", p.refusal.cure())
	}
}

func (p pending) full() ([]byte, error)    { return p.signal.Document, nil }
func (p pending) reduced() ([]byte, error) { return p.signal.Reduced(p.refusal.full()) }

func (p pending) withoutEvent() ([]byte, error) {
	return p.signal.WithoutEvent(p.refusal.Error())
}

func (p pending) deadLetter() ([]byte, error) { return p.signal.DeadLetter(p.refusal.full()) }

func (p pending) deadLetterWithoutEvent() ([]byte, error) {
	return p.signal.DeadLetterWithoutEvent(p.refusal.full())
}
