package search

import (
	"bytes"
	"context"
	"encoding/json"
	"time"
)

// ahead is the request for the next page, on its way while the page before it is still being split. It is a guess: where what
// is asked for in the end is something else, it is dropped.
type ahead struct {
	body  []byte
	limit int64
	began time.Time
	done  chan struct{}
	stop  context.CancelFunc
	raw   []byte
	err   error
}

// lookAhead asks for the page behind the one whose text is raw. Only a search that has had a full page looks ahead: most end
// with their first, and must not cost the cluster a second request.
func (f *fetcher) lookAhead(ctx context.Context, raw []byte, limit int64) {
	after := lastSort(raw)
	if !f.full || after == nil {
		return
	}
	here := f.after
	f.after = after
	q := f.call(f.request.Fields, nil)
	f.after = here
	body, err := q.marshal()
	if err != nil {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	a := &ahead{body: body, limit: limit, began: time.Now(), done: make(chan struct{}), stop: stop}
	buf := f.spare
	f.spare, f.ahead = nil, a
	go func() {
		defer close(a.done)
		a.raw, a.err = f.pit.cluster.send(ctx, q, body, buf, limit)
	}()
}

// send sends a request for a page, or takes the answer to the same one that is on its way already.
func (f *fetcher) send(ctx context.Context, q call, body, buf []byte, limit int64) ([]byte, error) {
	a := f.ahead
	if a == nil || a.limit != limit || !bytes.Equal(a.body, body) {
		f.dropAhead()
		return f.pit.cluster.send(ctx, q, body, buf, limit)
	}
	<-a.done
	a.stop()
	f.ahead = nil
	if a.err != nil {
		return nil, a.err // the caller keeps its memory for another try
	}
	f.spare = buf
	return a.raw, nil
}

// dropAhead ends a request that nobody wants the answer of.
func (f *fetcher) dropAhead() {
	if f.ahead == nil {
		return
	}
	f.ahead.stop()
	<-f.ahead.done
	f.spare, f.ahead = f.ahead.raw, nil
}

// lastSort gives the place of the last hit, which stands at the end of an answer; nil where it does not.
func lastSort(raw []byte) json.RawMessage {
	const longest = 200 // of a place and the brackets behind it
	tail := raw[max(len(raw)-longest, 0):]
	at := bytes.LastIndex(tail, []byte(`"sort":[`))
	if at < 0 {
		return nil
	}
	place := tail[at+len(`"sort":`):]
	end := bytes.IndexByte(place, ']')
	if end < 0 || len(bytes.Trim(place[end:], "]} \r\n")) > 0 {
		return nil
	}
	return bytes.Clone(place[:end+1])
}
