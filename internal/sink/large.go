package sink

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"

	"esrule/internal/sink/signal"
)

// asksFirst reports whether a signal is so large that the cluster is asked for its id before it is
// sent. An event is read again for hours (the overlap of the windows, the late sweep), and one that
// the way does not carry would be sent and refused each time, with all that travels in the same
// request.
func (w *Writer) asksFirst(s *signal.Signal) bool {
	size, refused := len(s.Document), w.notCarried.Load()
	return size >= heavyBytes || refused > 0 && int64(size) >= refused
}

// mostBytes is how long a request may be: what Options say, or less where a longer one was refused.
func (w *Writer) mostBytes() int {
	if most := int(w.carried.Load()); most > 0 {
		return min(most, w.o.MaxBytes)
	}
	return w.o.MaxBytes
}

// noteCut remembers what was refused for its size: one document, or several in one request.
func (w *Writer) noteCut(docs []entry, cut *cutError) {
	if len(docs) == 1 {
		lower(&w.notCarried, int64(len(docs[0].body)))
	}
	if cut.refusal().status != http.StatusRequestEntityTooLarge {
		return
	}
	size := 0
	for _, d := range docs {
		size += d.size()
	}
	lower(&w.carried, int64(size/2))
}

// lower makes a number, of which 0 is none, no greater than another.
func lower(number *atomic.Int64, to int64) {
	for {
		now := number.Load()
		if now > 0 && now <= to || number.CompareAndSwap(now, to) {
			return
		}
	}
}

// withoutWritten returns the signals but for large ones that are in the signals index already, in
// whatever form. Where the cluster does not say it, they are sent as if they were new.
func (w *Writer) withoutWritten(ctx context.Context, open []pending) []pending {
	var ids []signal.ID
	for _, p := range open {
		if w.asksFirst(p.signal) {
			ids = append(ids, p.signal.ID)
		}
	}
	if len(ids) == 0 {
		return open
	}
	written, err := w.lookUp(ctx, ids, nil)
	if err != nil {
		w.o.Logger.Debug("it is not known which large signals are written already", "error", err)
		return open
	}
	return slices.DeleteFunc(slices.Clone(open), func(p pending) bool {
		_, there := written[p.signal.ID]
		if there {
			p.settle(Duplicate)
		}
		return there
	})
}
