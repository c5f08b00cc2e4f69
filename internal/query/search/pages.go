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

// Pages reads every document that the request finds, in pages. The next page is on its way while the caller
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
		f := newFetcher(p, r)
		page := &Page{raw: p.cluster.keptText()}
		defer func() {
			f.dropAhead()
			p.cluster.keepText(f.spare)
			p.cluster.keepText(page.raw)
		}()
		for !f.last {
			if err := f.fetch(ctx, page); err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) {
				return
			}
			f.finish(page)
		}
	}
}
