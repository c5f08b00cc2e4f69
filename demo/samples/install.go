package samples

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"esrule/internal/elastic"
)

// Patterns gives the index patterns of the six sources under the prefix: with an empty one, those
// of the shipped rule. A test that shares its server sets a prefix of its own here and in Install
// and Load, and ESRULE_INDEX to the patterns.
func Patterns(prefix string) ([]string, error) {
	var patterns []string
	for _, source := range Sources() {
		t, err := readTemplate(source, prefix)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, t.patterns...)
	}
	return patterns, nil
}

// Install creates the sources' index templates, their names and patterns under the prefix. An
// existing template of that name is replaced.
//
// The sources whose names begin with logs- write to data streams. A prefix means that others share
// the server; where such a server has no data stream API, as the test distribution has none, they
// get plain indices of the same names instead, since it makes data streams but could never delete
// one again.
func Install(ctx context.Context, es elastic.Transport, prefix string) error {
	streams := prefix == "" || hasDataStreamAPI(ctx, es)
	for _, source := range Sources() {
		t, err := readTemplate(source, prefix)
		if err != nil {
			return err
		}
		if !streams {
			delete(t.body, "data_stream")
		}
		body, err := json.Marshal(t.body)
		if err != nil {
			return err
		}
		if _, err := send(ctx, es, http.MethodPut, "/_index_template/"+t.name,
			body); err != nil {
			return fmt.Errorf("create index template %s: %w", t.name, err)
		}
	}
	return nil
}

// Load writes events into their indices under the prefix, which come to be by the templates of
// Install, and makes them searchable. Events that are there already are an error: Load replaces
// nothing.
func Load(ctx context.Context, es elastic.Transport, prefix string, events []Event) error {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, e := range events {
		type target struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		}
		if err := lines.Encode(map[string]target{"create": {prefix + e.Index,
			e.ID()}}); err != nil {
			return err
		}
		body.Write(e.JSON)
		body.WriteByte('\n')
	}
	answer, err := send(ctx, es, http.MethodPost, "/_bulk?refresh=true", body.Bytes())
	if err != nil {
		return fmt.Errorf("write sample events: %w", err)
	}
	return checkItems(answer, events)
}

// checkItems looks at every item of a bulk answer, since a refused one comes inside a 200.
func checkItems(answer []byte, events []Event) error {
	var bulk struct {
		Items []struct {
			Create struct {
				Status int
				Error  json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(answer, &bulk); err != nil {
		return fmt.Errorf("answer to bulk request: %w", err)
	}
	if len(bulk.Items) != len(events) {
		return fmt.Errorf("write sample events: %d written, %d acknowledged", len(events),
			len(bulk.Items))
	}
	var refused []error
	for i, item := range bulk.Items {
		if item.Create.Status != http.StatusCreated {
			refused = append(refused, fmt.Errorf("sample event %s: status %d: %s", events[i].ID(),
				item.Create.Status, item.Create.Error))
		}
	}
	return errors.Join(refused...)
}

// Remove deletes what Install and Load made under the prefix. Only the indices that the events name
// go, whatever else the patterns match. A server without a data stream API cannot give up the
// streams of an empty prefix: stop it instead.
func Remove(ctx context.Context, es elastic.Transport, prefix string, events []Event) error {
	streamPath := "/"
	if hasDataStreamAPI(ctx, es) {
		streamPath = "/_data_stream/"
	}
	var failed []error
	for _, source := range Sources() {
		t, err := readTemplate(source, prefix)
		if err != nil {
			return err
		}
		path := "/"
		if t.makesStream() {
			path = streamPath
		}
		for _, index := range indices(events, source) {
			failed = append(failed, remove(ctx, es, path+url.PathEscape(prefix+index)))
		}
		failed = append(failed, remove(ctx, es, "/_index_template/"+t.name))
	}
	return errors.Join(failed...)
}

// indices gives the indices of a source's events, each once.
func indices(events []Event, source string) []string {
	var names []string
	for _, e := range events {
		if e.Source == source && !slices.Contains(names, e.Index) {
			names = append(names, e.Index)
		}
	}
	return names
}

func hasDataStreamAPI(ctx context.Context, es elastic.Transport) bool {
	_, err := send(ctx, es, http.MethodGet, "/_data_stream/none-of-this-name*", nil)
	return err == nil
}

// remove deletes; what is not there counts as deleted.
func remove(ctx context.Context, es elastic.Transport, path string) error {
	_, err := send(ctx, es, http.MethodDelete, path, nil)
	if errors.Is(err, elastic.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", path, err)
	}
	return nil
}

func send(ctx context.Context, es elastic.Transport, method, path string,
	body []byte) ([]byte, error) {
	r := elastic.Request{Method: method, Path: path, Body: body}
	answer, err := elastic.Send(ctx, es, r, nil, 0)
	return answer.Text, err
}
