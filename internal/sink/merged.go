package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cenkalti/backoff/v5"

	"esrule/internal/elastic"
)

// merged returns those of the duplicates whose id is the signal of another event, each under an id
// of its own. Several events may share the first version of an identity.
func (w *Writer) merged(ctx context.Context, duplicates []pending) ([]Signal, error) {
	var ids []SignalID
	for _, p := range duplicates {
		if p.signal.widerID != p.signal.ID {
			ids = append(ids, p.signal.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := w.lookUp(ctx, ids, append(widerFields[:],
		"kibana.alert.ancestors", reducedField, finerTimeField, "event.original"))
	if err != nil {
		return nil, fmt.Errorf("read signals of %s again: %w", w.o.SignalsIndex, err)
	}
	var others []Signal
	for _, p := range duplicates {
		document, there := stored[p.signal.ID]
		if there && p.signal.widerID != p.signal.ID && !p.signal.isIn(document) {
			others = append(others, p.signal.widened())
		}
	}
	return others, nil
}

// widened returns the signal under the second version of its identity.
func (s *Signal) widened() Signal {
	other := *s
	other.ID = s.widerID
	uuid := func(id SignalID) []byte { return []byte(`"kibana.alert.uuid":"` + string(id) + `"`) }
	other.Document = bytes.Replace(s.Document, uuid(s.ID), uuid(other.ID), 1)
	other.alert = slices.Clone(s.alert)
	for i, f := range other.alert {
		if f.key == "kibana.alert.uuid" {
			other.alert[i].value = string(other.ID)
		}
	}
	return other
}

// isIn reports whether a document is the signal of the same event. One that cannot be read counts
// as that, so that nothing is alerted twice.
func (s *Signal) isIn(document []byte) bool {
	var signal struct {
		Reduced   any  `json:"kibana.alert.esrule.reduced"`
		FinerTime *int `json:"kibana.alert.esrule.original_time_nanos"`
	}
	text, err := Event(document)
	if err != nil || json.Unmarshal(document, &signal) != nil {
		return true
	}
	if signal.FinerTime != nil && *signal.FinerTime != s.finerTime {
		return false
	}
	ours := s.source
	if signal.Reduced == nil { // both with the values that the search's fields added
		if ours, err = Event(s.Document); err != nil {
			return true
		}
	}
	theirs, errTheirs := parse(text)
	mine, errMine := parse(ours)
	if errors.Join(errTheirs, errMine) != nil {
		return true
	}
	return sameWider(theirs, mine)
}

// lookUp returns the documents of the alerts index that have one of the ids, with some of their
// fields; with none they are null.
func (w *Writer) lookUp(
	ctx context.Context, ids []SignalID, fields []string,
) (map[SignalID]json.RawMessage, error) {
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
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = w.o.RetryPause
	return backoff.Retry(ctx, func() (map[SignalID]json.RawMessage, error) {
		requestCtx, cancel := context.WithTimeout(ctx, w.o.RequestTimeout)
		defer cancel()
		got := lookedUp{asked: ids, bare: len(fields) == 0}
		err := send(requestCtx, w.client, r, &got)
		refusal, refused := errors.AsType[*serverError](err)
		if refused && !refusal.passing() || isUntrue(err) {
			return nil, backoff.Permanent(err)
		}
		if err != nil {
			return nil, err
		}
		found := map[SignalID]json.RawMessage{}
		for _, d := range got.Docs {
			if d.Error != nil {
				return nil, d.Error
			}
			if *d.Found {
				found[d.ID] = d.Source
			}
		}
		return found, nil
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(w.o.MaxElapsed))
}

// lookedUp is the answer to a request for documents by their ids.
type lookedUp struct {
	Docs []struct {
		ID     SignalID        `json:"_id"`
		Found  *bool           `json:"found"`
		Source json.RawMessage `json:"_source"`
		Error  *serverError    `json:"error"`
	} `json:"docs"`

	asked []SignalID
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
