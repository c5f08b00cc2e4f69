package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/sink/signal"
)

// merged returns those of the duplicates whose id is the signal of another event, each open again
// and under an id of its own. Several events may share the first version of an identity.
func (w *Writer) merged(ctx context.Context, written []pending) ([]pending, error) {
	var ids []signal.ID
	var duplicates []pending
	for _, p := range written {
		if p.verdict.Fate == Duplicate && p.signal.Widens() {
			ids = append(ids, p.signal.ID)
			duplicates = append(duplicates, p)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := w.lookUp(ctx, ids, signal.FieldsOfIsIn())
	if err != nil {
		settle(duplicates, Open)
		return nil, fmt.Errorf("read signals of %s again: %w", w.o.SignalsIndex, err)
	}
	var others []pending
	for _, p := range duplicates {
		if document, there := stored[p.signal.ID]; there && !p.signal.IsIn(document) {
			own := p.signal.Widened()
			p.settle(Open)
			others = append(others, pending{signal: &own, verdict: p.verdict})
		}
	}
	return others, nil
}

// lookUp returns the documents of the signals index that have one of the ids, with some of their
// fields; with none they are null.
func (w *Writer) lookUp(
	ctx context.Context, ids []signal.ID, fields []string,
) (map[signal.ID]json.RawMessage, error) {
	params := url.Values{"_source": {"false"}}
	if len(fields) > 0 {
		params = url.Values{"_source_includes": {strings.Join(fields, ",")}}
	}
	r, err := elastic.Request{
		Method: http.MethodPost, Path: indexPath(w.o.SignalsIndex, "/_mget"), Params: params,
	}.JSON(map[string]any{"ids": ids})
	if err != nil {
		return nil, err
	}
	var found map[signal.ID]json.RawMessage
	err = w.retry().Do(ctx, func() (again bool, err error) {
		requestCtx, cancel := context.WithTimeout(ctx, w.o.RequestTimeout)
		defer cancel()
		got := lookedUp{asked: ids, bare: len(fields) == 0}
		if err := send(requestCtx, w.client, r, &got); err != nil {
			refusal, refused := errors.AsType[*serverError](err)
			return !(refused && !refusal.passing() || isUntrue(err)), err
		}
		found = map[signal.ID]json.RawMessage{}
		for _, d := range got.Docs {
			if d.Error != nil {
				return true, d.Error
			}
			if *d.Found {
				found[d.ID] = d.Source
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// lookedUp is the answer to a request for documents by their ids.
type lookedUp struct {
	Docs []struct {
		ID     signal.ID       `json:"_id"`
		Found  *bool           `json:"found"`
		Source json.RawMessage `json:"_source"`
		Error  *serverError    `json:"error"`
	} `json:"docs"`

	asked []signal.ID
	bare  bool // without their fields
}

func (l *lookedUp) Check() error {
	if len(l.Docs) != len(l.asked) {
		return elastic.Lacks(fmt.Sprintf("docs for each of %d ids", len(l.asked)))
	}
	for i, d := range l.Docs {
		switch {
		case d.Error != nil:
		case d.Found == nil:
			return elastic.Lacks("found of a document")
		case *d.Found && d.Source == nil && !l.bare:
			return elastic.Lacks("_source of a document")
		}
		if d.ID != l.asked[i] {
			return elastic.Contradicts("document %d is another one than was asked for", i+1)
		}
	}
	return nil
}
