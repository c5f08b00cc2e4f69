package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"

	"esrule/internal/elastic"
)

// mapping is that of a Beat's index as far as a rule reads it: keywords up to 1,024 characters,
// with a text beside a path. The server's own result cache is off; segments are left as indexing
// makes them.
const mapping = `{
  "settings": {"index": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1",
    "requests.cache.enable": false, "translog.durability": "async"}},
  "mappings": {
    "dynamic": false,
    "properties": {
      "@timestamp": {"type": "date"},
      "agent": {"properties": {"id": {"type": "keyword", "ignore_above": 1024}, "name": {"type": "keyword", "ignore_above": 1024}}},
      "event": {"properties": {
        "category": {"type": "keyword", "ignore_above": 1024}, "type": {"type": "keyword", "ignore_above": 1024},
        "kind": {"type": "keyword", "ignore_above": 1024}, "code": {"type": "keyword", "ignore_above": 1024},
        "action": {"type": "keyword", "ignore_above": 1024}, "id": {"type": "keyword", "ignore_above": 1024},
        "ingested": {"type": "date"}}},
      "file": {"properties": {
        "path": {"type": "keyword", "ignore_above": 1024, "fields": {"text": {"type": "text", "norms": false}}},
        "directory": {"type": "keyword", "ignore_above": 1024},
        "name": {"type": "keyword", "ignore_above": 1024}, "extension": {"type": "keyword", "ignore_above": 1024}}},
      "host": {"properties": {"name": {"type": "keyword", "ignore_above": 1024},
        "os": {"properties": {"type": {"type": "keyword", "ignore_above": 1024}, "family": {"type": "keyword", "ignore_above": 1024}}}}},
      "process": {"properties": {
        "name": {"type": "keyword", "ignore_above": 1024, "fields": {"text": {"type": "text", "norms": false}}},
        "entity_id": {"type": "keyword", "ignore_above": 1024}, "pid": {"type": "long"},
        "executable": {"type": "keyword", "ignore_above": 1024, "fields": {"text": {"type": "text", "norms": false}}}}},
      "user": {"properties": {"name": {"type": "keyword", "ignore_above": 1024}, "id": {"type": "keyword", "ignore_above": 1024}}},
      "winlog": {"properties": {"record_id": {"type": "keyword", "ignore_above": 1024}, "channel": {"type": "keyword", "ignore_above": 1024}}},
      "message": {"type": "text", "norms": false}
    }
  }
}`

// indexName tells indices of different events apart, so that one that is there can be used again.
func indexName(seed uint64, events int) string {
	return fmt.Sprintf("esrule-bench-%d-%d-%d", generation, events, seed)
}

// server is the cluster that is measured.
type server struct{ client *elasticsearch.Client }

// load makes the index and its events, unless it is there whole.
func (s server) load(ctx context.Context, index string, g *generator) error {
	events := g.events
	if n, err := s.count(ctx, index); err == nil && n == events {
		return nil
	}
	if err := s.do(ctx, http.MethodDelete, index+"?ignore_unavailable=true", "", nil); err != nil {
		return err
	}
	if err := s.do(ctx, http.MethodPut, index, mapping, nil); err != nil {
		return err
	}
	if err := s.write(ctx, index, g); err != nil {
		return fmt.Errorf("write events to %s: %w", index, err)
	}
	if err := s.do(ctx, http.MethodPost, index+"/_refresh", "", nil); err != nil {
		return err
	}
	n, err := s.count(ctx, index)
	if err == nil && n != events {
		err = fmt.Errorf("index %s has %d events, not %d", index, n, events)
	}
	return err
}

func (s server) write(ctx context.Context, index string, g *generator) error {
	failures := make(chan error, 1) // the first; two workers report at once
	bulk, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{
		Client: s.client, Index: index, NumWorkers: 2, FlushBytes: 4 << 20,
		OnError: func(_ context.Context, err error) {
			select {
			case failures <- err:
			default:
			}
		},
	})
	if err != nil {
		return err
	}
	for range g.events {
		event, err := g.event()
		if err != nil {
			return err
		}
		if err := bulk.Add(ctx,
			esutil.BulkIndexerItem{Action: "create", Body: bytes.NewReader(event)}); err != nil {
			return err
		}
	}
	if err := bulk.Close(ctx); err != nil {
		return err
	}
	select {
	case err := <-failures:
		return err
	default:
	}
	if failed := bulk.Stats().NumFailed; failed > 0 {
		return fmt.Errorf("%d events were refused", failed)
	}
	return nil
}

// setQueryCache lets the server remember what filters found, or not. Only a closed index can be
// told so.
func (s server) setQueryCache(ctx context.Context, index string, enabled bool) error {
	for _, step := range []struct{ method, path, body string }{
		{http.MethodPost, index + "/_close", ""},
		{http.MethodPut, index + "/_settings", fmt.Sprintf(`{"index.queries.cache.enabled": %t}`,
			enabled)},
		{http.MethodPost, index + "/_open?wait_for_active_shards=1", ""},
	} {
		if err := s.do(ctx, step.method, step.path, step.body, nil); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the server has merged what it wants to merge: it would work beside the
// searches.
func (s server) settle(ctx context.Context, index string) (segments int, err error) {
	for {
		var stats struct {
			All struct {
				Primaries struct {
					Merges   struct{ Current int }
					Segments struct{ Count int }
				}
			} `json:"_all"`
		}
		if err := s.do(ctx, http.MethodGet, index+"/_stats/merge,segments", "",
			&stats); err != nil {
			return 0, err
		}
		if stats.All.Primaries.Merges.Current == 0 {
			return stats.All.Primaries.Segments.Count, nil
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (s server) count(ctx context.Context, index string) (int, error) {
	var answer struct{ Count int }
	err := s.do(ctx, http.MethodGet, index+"/_count", "", &answer)
	return answer.Count, err
}

// do sends a request and reads its answer into a value, if there is one.
func (s server) do(ctx context.Context, method, path, body string, into any) error {
	answer, err := s.send(ctx, method, path, []byte(body))
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	return err
}

func (s server) send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r := elastic.Request{Method: method, Path: "/" + path, Body: body}
	answer, err := elastic.Send(ctx, s.client, r, nil, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return answer.Text, nil
}
