package detect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/prefilter"
)

// indexed is what an event's index knows of it; the zero value is nothing.
type indexed struct {
	mapping *event.Mapping
	values  event.Document // beside `_source`
	notes   []string
}

// document returns the event with the values that the index has of it, or those of the sample.
func (in indexed) document(s Sample) event.Document {
	document := in.values
	document.Source = s.Source
	if document.Fields == nil && document.Ignored == nil {
		document.Fields = s.Fields
	}
	return document
}

// IndexError says that an event cannot be read through the index that was named for it.
type IndexError struct{ reason string }

func (e *IndexError) Error() string { return e.reason }

// indexReader reads what explain wants of an index, in the way of a run.
type indexReader struct{ cluster *search.Cluster }

// read returns the mapping of the rule's fields and the values that only the index has.
func (r indexReader) read(ctx context.Context, d *Detection, s Sample) (indexed, error) {
	mapping, err := r.mappingOf(ctx, s.Index, d)
	if err != nil {
		return indexed{}, err
	}
	in := indexed{mapping: mapping}
	why := d.unjudgeable(search.Class{Indices: []string{s.Index}, Mapping: mapping})
	if why != "" {
		in.notes = append(in.notes, why+": run does not judge them, and says so")
	}
	request, needed := d.about(s, mapping)
	if why == tooMuchAsked {
		request.Asked, needed = nil, len(request.Fields) > 0
	}
	if !needed {
		return in, nil
	}
	var asked []string
	if request.Asked != nil {
		asked = askedFields(mapping, d.reading())
	}
	wanted := slices.Clone(asked)
	for _, w := range request.Fields {
		wanted = append(wanted, w.Path)
	}
	found := false
	if s.ID != "" {
		if in.values, found, err = r.fields(ctx, s, request); err != nil {
			return indexed{}, fmt.Errorf("read %s of %s from %s: %w", strings.Join(wanted, ", "),
				s.ID, s.Index, err)
		}
	}
	in.notes = append(in.notes, notesOf(s, request.Fields, asked, found)...)
	return in, nil
}

// about is the search for what only the index knows of an event; needed is false where that is
// nothing.
func (d *Detection) about(s Sample, m *event.Mapping) (r search.Request, needed bool) {
	r = search.Request{Query: dsl.Terms("_id", []string{s.ID}),
		Fields: search.Want(m, d.Fields.Paths())}
	if named := askedOf(m, d.reading()); len(named) > 0 {
		r.Asked = func(...string) dsl.Clause { return prefilter.Question(named) }
	}
	return r, len(r.Fields) > 0 || r.Asked != nil
}

// notesOf says what an index was asked of an event, and what it could not be asked.
func notesOf(s Sample, wanted []search.Wanted, asked []string, found bool) (notes []string) {
	note := func(fields []string, text string, args ...any) {
		if len(fields) > 0 {
			notes = append(notes, strings.Join(fields, ", ")+": "+fmt.Sprintf(text, args...))
		}
	}
	paths := make([]string, len(wanted))
	for i, w := range wanted {
		paths[i] = w.Path
	}
	const standard = "; here the standard analyzer makes the words, and run may judge otherwise"
	switch {
	case found:
		note(paths, "asked of the index too, since _source need not have the values")
		note(asked, "which words it has is asked of the index, since its analyzer makes them")
	case s.ID != "":
		note(paths, "the values may be in the index only, and it has no document %s", s.ID)
		note(asked, "only the index knows its words, and it has no document %s"+standard, s.ID)
	default:
		if s.Fields == nil {
			note(paths, "the values may be in the index only; to have them read, give the event "+
				"as a hit with its _id")
		}
		note(asked, "only the index knows its words: give the event as a hit with its _id"+standard)
	}
	return notes
}

func (r indexReader) mappingOf(ctx context.Context, index string,
	d *Detection) (*event.Mapping, error) {
	classes, err := d.Classes(ctx, r.cluster, []string{index})
	if errors.Is(err, elastic.ErrNotFound) {
		classes, err = nil, nil // a name without wildcards that no index has
	}
	if err != nil {
		return nil, err
	}
	if len(classes) == 0 {
		return nil, &IndexError{fmt.Sprintf("there is no open index %s that may be read: name "+
			"another with --index", index)}
	}
	if len(classes) > 1 {
		return nil, &IndexError{fmt.Sprintf("%s stands for %d kinds of indices: name one index",
			index, len(classes))}
	}
	return classes[0].Mapping, nil
}

// fields asks the index for a document's values of some fields, and about it. found is false where
// it has no such document.
func (r indexReader) fields(ctx context.Context, s Sample,
	request search.Request) (values event.Document, found bool, err error) {
	pit, err := r.cluster.OpenPointInTime(ctx, []string{s.Index})
	if err != nil {
		return event.Document{}, false, err
	}
	defer func() { _ = pit.Close(ctx) }() // it ends by itself
	for page, err := range pit.Pages(ctx, request) {
		if err != nil {
			return event.Document{}, false, err
		}
		for _, failure := range page.Failures {
			return event.Document{}, false, errors.New(failure.Reason)
		}
		for hit := range page.Hits(nil) {
			d := hit.Document()
			return event.Document{Fields: bytes.Clone(d.Fields), Ignored: bytes.Clone(d.Ignored),
				Matched: bytes.Clone(d.Matched)}, true, nil
		}
	}
	return event.Document{}, false, nil
}
