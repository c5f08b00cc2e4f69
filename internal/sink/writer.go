package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	MaxElapsed time.Duration // how long one request is tried again; 2 minutes where 0
	RetryPause time.Duration // the first pause between tries, growing from there; 250 ms where 0
	// RequestTimeout ends a request that nobody answers; 90 s where 0, since Elasticsearch itself
	// waits up to a minute for a shard.
	RequestTimeout time.Duration

	Logger *slog.Logger // never given what an event holds; none where nil
}

// Writer puts signals into the alerts index. Its methods may be called from many goroutines.
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

// NewWriter gives a Writer over indices that Indices.Ensure has looked at.
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

// Result counts what became of signals. Where Write returns no error, the five add up to the number
// of signals.
type Result struct {
	Created      int // new, in full
	Duplicates   int // there already, in whatever form
	Reduced      int // new, without the event's fields, which the alerts index refused
	WithoutEvent int // new, saying where the event is, which was refused in any form
	DeadLettered int // new in the dead-letter index, since the alerts index refused any form
}

// Add sums two results.
func (r Result) Add(s Result) Result {
	return Result{
		Created:      r.Created + s.Created,
		Duplicates:   r.Duplicates + s.Duplicates,
		Reduced:      r.Reduced + s.Reduced,
		WithoutEvent: r.WithoutEvent + s.WithoutEvent,
		DeadLettered: r.DeadLettered + s.DeadLettered,
	}
}

// pending is a signal on its way, with the reason why the form tried before was refused.
type pending struct {
	signal  *signal.Signal
	refusal *serverError
	tooLong int // bytes of the smallest form that was refused for its size, 0 for none
}

// form is one way to write a signal, in the order of the fields below.
type form struct {
	index string
	build func(pending) ([]byte, error)
	count *int
	tell  func(taken []pending) // where it is not the form that everybody wants
}

// Write brings each signal into the cluster: in full, else reduced, else without its event, else as
// a dead letter. An error means that at least one of them is there in none of these forms, and that
// the caller must come back with all of them; writing a signal again is harmless.
//
// A signal without its event holds nothing of it. So where every signal is refused in that form
// too, the fault is the index's, or the way's, and no signal becomes a dead letter for it.
func (w *Writer) Write(ctx context.Context, signals []signal.Signal) (Result, error) {
	var duplicates []pending
	r, err := w.write(ctx, signals, &duplicates)
	others, lookErr := w.merged(ctx, duplicates)
	r.Duplicates = len(duplicates) - len(others)
	if err = errors.Join(err, lookErr); err != nil || len(others) == 0 {
		return r, err
	}
	duplicates = nil
	more, err := w.write(ctx, others, &duplicates)
	more.Duplicates = len(duplicates)
	return r.Add(more), err
}

// write is Write without a look at what the duplicates are duplicates of.
func (w *Writer) write(ctx context.Context, signals []signal.Signal,
	duplicates *[]pending) (Result, error) {
	var r Result
	inSignals := []form{
		{w.o.SignalsIndex, pending.full, &r.Created, nil},
		{w.o.SignalsIndex, pending.reduced, &r.Reduced,
			w.tells("signal written reduced", w.o.SignalsIndex)},
		{w.o.SignalsIndex, pending.withoutEvent, &r.WithoutEvent, w.tellWithoutEvent},
	}
	asDeadLetter := w.tells("signal kept as a dead letter", w.o.DeadLetterIndex)
	inDeadLetters := []form{
		{w.o.DeadLetterIndex, pending.deadLetter, &r.DeadLettered, asDeadLetter},
		{w.o.DeadLetterIndex, pending.deadLetterWithoutEvent, &r.DeadLettered, asDeadLetter},
	}
	open := make([]pending, len(signals))
	for i := range signals {
		open[i].signal = &signals[i]
	}
	open = w.withoutWritten(ctx, open, duplicates)
	open, err := w.tryAll(ctx, inSignals, open, duplicates)
	if len(open) > 0 && r == (Result{}) && len(*duplicates) == 0 {
		return r, errors.Join(err, &indexError{w.o.SignalsIndex, len(open), open[0].refusal})
	}
	open, deadErr := w.tryAll(ctx, inDeadLetters, open, duplicates)
	err = errors.Join(err, deadErr)
	if len(open) > 0 {
		last := open[len(open)-1]
		err = errors.Join(err, fmt.Errorf("%d signals are refused as dead letters too: %s: %w",
			len(open), last.signal.ID, last.refusal))
	}
	return r, err
}

// tryAll writes signals in one form after the other and returns those that were refused in each.
func (w *Writer) tryAll(
	ctx context.Context, forms []form, open []pending, duplicates *[]pending,
) ([]pending, error) {
	var errs []error
	for _, f := range forms {
		left, err := w.try(ctx, f, open, duplicates)
		if err != nil {
			errs = append(errs, err)
		}
		open = left
	}
	return open, errors.Join(errs...)
}

// try writes signals in one form and returns those that were refused in it.
func (w *Writer) try(
	ctx context.Context, f form, open []pending, duplicates *[]pending,
) ([]pending, error) {
	var left, sent []pending
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
	verdicts, err := w.deliver(ctx, f.index, docs)
	var taken []pending
	for i, v := range verdicts {
		switch v.outcome {
		case created:
			*f.count++
			taken = append(taken, sent[i])
		case duplicate:
			*duplicates = append(*duplicates, sent[i])
		case refused:
			left = append(left, pending{sent[i].signal, v.err, sent[i].tooLong})
		case oversized:
			left = append(left, pending{sent[i].signal, v.err, len(docs[i].body)})
		case unsettled, barred: // in err
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

// tellWithoutEvent names each event that is not in its signal: whoever reads the signal needs it.
func (w *Writer) tellWithoutEvent(taken []pending) {
	const most = 20
	for i, p := range taken {
		if i == most {
			w.o.Logger.Warn("more signals were written without their events", "more",
				len(taken)-most)
			return
		}
		event := p.signal.Match.Events[0]
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
