package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// mapping of all indices under the pattern but those of a mapping conflict.
const mapping = `"dynamic": false, "properties": {
	"@timestamp": {"type": "date"},
	"event": {"properties": {"category": {"type": "keyword"}, "type": {"type": "keyword"}, "kind": {"type": "keyword"}, "ingested": {"type": "date"}}},
	"host": {"properties": {"os": {"properties": {"type": {"type": "keyword"}}}}},
	"process": {"properties": {"name": {"type": "keyword", "ignore_above": 64}}},
	"file": {"properties": {"extension": {"type": "keyword"}, "path": {"type": "keyword", "ignore_above": 128}}}}`

// conflicting are mappings of file.extension that another index would not have, and the value in
// their events.
func conflicting() []struct{ field, value string } {
	return []struct{ field, value string }{
		{`{"type": "long", "ignore_malformed": true}`, `"aspx"`},
		{`{"type": "date", "ignore_malformed": true}`, `"aspx"`},
		{`{"type": "boolean", "ignore_malformed": true}`, `"aspx"`},
		{`{"properties": {"a": {"type": "keyword"}}}`, `{"a": "aspx"}`},
		{`{"type": "text", "fields": {"keyword": {"type": "keyword"}}}`, `"aspx"`},
		{`{"type": "text"}`, `"aspx"`},
		{`{"type": "flattened"}`, `{"a": "aspx"}`},
		{`{"type": "keyword", "ignore_above": 2}`, `"aspx"`},
	}
}

// source makes events, each another one.
type source struct {
	random   *rand.Rand
	lookBack time.Duration
	late     time.Duration // how late an event may come
	made     int
	waiting  []half // first events of pairs whose second is not made yet
}

// newSource gives the source of one of a schedule's streams; its events are numbered from first on.
func newSource(plan *schedule, stream uint64, first int) *source {
	return &source{random: rand.New(rand.NewPCG(plan.seed, stream)), lookBack: plan.size.lookBack,
		late: plan.size.late() - 10*time.Minute, made: first}
}

// doc is an event on its way into the cluster.
type doc struct {
	id      string
	text    []byte
	routing string // which shard it goes to; empty is that of its id
}

// event makes one that happened some time ago, and one in eight matches. extension is JSON; empty
// is a text.
func (s *source) event(ago time.Duration, process, extension string, ingested time.Time) doc {
	folder := []string{`C:\inetpub\`, `c:\quiet\`, `D:\` +
		strings.Repeat("long", 40)}[min(s.random.IntN(6), 2)]
	return s.eventOf(fmt.Sprint(folder, s.made+1), ago, process, extension, ingested)
}

// eventOf is event with the path of its file.
func (s *source) eventOf(path string, ago time.Duration, process, extension string,
	ingested time.Time) doc {
	s.made++
	if extension == "" {
		extension = []string{`"aspx"`, `"JS"`, `"txt"`, `"dll"`}[s.random.IntN(4)]
	}
	e := map[string]any{
		"@timestamp": time.Now().Add(-ago).UTC().Format(time.RFC3339Nano),
		"event": map[string]any{"category": []string{"file"}, "type": []string{"creation"},
			"kind": "event", "sequence": s.made},
		"host":    map[string]any{"os": map[string]any{"type": "windows"}},
		"process": map[string]any{"name": process},
		"file":    map[string]any{"extension": json.RawMessage(extension), "path": path},
		"message": strings.Repeat("filler ", s.random.IntN(40)),
	}
	of := e["event"].(map[string]any)
	if !ingested.IsZero() {
		of["ingested"] = ingested.UTC().Format(time.RFC3339Nano)
	}
	if s.random.IntN(2) == 0 {
		of["id"], e["agent"] = fmt.Sprint("event-", s.made), map[string]any{"id": "a"}
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers
	}
	return doc{id: fmt.Sprint("e", s.made), text: text}
}

// process is what wrote the file: one in three is of interest.
func (s *source) process() string {
	return []string{"umservice.exe", "UMWorker.exe", "explorer.exe", "w3wp.exe", "setup.exe",
		"svchost.exe"}[s.random.IntN(6)]
}

// old makes one of the backlog, of any time within the look back.
func (s *source) old() doc {
	if s.random.IntN(10) == 0 {
		return s.paired(s.lookBack)
	}
	return s.event(span(s.random, s.lookBack), s.process(), "", time.Time{})
}

// fresh makes one as they come in: most new, some out of order, some hours late.
func (s *source) fresh() doc {
	if s.random.IntN(10) == 0 {
		return s.paired([]time.Duration{90 * time.Second, s.late}[s.random.IntN(2)])
	}
	ago := span(s.random, 2*time.Second)
	switch n := s.random.IntN(20); {
	case n < 3: // within the overlap
		return s.event(span(s.random, 90*time.Second), s.process(), "", time.Time{})
	case n < 6: // only byIngested can know of it
		return s.event(span(s.random, s.lookBack), "late.exe", "", time.Now())
	case n < 7: // only a sweep can find it
		return s.event(span(s.random, s.late), "tardy.exe", "", time.Time{})
	case n < 8:
		return s.event(-span(s.random, 30*time.Minute), "tardy.exe", "", time.Time{})
	case n < 13:
		return s.event(ago, s.process(), "", time.Now())
	}
	return s.event(ago, s.process(), "", time.Time{})
}

// ancient makes one of the backlog that no late sweep reaches.
func (s *source) ancient() doc {
	least := s.lookBack/2 + 15*time.Minute // beside the sweep's own overlap
	return s.event(least+span(s.random, s.lookBack-least), s.process(), "", time.Time{})
}

// large makes an event that no request holds.
func (s *source) large(d doc) doc {
	payload := fmt.Sprintf(`,"payload":%q}`,
		strings.Repeat("x", bodyLimit+s.random.IntN(bodyLimit)))
	return doc{id: d.id, text: append(bytes.TrimSuffix(d.text, []byte("}")), payload...)}
}

// many makes n events.
func many(n int, event func() doc) []doc {
	var docs []doc
	for range n {
		docs = append(docs, event())
	}
	return docs
}

// put writes documents, each until it is there. An index that is gone is the end of it.
func (a *admin) put(ctx context.Context, index string, docs []doc) error {
	for len(docs) > 0 {
		var body bytes.Buffer
		for _, d := range docs {
			routing := ""
			if d.routing != "" {
				routing = fmt.Sprintf(`,"routing":%q`, d.routing)
			}
			fmt.Fprintf(&body, "{\"create\":{\"_id\":%q%s}}\n%s\n", d.id, routing, d.text)
		}
		answer, err := a.insist(ctx, http.MethodPost, index+"/_bulk?timeout=1s", body.Bytes())
		if err != nil {
			return fmt.Errorf("write %d events to %s: %w", len(docs), index, err)
		}
		var result struct {
			Items []struct {
				Create struct {
					Status int
					Error  json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(answer, &result); err != nil {
			return err
		}
		var left []doc
		for i, item := range result.Items {
			switch status := item.Create.Status; {
			case status == http.StatusCreated, status == http.StatusConflict:
			case status == http.StatusTooManyRequests, status >= 500,
				status == http.StatusForbidden,
				bytes.Contains(item.Create.Error, []byte("index_closed_exception")):
				left = append(left, docs[i]) // queue full, shard or index away, blocked: it passes
			default:
				return fmt.Errorf("write an event to %s: %d: %s", index, status, item.Create.Error)
			}
		}
		if docs = left; len(docs) > 0 {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%d events not written to %s: %w", len(docs), index, ctx.Err())
			case <-time.After(50 * ms):
			}
		}
	}
	return nil
}
