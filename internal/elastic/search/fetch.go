package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
)

// fetcher fetches the pages of one request in order.
type fetcher struct {
	pit     *PointInTime
	request Request
	query   json.RawMessage // the text of request.query, which every page asks for
	size    int             // of the next page
	after   json.RawMessage // where the next page begins; nil at the start
	last    bool            // there is no next page
	// suspected is among how many documents ahead is one that cannot be read back; see blame.go.
	suspected int

	ahead *ahead // the next page's request, nil where it is not on its way
	spare []byte // memory for the next answer
	// careful asks for the next page to be gone over whole before any hit is given out.
	careful bool
	// most is the most hits that every index lets a page have (index.max_result_window); 0 is no
	// limit.
	most int
	// refused are the indices whose shards cannot run the query, and why.
	refused map[string]string
	// hitBytes is how long the hits of the page before were, 0 where there was none.
	hitBytes int
}

func newFetcher(p *PointInTime, r Request) (*fetcher, error) {
	f := &fetcher{pit: p, request: r}
	if query := r.query(); !query.IsZero() {
		var err error
		if f.query, err = json.Marshal(query); err != nil {
			return nil, fmt.Errorf("write the query: %w", err)
		}
	}
	f.restart()
	return f, nil
}

// restart begins with the first page.
func (f *fetcher) restart() {
	f.dropAhead()
	*f = fetcher{pit: f.pit, request: f.request, query: f.query, spare: f.spare,
		size: min(firstPage, f.pit.cluster.options.PageSize)}
}

// fetch fetches the next page, in halves where it is too large to hold or a document in it spoils
// it.
func (f *fetcher) fetch(ctx context.Context, page *Page) error {
	began, before := time.Now(), f.ahead.lasted()
	defer func() { page.Waited = before + time.Since(began) }()
	for {
		a, err := f.ask(ctx, page)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, elastic.ErrTooLarge) {
			f.halve()
			continue
		}
		if f.shrink(a.shards) {
			continue
		}
		if culprit := f.blame(ctx, a, err); culprit != nil {
			if f.size == 1 {
				f.pass(ctx, page, culprit)
				return nil
			}
			f.suspected = max(f.suspected, f.size)
			f.halve()
			continue
		}
		if err != nil {
			return err
		}
		f.accept(ctx, page, a)
		return nil
	}
}

func (f *fetcher) halve() {
	f.size = max(f.size/2, 1)
	f.pit.cluster.options.Logger.Debug("a page is asked for again in halves", "hits", f.size)
}

// lost adds a failure of every index where an answer is of fewer shards than the point in time
// holds.
func (f *fetcher) lost(a answer, unread []elastic.ShardFailure) []elastic.ShardFailure {
	if err := a.clusters.unanswered(); err != nil {
		return append(unread, elastic.ShardFailure{Reason: elastic.Cause{
			Type: Unanswered, Reason: "the remote cluster did not take part in a search: " +
				err.Error(),
		}})
	}
	if a.total >= f.pit.shards || len(unread) > 0 {
		return unread
	}
	return []elastic.ShardFailure{{Reason: elastic.Cause{
		Reason: fmt.Sprintf("%d shards were searched, and the point in time holds %d", a.total,
			f.pit.shards),
	}}}
}

// shrink takes over an index's limit on the hits of a page, and reports whether the page has to be
// asked for again.
func (f *fetcher) shrink(shards []elastic.ShardFailure) bool {
	for _, s := range shards {
		found := resultWindow.FindStringSubmatch(s.Reason.Reason)
		if found == nil {
			continue
		}
		if most, err := strconv.Atoi(found[1]); err == nil && most > 0 && most < f.size {
			f.size, f.most = most, most
			return true
		}
	}
	return false
}

var resultWindow = regexp.MustCompile(
	`Result window is too large.* less than or equal to: \[(\d+)\]`)

// setAside takes the shards that cannot run the query out of the failures, where there is something
// else to ask of them.
func (f *fetcher) setAside(shards []elastic.ShardFailure) []elastic.ShardFailure {
	if f.request.Instead.IsZero() {
		return shards
	}
	return slices.DeleteFunc(shards, func(s elastic.ShardFailure) bool {
		if !isRefusal(s) {
			return false
		}
		if f.refused == nil {
			f.refused = map[string]string{}
		}
		f.refused[s.Index] = s.Reason.Text()
		return true
	})
}

// isRefusal reports whether a shard failed since its index cannot run the query. A date that a
// range cannot be made of is found while the query is rewritten, and has a type of its own.
func isRefusal(s elastic.ShardFailure) bool {
	return s.Reason.Type == "query_shard_exception" || s.Reason.Type == "parse_exception"
}

// instead returns the fetcher of what is asked of the indices that cannot run the query. What some
// of them are asked about each hit may be what the others cannot run: these are asked once more.
func (f *fetcher) instead() (*fetcher, error) {
	indices := slices.Sorted(maps.Keys(f.refused))
	f.pit.cluster.options.Logger.Warn("indices refuse the pre-filter: all their events of the "+
		"time that is searched are read and judged",
		"indices", indices, "reason", f.refused[indices[0]])
	next := f.request
	next.Query, next.only = dsl.And(f.request.Instead, dsl.Terms("_index", indices)), indices
	if len(indices) == len(f.request.only) { // it was their own
		next.Instead = dsl.Clause{}
	}
	return newFetcher(f.pit, next)
}

// accept enters what an answer says beside its hits.
func (f *fetcher) accept(ctx context.Context, page *Page, a answer) {
	options := &f.pit.cluster.options
	f.pit.renew(a.id)
	page.Failures = f.pit.noteFailedShards(ctx, f.setAside(f.lost(a, a.unread(options.Timeout))))
	if page.lazy {
		return // the rest is known when it was given out
	}
	f.careful = false
	f.step(a.hits, a.after, len(page.raw))
	if !f.last && f.ahead == nil {
		f.lookAhead(ctx, f.after, f.size)
	}
}

// finish steps behind a page that was split while it was given out. One that turned out to be no
// JSON ends in front of the hit that it breaks at, and what is there is asked for again.
func (f *fetcher) finish(page *Page) error {
	if !page.lazy {
		return nil
	}
	for range page.Hits(nil) { // what the caller left
	}
	after := bytes.Clone(page.after)
	if page.state != broken {
		if err := page.end(); err != nil {
			return page.answer.Named(err)
		}
		f.step(page.given, after, len(page.raw))
		return nil
	}
	f.careful = true
	if page.given > 0 {
		f.after = after
	}
	return nil
}

// step steps behind a page of so many hits.
func (f *fetcher) step(hits int, after json.RawMessage, textBytes int) {
	f.last = hits < f.size
	f.hitBytes = textBytes / f.size
	f.after = after
	f.suspected -= hits
	if f.suspected <= 0 {
		f.size = f.sizeBehind(textBytes)
	}
}

// firstPage is the most hits that a search begins with, before anything is known of their length.
const firstPage = 1000

// sizeBehind is how many hits to ask for behind a page whose text took so many bytes. Each page
// costs the cluster some milliseconds, whatever it holds, and us the memory for its text: so pages
// are as large as a twelfth of what may be held takes, and grow step by step, so that not every
// second one were too large where few documents are.
func (f *fetcher) sizeBehind(textBytes int) int {
	const step = 4
	options := &f.pit.cluster.options
	wanted := options.MaxPageBytes / 12
	fitting := int(int64(f.size) * wanted / int64(max(textBytes, 1)))
	if fitting < 2*f.size && f.size < 2*fitting {
		return f.size
	}
	size := max(min(fitting, step*f.size, options.PageSize), 1)
	if f.most > 0 {
		size = min(size, f.most)
	}
	return size
}

// tries is how often the next page is asked for. One known to hold a document that spoils it is not
// waited for: only a document that stands alone is condemned, and after all tries.
func (f *fetcher) tries() uint {
	if f.suspected > 0 && f.size > 1 || isRemote(f.pit.patterns) {
		return 1 // a remote cluster that hangs would be waited for each time
	}
	return f.pit.cluster.options.Tries
}

// unread lists what an answer was not read whole of; what names no index means all of them.
func (a *answer) unread(timeout time.Duration) []elastic.ShardFailure {
	list := a.shards
	if a.timedOut {
		list = append(list, elastic.ShardFailure{Reason: elastic.Cause{Type: TimedOut,
			Reason: fmt.Sprintf("the search ran out of time (%s)", timeout)}})
	}
	if lost := a.total - a.successful; len(list) == 0 && lost > 0 {
		list = append(list, elastic.ShardFailure{Reason: elastic.Cause{
			Reason: fmt.Sprintf("%d of %d shards did not answer, and the answer does not say which",
				lost, a.total),
		}})
	}
	return list
}

// ask asks for one page, several times if need be. Where every shard failed, the page comes empty
// and the answer holds their failures.
func (f *fetcher) ask(ctx context.Context, page *Page) (answer, error) {
	q := f.call(f.request.Fields, nil)
	body, err := q.marshal()
	if err != nil {
		return answer{}, err
	}
	var a answer
	_, err = f.pit.cluster.retry(ctx, q, f.tries(), func() (elastic.Answer, error) {
		var err error
		a, err = f.attempt(ctx, q, body, page)
		if err == nil && anyTransient(a.shards) {
			err = errBusyShards
		}
		return elastic.Answer{}, err
	})
	switch {
	// still busy after all tries: the rest of the answer stands
	case err == nil, errors.Is(err, errBusyShards):
		return a, nil
	case errors.Is(err, elastic.ErrPointInTimeExpired):
		return answer{}, elastic.ErrPointInTimeExpired
	}
	if shards := failedShards(err); len(shards) > 0 {
		page.reset(page.raw[:0])
		return answer{total: f.pit.shards, shards: shards}, nil
	}
	return answer{}, err
}

// attempt asks for one page once.
func (f *fetcher) attempt(ctx context.Context, q call, body []byte, page *Page) (answer, error) {
	if int64(cap(page.raw)) > 2*f.pit.cluster.options.MaxPageBytes {
		// give back what one huge document took
		*page = Page{indices: page.indices}
	}
	limit := f.limit(f.size)
	got, err := f.send(ctx, q, body, page.raw, limit)
	if err != nil {
		return answer{}, err
	}
	page.start, page.answer = f.after, got
	if f.suspected <= 0 && !f.careful && f.looksFull(got.Text) {
		f.lookAhead(ctx, lastSort(got.Text), f.sizeBehind(len(got.Text)))
	}
	parse := page.parse
	if f.ahead != nil { // how many hits there are need not be known now
		parse = page.begin
	}
	a, err := parse(got.Text)
	if !errors.Is(err, errNotJSON) {
		return a, got.Named(err)
	}
	// Elasticsearch writes an answer that it filters anew, and with it each document. Not done for
	// every page: it costs time, and numbers lose the form they were written in.
	q.params.Set("filter_path", "**")
	if got, err = f.pit.cluster.send(ctx, q, body, page.raw, limit); err != nil {
		return answer{}, err
	}
	a, err = page.parse(got.Text)
	return a, got.Named(err)
}

// limit is how many bytes a page of so many hits may take; 0 is no limit.
func (f *fetcher) limit(size int) int64 {
	if size == 1 {
		return 0 // there is no smaller half
	}
	return f.pit.cluster.options.MaxPageBytes
}

// searchBody is the body of a search.
type searchBody struct {
	PIT        pitBody         `json:"pit"`
	Size       int             `json:"size"`
	Query      json.RawMessage `json:"query,omitempty"`
	Sort       [1]string       `json:"sort"`
	After      json.RawMessage `json:"search_after,omitempty"`
	TrackTotal bool            `json:"track_total_hits"`
	Fields     []Wanted        `json:"fields,omitempty"`
	DocValues  []Wanted        `json:"docvalue_fields,omitempty"`
	Source     *bool           `json:"_source,omitempty"` // nil: as it was sent
	Timeout    string          `json:"timeout"`
}

type pitBody struct {
	ID        string `json:"id"`
	KeepAlive string `json:"keep_alive"`
}

// call is the request for the page that comes next.
func (f *fetcher) call(fields []Wanted, source *bool) call {
	return f.callFor(f.after, f.size, fields, source)
}

func (f *fetcher) callFor(after json.RawMessage, size int, fields []Wanted, source *bool) call {
	options := &f.pit.cluster.options
	fromSource, fromIndex := apart(fields)
	return call{
		method: http.MethodPost,
		path:   "/_search",
		params: url.Values{"allow_partial_search_results": {"true"}},
		body: searchBody{
			PIT: pitBody{ID: f.pit.current(),
				KeepAlive: milliseconds(f.pit.cluster.keepAlive())},
			Size:      size,
			Query:     f.query,
			Sort:      [1]string{f.pit.order()},
			After:     after,
			Fields:    fromSource,
			DocValues: fromIndex,
			Source:    source,
			Timeout:   milliseconds(options.Timeout),
		},
	}
}

// apart sorts fields by where their values come from.
func apart(fields []Wanted) (fromSource, fromIndex []Wanted) {
	for _, w := range fields {
		if w.DocValues {
			fromIndex = append(fromIndex, w)
		} else {
			fromSource = append(fromSource, w)
		}
	}
	return fromSource, fromIndex
}
