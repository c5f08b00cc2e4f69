package main

import (
	"context"
	"encoding/json"
	"net/http"

	"esrule/internal/event"
)

// writtenSignal is what the demo prints of a document of the signals index.
type writtenSignal struct {
	event   string // the _id of the event it is for
	index   string // where that event lies
	path    string
	process string
}

// readSignals reads the signals index, oldest event first.
func (s *stage) readSignals(ctx context.Context) ([]writtenSignal, error) {
	var answer struct {
		Hits struct {
			Hits []struct {
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	if err := s.ask(ctx, http.MethodPost, "/"+s.signalsIndex()+"/_refresh", nil, nil); err != nil {
		return nil, err
	}
	body := map[string]any{"size": maxSamples,
		"sort": []any{map[string]string{"kibana.alert.original_time": "asc"}}}
	if err := s.ask(ctx, http.MethodPost, "/"+s.signalsIndex()+"/_search", body,
		&answer); err != nil {
		return nil, err
	}
	var signals []writtenSignal
	for _, hit := range answer.Hits.Hits {
		read, err := readSignal(hit.Source)
		if err != nil {
			return nil, err
		}
		signals = append(signals, read)
	}
	return signals, nil
}

// readSignal reads its fields as a matcher does: a signal keeps the event as it came, dotted keys
// and all.
func readSignal(document []byte) (writtenSignal, error) {
	fields := &event.Fields{}
	path, process := fields.Add("file.path"), fields.Add("process.name")
	of, index := fields.Add("kibana.alert.ancestors.id"), fields.Add("kibana.alert.ancestors.index")
	e := event.New(fields)
	if err := e.Read(nil, event.Document{Source: document}); err != nil {
		return writtenSignal{}, err
	}
	text := func(s event.Slot) string {
		for _, v := range e.Values(s) {
			return string(v.Text)
		}
		return ""
	}
	return writtenSignal{event: text(of), index: text(index), path: text(path),
		process: text(process)}, nil
}
