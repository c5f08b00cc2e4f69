package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Store reads and writes documents of one index, which must be there (package sink creates it).
type Store struct {
	client *elasticsearch.Client
	index  string
}

// NewStore gives the store over the state index. The client repeats what may succeed later.
func NewStore(client *elasticsearch.Client, index string) *Store {
	return &Store{client: client, index: index}
}

// Version is the state of a document that a change is based on. The zero value stands for no document.
type Version struct {
	seqNo, primaryTerm int
	exists             bool
}

// Exists tells whether there is a document.
func (v Version) Exists() bool { return v.exists }

// Place names a document for messages.
func (s *Store) Place(id string) string { return s.index + "/_doc/" + id }

// found is a document as Elasticsearch gives it.
type found struct {
	ID          string          `json:"_id"`
	Found       bool            `json:"found"`
	SeqNo       int             `json:"_seq_no"`
	PrimaryTerm int             `json:"_primary_term"`
	Source      json.RawMessage `json:"_source"`
	Error       json.RawMessage `json:"error"`
}

// Get reads a document into a value. Where there is none, or no index yet, the version says so and the value is left alone.
func (s *Store) Get(ctx context.Context, id string, into any) (Version, error) {
	response, err := s.client.Get(s.index, id, s.client.Get.WithContext(ctx))
	var document found
	if err := decode(response, err, &document, http.StatusNotFound); err != nil {
		return Version{}, fmt.Errorf("read %s: %w", s.Place(id), err)
	}
	if !document.Found {
		return Version{}, nil
	}
	if err := json.Unmarshal(document.Source, into); err != nil {
		return Version{}, fmt.Errorf("read %s: %w", s.Place(id), err)
	}
	return Version{document.SeqNo, document.PrimaryTerm, true}, nil
}

// atOnce is how many documents GetAll asks for in one request.
const atOnce = 1000

// GetAll reads documents by their ids and hands on those that are there, in any order.
func (s *Store) GetAll(ctx context.Context, ids []string, each func(id string, source json.RawMessage) error) error {
	for len(ids) > 0 {
		n := min(len(ids), atOnce)
		body, err := json.Marshal(map[string][]string{"ids": ids[:n]})
		if err != nil {
			return fmt.Errorf("read %d documents of %s: %w", n, s.index, err)
		}
		ids = ids[n:]
		response, err := s.client.Mget(bytes.NewReader(body), s.client.Mget.WithContext(ctx), s.client.Mget.WithIndex(s.index))
		var answer struct {
			Docs []found `json:"docs"`
		}
		if err := decode(response, err, &answer); err != nil {
			return fmt.Errorf("read %d documents of %s: %w", n, s.index, err)
		}
		for _, d := range answer.Docs {
			if d.Error != nil {
				return fmt.Errorf("read %s: %w", s.Place(d.ID), statusError(response.StatusCode, d.Error))
			}
			if !d.Found {
				continue
			}
			if err := each(d.ID, d.Source); err != nil {
				return fmt.Errorf("read %s: %w", s.Place(d.ID), err)
			}
		}
	}
	return nil
}

// Search hands on the documents of a kind, at most 1,000, those that were changed last first.
func (s *Store) Search(ctx context.Context, kind string, each func(id string, source json.RawMessage) error) error {
	body, err := json.Marshal(map[string]any{
		"size": atOnce, "query": map[string]any{"term": map[string]string{"kind": kind}}, "sort": []any{map[string]string{"updated_at": "desc"}},
	})
	if err != nil {
		return fmt.Errorf("search %s for each %s: %w", s.index, kind, err)
	}
	search := s.client.Search
	response, err := search(search.WithContext(ctx), search.WithIndex(s.index), search.WithBody(bytes.NewReader(body)), search.WithIgnoreUnavailable(true))
	var answer struct {
		Hits struct {
			Hits []found `json:"hits"`
		} `json:"hits"`
	}
	if err := decode(response, err, &answer); err != nil {
		return fmt.Errorf("search %s for each %s: %w", s.index, kind, err)
	}
	for _, d := range answer.Hits.Hits {
		if err := each(d.ID, d.Source); err != nil {
			return fmt.Errorf("read %s: %w", s.Place(d.ID), err)
		}
	}
	return nil
}

// Put writes a document in the place of the version, and gives the version that it has now. written is false,
// and nothing is changed, where another instance was faster.
func (s *Store) Put(ctx context.Context, id string, document any, v Version) (now Version, written bool, err error) {
	body, err := json.Marshal(document)
	if err != nil {
		return v, false, fmt.Errorf("write %s: %w", s.Place(id), err)
	}
	request := esapi.IndexRequest{Index: s.index, DocumentID: id, Body: bytes.NewReader(body)}
	if v.exists {
		request.IfSeqNo, request.IfPrimaryTerm = &v.seqNo, &v.primaryTerm
	} else {
		request.OpType = "create"
	}
	response, err := request.Do(ctx, s.client)
	var answer found
	if err := decode(response, err, &answer, http.StatusConflict); err != nil {
		return v, false, fmt.Errorf("write %s: %w", s.Place(id), err)
	}
	if response.StatusCode == http.StatusConflict {
		return v, false, nil
	}
	return Version{answer.SeqNo, answer.PrimaryTerm, true}, true, nil
}

// decode reads a whole answer. A status beside success that the caller understands is no error.
func decode(response *esapi.Response, err error, into any, understood ...int) error {
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	for _, status := range understood {
		if response.StatusCode == status {
			_ = json.Unmarshal(text, into) // what there is of it: the status says the rest
			return nil
		}
	}
	if response.IsError() {
		return statusError(response.StatusCode, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return nil
}

// statusError keeps of an error answer what a user can act on.
func statusError(status int, body []byte) error {
	var answer struct {
		Error  json.RawMessage `json:"error"`
		Type   string          `json:"type"`
		Reason string          `json:"reason"`
	}
	if err := json.Unmarshal(body, &answer); err == nil && answer.Error != nil {
		return statusError(status, answer.Error)
	}
	if answer.Reason != "" {
		return &refusal{status, fmt.Sprintf("status %d: %s: %s", status, answer.Type, answer.Reason)}
	}
	return &refusal{status, fmt.Sprintf("status %d: %.300s", status, body)}
}

// refusal is an answer by which the cluster refused a request.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// HTTPStatus is for whoever counts refusals by their kind.
func (r *refusal) HTTPStatus() int { return r.status }
