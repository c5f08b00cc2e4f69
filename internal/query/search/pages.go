package search

import (
	"context"
	"iter"
)

// Request is what is searched for.
type Request struct {
	// Query is query DSL: a value that is marshalled as JSON. nil finds everything.
	Query any
	// Fields are the paths whose values are wanted beside `_source`.
	Fields []string
}

// Pages reads every document that the request finds, in pages. The next page is fetched while the caller
// works on the one before, whose memory is used again once the caller asks for the next.
//
// A page may hold no hits. Shards that fail end nothing: what answered is handed on, and the indices
// that did not are in Page.Failures and PointInTime.Failures. An error ends the pages; ErrPointInTimeExpired
// means that the whole request must be made again with a new point in time.
func (p *PointInTime) Pages(ctx context.Context, r Request) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		if p.Empty() {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		free, ready := make(chan *Page, 2), make(chan fetched)
		go fetchAll(ctx, newFetcher(p, r), free, ready)
		defer func() {
			cancel()
			for range ready { // ends when the fetching has
			}
		}()
		free <- &Page{}
		free <- &Page{}
		for f := range ready {
			if !yield(f.page, f.err) || f.err != nil {
				return
			}
			free <- f.page
		}
	}
}

type fetched struct {
	page *Page
	err  error
}

// fetchAll fetches page after page into free ones until the last, an error, or the end of ctx.
func fetchAll(ctx context.Context, f *fetcher, free <-chan *Page, ready chan<- fetched) {
	defer close(ready)
	defer f.dropAhead()
	for !f.last {
		var page *Page
		select {
		case page = <-free:
		case <-ctx.Done():
		}
		// An error is always sent: the receiver reads on until the channel is closed.
		if ctx.Err() != nil {
			ready <- fetched{err: context.Cause(ctx)}
			return
		}
		if err := f.fetch(ctx, page); err != nil {
			ready <- fetched{err: err}
			return
		}
		ready <- fetched{page: page}
	}
}
