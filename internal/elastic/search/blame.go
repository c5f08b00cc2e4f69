package search

import (
	"context"
	"fmt"
	"slices"

	"esrule/internal/elastic"
)

// unreadable is the Type of a Failure for a document that the cluster cannot give back.
const unreadable = "unreadable_document"

// bare is a page without its documents' contents.
type bare struct {
	answer
	page Page
	err  error // what asking for the contents came to
}

// blame tells whether the contents of documents are why a page failed: then the same page without
// them is answered well. Elasticsearch takes documents that it cannot write into an answer (one
// that begins with a comment); it drops the connection, or fails the shard. nil means that
// something else is wrong.
func (f *fetcher) blame(ctx context.Context, a answer, err error) *bare {
	if !f.suspicious(a, err) {
		return nil
	}
	none := false
	q := f.call(nil, &none)
	body, failed := q.marshal()
	if failed != nil {
		return nil
	}
	raw, failed := f.pit.cluster.send(ctx, q, body, nil, 0)
	if failed != nil {
		return nil
	}
	b := &bare{page: Page{start: f.after}, err: err}
	if b.answer, failed = b.page.parse(raw.Text); failed != nil || b.hits == 0 {
		return nil
	}
	if err == nil {
		healed := slices.IndexFunc(a.shards, func(s elastic.ShardFailure) bool {
			return !b.fails(s.Index)
		})
		if healed < 0 {
			return nil
		}
		b.err = fmt.Errorf("%s: %s", a.shards[healed].Reason.Type, a.shards[healed].Reason.Text())
	}
	return b
}

// suspicious tells whether an outcome is of the kind that a document can bring about, and new.
func (f *fetcher) suspicious(a answer, err error) bool {
	if err != nil {
		return isTransient(err)
	}
	return slices.ContainsFunc(a.shards, func(s elastic.ShardFailure) bool {
		return s.Reason.Type != elastic.ContextMissing &&
			s.Reason.Type != elastic.NoShardAvailable && !isRefusal(s) &&
			!f.pit.knows(failureOf(s))
	})
}

func (b *bare) fails(index string) bool {
	return slices.ContainsFunc(b.shards, func(s elastic.ShardFailure) bool {
		return s.Index == index
	})
}

// pass leaves out the one document of a bare page and names it, so that no other is lost with it.
func (f *fetcher) pass(ctx context.Context, page *Page, b *bare) {
	page.reset(page.raw[:0])
	b.page.next(nil)
	hit := &b.page.hit
	f.pit.renew(b.id)
	page.Failures = f.pit.note(ctx, []Failure{{
		Index: hit.Index, Type: unreadable,
		Reason: fmt.Sprintf("the cluster cannot give back document %s: %v", hit.ID(), b.err),
	}})
	f.after, f.suspected = b.after, 0
	f.size = min(2, f.pit.cluster.options.PageSize)
}
