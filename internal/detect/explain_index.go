package detect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
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
	in.notes = append(in.notes, unread(mapping, d.Compiled)...)
	wanted := search.Want(mapping, d.Fields.Paths())
	if len(wanted) == 0 {
		return in, nil
	}
	asked := make([]string, len(wanted))
	for i, w := range wanted {
		asked[i] = w.Path
	}
	found := false
	if s.ID != "" {
		if in.values, found, err = r.fields(ctx, s, wanted); err != nil {
			return indexed{}, fmt.Errorf("read %s of %s from %s: %w", strings.Join(asked, ", "),
				s.ID, s.Index, err)
		}
	}
	switch fields := strings.Join(asked, ", "); {
	case found:
		in.notes = append(in.notes, fmt.Sprintf("%s: asked of the index too, since _source need "+
			"not have the values", fields))
	case s.ID != "":
		in.notes = append(in.notes, fmt.Sprintf("%s: the values may be in the index only, and it "+
			"has no document %s", fields, s.ID))
	case s.Fields == nil:
		in.notes = append(in.notes, fmt.Sprintf("%s: the values may be in the index only; to "+
			"have them read, give the event as a hit with its _id", fields))
	}
	return in, nil
}

// unread returns what "run" would not judge of an index.
func unread(m *event.Mapping, rule Compiled) []string {
	unknown := unknownOf(m, rule)
	switch {
	case m.Source == event.SourceOff:
		return []string{"the index keeps no _source: run cannot judge its events and says so"}
	case len(m.SourceMissing) > 0:
		return []string{fmt.Sprintf("_source leaves out %s there: run cannot judge the index's "+
			"events and says so", strings.Join(m.SourceMissing, ", "))}
	case len(unknown) > 0:
		return []string{strings.Join(unknown, "; ") +
			": run cannot judge the index's events and says so"}
	}
	return nil
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

// fields asks the index for a document's values of some fields. found is false where it has no such
// document.
func (r indexReader) fields(ctx context.Context, s Sample,
	wanted []search.Wanted) (values event.Document, found bool, err error) {
	pit, err := r.cluster.OpenPointInTime(ctx, []string{s.Index})
	if err != nil {
		return event.Document{}, false, err
	}
	defer func() { _ = pit.Close(ctx) }() // it ends by itself
	query := dsl.Terms("_id", []string{s.ID})
	for page, err := range pit.Pages(ctx, search.Request{Query: query, Fields: wanted}) {
		if err != nil {
			return event.Document{}, false, err
		}
		for _, failure := range page.Failures {
			return event.Document{}, false, errors.New(failure.Reason)
		}
		for hit := range page.Hits(nil) {
			d := hit.Document()
			return event.Document{Fields: bytes.Clone(d.Fields),
				Ignored: bytes.Clone(d.Ignored)}, true, nil
		}
	}
	return event.Document{}, false, nil
}
