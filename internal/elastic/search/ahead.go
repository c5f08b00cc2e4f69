package search

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptrace"
	"sync"
	"time"

	"esrule/internal/elastic"
)

// ahead is the request for the next page, on its way while the page before it is split and judged.
// It is a guess: where what is asked for in the end is something else, it is dropped.
type ahead struct {
	body  []byte
	began time.Time
	stop  context.CancelFunc

	done  chan struct{} // closed when what follows is there
	ended time.Time
	got   elastic.Answer
	err   error
}

// looksFull guesses whether another page comes behind an answer that is not split yet, by the
// length of the hits before. With none before it says no: most searches end with their first page
// and must not cost the cluster a second.
func (f *fetcher) looksFull(raw []byte) bool {
	return f.hitBytes > 0 && len(raw) > f.hitBytes*f.size/10*9
}

// lookAhead asks for the page of so many hits behind a place, unless there is none.
func (f *fetcher) lookAhead(ctx context.Context, after json.RawMessage, size int) {
	if after == nil {
		return
	}
	q := f.callFor(after, size, f.request.Fields, nil)
	body, err := q.marshal()
	if err != nil {
		return
	}
	f.dropAhead()
	ctx, stop := context.WithCancel(ctx)
	a := &ahead{body: body, began: time.Now(), stop: stop, done: make(chan struct{})}
	buf := f.spare
	if buf == nil {
		buf = f.pit.cluster.keptText()
	}
	// grown in reading it would come out twice as large
	if expected := f.hitBytes*size/8*9 + bytes.MinRead; cap(buf) < expected {
		buf = make([]byte, 0, expected)
	}
	f.spare, f.ahead = nil, a
	// The page is not handed on before the request was written: on one processor that would come
	// behind judging the page, and the cluster would do nothing meanwhile.
	sent := make(chan struct{})
	written := sync.OnceFunc(func() { close(sent) })
	ctx = httptrace.WithClientTrace(ctx,
		&httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {
			written()
		}})
	go func() {
		defer written() // where there was no request to write
		defer close(a.done)
		a.got, a.err = f.pit.cluster.send(ctx, q, body, buf, f.limit(size))
		a.ended = time.Now()
	}()
	<-sent
}

// send sends a request for a page, or takes the answer to the same one that is on its way already.
func (f *fetcher) send(ctx context.Context, q call, body, buf []byte,
	limit int64) (elastic.Answer, error) {
	a := f.ahead
	if a == nil || !bytes.Equal(a.body, body) {
		f.dropAhead()
		return f.pit.cluster.send(ctx, q, body, buf, limit)
	}
	<-a.done
	a.stop()
	f.ahead = nil
	if a.err != nil {
		return elastic.Answer{}, a.err // the caller keeps its memory for another try
	}
	f.spare = buf
	return a.got, nil
}

// dropAhead ends a request that nobody wants the answer of.
func (f *fetcher) dropAhead() {
	if f.ahead == nil {
		return
	}
	f.ahead.stop()
	<-f.ahead.done
	f.spare, f.ahead = f.ahead.got.Text, nil
}

// lasted is how long the request has been on its way, or was.
func (a *ahead) lasted() time.Duration {
	if a == nil {
		return 0
	}
	select {
	case <-a.done:
		return a.ended.Sub(a.began)
	default:
		return time.Since(a.began)
	}
}

// lastSort gives the place of the last hit, which stands at the end of an answer; nil where it does
// not.
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

// keptText is memory for the text of a page, nil where there is none.
func (c *Cluster) keptText() []byte {
	if kept, ok := c.texts.Get().(*[]byte); ok {
		return *kept
	}
	return nil
}

// keepText keeps memory for the next search: neither what is too small for a page of the usual
// length nor what one huge document took.
func (c *Cluster) keepText(text []byte) {
	if n := int64(cap(text)); n >= c.options.MaxPageBytes/16 && n <= 2*c.options.MaxPageBytes {
		c.texts.Put(&text)
	}
}
