package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"esrule/internal/elastic"
)

// Options say where a Writer writes and how patient it is. The two indices are required.
type Options struct {
	SignalsIndex    string
	DeadLetterIndex string

	MaxBytes   int           // of one request; 5 MiB where 0
	MaxItems   int           // documents in one request; 500 where 0
	MaxElapsed time.Duration // how long one request is tried again; 2 minutes where 0
	RetryPause time.Duration // the first pause between tries, growing from there; 250 ms where 0
	// RequestTimeout ends a request that nobody answers; 90 s where 0, since Elasticsearch itself waits up to a minute
	// for a shard.
	RequestTimeout time.Duration

	Logger *slog.Logger // never given what an event holds; none where nil
}

// Writer puts signals into the alerts index. Its methods may be called from many goroutines.
type Writer struct {
	client elastic.Transport
	o      Options
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

// Result counts what became of signals. Where Write gives no error, the four add up to the number of signals.
type Result struct {
	Created      int // new, in full
	Duplicates   int // there already, in whatever form
	Reduced      int // new, without the event's fields, which the alerts index refused
	DeadLettered int // new in the dead-letter index, since the alerts index refused any form
}

// Add sums two results.
func (r Result) Add(s Result) Result {
	return Result{
		Created:      r.Created + s.Created,
		Duplicates:   r.Duplicates + s.Duplicates,
		Reduced:      r.Reduced + s.Reduced,
		DeadLettered: r.DeadLettered + s.DeadLettered,
	}
}

// pending is a signal on its way, with the reason why the form tried before was refused.
type pending struct {
	signal  *Signal
	refusal *serverError
}

// form is one way to write a signal, in the order of the fields below.
type form struct {
	index string
	build func(pending) ([]byte, error)
	count *int
	note  string // for the log where it is not the form that everybody wants
}

// Write brings each signal into the cluster: in full, else reduced, else as a dead letter. An error means that at least
// one of them is there in none of these forms, and that the caller must come back with all of them; writing a signal
// again is harmless.
func (w *Writer) Write(ctx context.Context, signals []Signal) (Result, error) {
	var r Result
	forms := []form{
		{w.o.SignalsIndex, full, &r.Created, ""},
		{w.o.SignalsIndex, reduced, &r.Reduced, "signal written reduced"},
		{w.o.DeadLetterIndex, deadLetter, &r.DeadLettered, "signal kept as a dead letter"},
	}
	open := make([]pending, len(signals))
	for i := range signals {
		open[i].signal = &signals[i]
	}
	var errs []error
	for _, f := range forms {
		if len(open) == 0 {
			break
		}
		left, err := w.try(ctx, f, open, &r.Duplicates)
		if err != nil {
			errs = append(errs, err)
		}
		open = left
	}
	if len(open) > 0 {
		last := open[len(open)-1]
		errs = append(errs, fmt.Errorf("%d signals are refused as dead letters too: %s: %w",
			len(open), last.signal.ID, last.refusal))
	}
	return r, errors.Join(errs...)
}

// try writes signals in one form and gives those that were refused in it.
func (w *Writer) try(ctx context.Context, f form, open []pending, duplicates *int) ([]pending, error) {
	docs := make([]entry, len(open))
	for i, p := range open {
		body, err := f.build(p)
		if err != nil {
			return nil, fmt.Errorf("build the document of signal %s: %w", p.signal.ID, err)
		}
		docs[i] = entry{p.signal.ID, body}
	}
	verdicts, err := w.deliver(ctx, f.index, docs)
	var left []pending
	var taken tally
	for i, v := range verdicts {
		switch v.outcome {
		case created:
			*f.count++
			taken.add(open[i])
		case duplicate:
			*duplicates++
		case refused:
			left = append(left, pending{open[i].signal, v.err})
		case unsettled, barred: // in err
		}
	}
	if f.note != "" {
		taken.log(w.o.Logger, f.note, f.index)
	}
	return left, err
}

func full(p pending) ([]byte, error) { return p.signal.Document, nil }
