package samples

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

//go:embed events/*.ndjson mappings/*.json
var files embed.FS

// Event is one sample event.
type Event struct {
	Source string // one of Sources
	Name   string // unique within the source
	Why    string // one sentence: what makes it match, or what keeps it from matching
	Match  bool   // whether the rule as written matches it
	// SameAs names the event of the same source that this one is another copy of, as after a
	// shipper's restart: both match, and one signal is to be written. Empty for every other event.
	SameAs string
	Index  string // the index or data stream it belongs to, without prefix
	JSON   []byte // the document's _source
}

// ID is the _id under which Load stores the event.
func (e Event) ID() string { return e.Source + "." + e.Name }

// Sources names the six sources in the order in which Events gives them.
func Sources() []string {
	return []string{"winlogbeat", "endpoint", "sysmon_operational", "m365_defender", "sentinel_one",
		"endgame"}
}

// Events gives all events with their times resolved against now. They happened, and where the
// source says so were ingested, between one and seven minutes before it; one arrived late, by
// event.ingested.
func Events(now time.Time) ([]Event, error) {
	var events []Event
	for _, source := range Sources() {
		read, err := readSource(source, now)
		if err != nil {
			return nil, err
		}
		events = append(events, read...)
	}
	return events, nil
}

// envelope is a line of events/*.ndjson.
type envelope struct {
	Name   string          `json:"name"`
	Why    string          `json:"why"`
	Match  bool            `json:"match"`
	SameAs string          `json:"same_as"`
	Index  string          `json:"index"`
	Source json.RawMessage `json:"source"`
}

func readSource(source string, now time.Time) ([]Event, error) {
	file := "events/" + source + ".ndjson"
	content, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := json.NewDecoder(bytes.NewReader(content))
	lines.DisallowUnknownFields()
	var events []Event
	for {
		var line envelope
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: event %d: %w", file, len(events)+1, err)
		}
		document, err := resolveTimes(line.Source, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, line.Name, err)
		}
		events = append(events, Event{
			Source: source,
			Name:   line.Name,
			Why:    line.Why,
			Match:  line.Match,
			SameAs: line.SameAs,
			Index:  line.Index,
			JSON:   document,
		})
	}
}
