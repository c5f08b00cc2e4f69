package search

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"esrule/internal/date"
	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
)

// Request is what is searched for.
type Request struct {
	// Query is what the documents must satisfy; the zero value finds everything.
	Query dsl.Clause
	// Instead is asked of the indices that cannot run Query (a type refuses a constant, the server
	// refuses an expensive clause). It must find at least as much. With the zero value they are
	// failures.
	Instead dsl.Clause
	// Asked returns what the server is asked about each hit beside Query, as named clauses: it
	// finds no document and leaves none out. With indices it is what is asked of these; what is
	// asked of one another may not be able to run. Nil, and the zero value, are nothing.
	Asked func(indices ...string) dsl.Clause

	only []string // the indices that the query is for, where others can run another; see instead
	// Fields are those whose values are wanted beside `_source`.
	Fields []Wanted
}

// query is what is searched for, with what is asked beside it; the zero value is everything.
func (r Request) query() dsl.Clause {
	if r.Asked == nil {
		return r.Query
	}
	asked := r.Asked(r.only...)
	if asked.IsZero() {
		return r.Query
	}
	return dsl.Asking(r.Query, asked)
}

// Wanted is a field whose values are wanted.
type Wanted struct {
	Path string `json:"field"`
	// Format is how dates are to be written, or empty. Shards on which the field is no date fail.
	Format string `json:"format,omitempty"`
	// DocValues asks for the values in the index, and not for those in `_source`.
	DocValues bool `json:"-"`
}

// Want lists what a search must ask for to have the values of fields that an event's `_source` need
// not have.
func Want(m *event.Mapping, paths []string) []Wanted {
	var list []Wanted
	fields := map[string]bool{}
	for _, path := range paths {
		for _, field := range m.FieldsOf(path) {
			fields[field] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		f := m.Fields[path]
		switch {
		case !f.FromFields:
		case f.ServerRead:
			list = append(list, WantDate(path, f))
		default:
			list = append(list, Wanted{Path: f.Asked(path), DocValues: f.DocValues})
		}
	}
	return list
}

// WantDate asks for the values of a date.
func WantDate(path string, f event.FieldMapping) Wanted {
	return Wanted{Path: path, Format: date.Printed, DocValues: f.DocValues}
}

// Fits reports whether indices of a mapping can be asked.
func (w Wanted) Fits(m *event.Mapping) bool {
	f := m.Fields[w.Path]
	switch {
	case f.Type == event.Unmapped || f.Type == event.Object:
		return true
	case w.DocValues && !f.DocValues:
		return false
	}
	return w.Format == "" || f.IsDate()
}

// Pages reads every document that the request finds, in pages. The next page is on its way while
// the caller works on the one before, whose memory is used again once the caller asks for the next.
//
// A page may hold no hits. Shards that fail end nothing: what answered is handed on, and the
// indices that did not are in Page.Failures and PointInTime.Failures. An error ends the pages;
// ErrPointInTimeExpired means that the whole request must be made again with a new point in time.
func (p *PointInTime) Pages(ctx context.Context, r Request) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		p.pages(ctx, r, yield)
	}
}

// pages yields the pages of the point in time, part by part, and reports whether more are wanted.
func (p *PointInTime) pages(ctx context.Context, r Request, yield func(*Page, error) bool) bool {
	if len(p.parts) > 0 {
		return !slices.ContainsFunc(p.parts, func(part *PointInTime) bool {
			return !part.pages(ctx, r, yield)
		})
	}
	if p.Empty() {
		return true
	}
	f, err := newFetcher(p, r)
	if err != nil {
		yield(nil, err)
		return false
	}
	page := &Page{raw: p.cluster.keptText()}
	defer func() {
		f.dropAhead()
		p.cluster.keepText(f.spare)
		p.cluster.keepText(page.raw)
	}()
	permitted := false
	for !f.last {
		err := f.fetch(ctx, page)
		if errors.Is(err, elastic.ErrForbidden) && f.after == nil && !permitted &&
			!isRemote(p.patterns) {
			permitted = true
			if err = p.permit(ctx); err == nil {
				f.restart()
				f.last = p.Empty()
				continue
			}
		}
		if tooMuch(err) && f.after == nil {
			divided, failed := p.divide(ctx)
			if divided && failed == nil {
				return p.pages(ctx, r, yield)
			}
			err = errors.Join(err, failed)
		}
		if err != nil && isRemote(p.patterns) && ctx.Err() == nil {
			p.giveUp(ctx, err) // the other clusters' pages are good
			return true
		}
		if err != nil {
			yield(nil, err)
			return false
		}
		if !yield(page, nil) {
			return false
		}
		if err := f.finish(page); err != nil {
			yield(nil, err)
			return false
		}
		if f.last && len(f.refused) > 0 {
			f.dropAhead()
			if f, err = f.instead(); err != nil {
				yield(nil, err)
				return false
			}
		}
	}
	return true
}
