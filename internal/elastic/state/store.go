package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
)

// Store reads and writes documents of one index, which must be there (package sink creates it).
type Store struct {
	client elastic.Transport
	index  string
}

// NewStore gives the store over the state index. The client repeats what may succeed later.
func NewStore(client elastic.Transport, index string) *Store {
	return &Store{client: client, index: index}
}

// Version is the state of a document that a change is based on. The zero value stands for no
// document.
type Version struct {
	seqNo, primaryTerm int
	exists             bool
}

// Exists tells whether there is a document.
func (v Version) Exists() bool { return v.exists }

// place names a document for messages.
func (s *Store) place(id string) string { return s.index + "/_doc/" + id }

// found is a document as Elasticsearch returns it.
type found struct {
	ID          string          `json:"_id"`
	Found       bool            `json:"found"`
	SeqNo       *int            `json:"_seq_no"`
	PrimaryTerm *int            `json:"_primary_term"`
	Source      json.RawMessage `json:"_source"`
	Error       json.RawMessage `json:"error"`

	asked string // its id
}

func (f *found) Check() error {
	if err := f.whole(); err != nil {
		return err
	}
	return another(f.ID, f.asked)
}

func (f *found) whole() error {
	switch {
	case !f.Found:
		return elastic.Lacks("found") // one that is not there is a 404
	case f.Source == nil:
		return elastic.Lacks("_source (a state index without _source cannot be used)")
	}
	return f.version().check()
}

// another returns an error where an answer is about another document than was asked for.
func another(id, asked string) error {
	if id != asked {
		return elastic.Contradicts("it is about document %q, and %q was asked for", id, asked)
	}
	return nil
}

func (f *found) version() version { return version{f.SeqNo, f.PrimaryTerm} }

// version is what compare-and-set goes by, as Elasticsearch returns it.
type version struct {
	SeqNo       *int `json:"_seq_no"`
	PrimaryTerm *int `json:"_primary_term"`
}

func (v version) check() error {
	switch {
	case v.SeqNo == nil:
		return elastic.Lacks("_seq_no")
	case v.PrimaryTerm == nil:
		return elastic.Lacks("_primary_term")
	}
	return nil
}

// written is the answer to the writing of a document.
type written struct {
	version
	ID     string `json:"_id"`
	Result string `json:"result"`

	asked string // the document's id
	as    string // the result of what was asked
}

func (w *written) Check() error {
	switch {
	case w.ID == "":
		return elastic.Lacks("_id")
	case w.Result == "":
		return elastic.Lacks("result")
	}
	if err := w.check(); err != nil {
		return err
	}
	if w.ID != w.asked || w.Result != w.as {
		return elastic.Contradicts("it says %q of document %q, and %q of %q was asked for",
			w.Result, w.ID, w.as, w.asked)
	}
	return nil
}

// path is the place of a document, or of an action on the index, in a request.
func (s *Store) path(action string, id ...string) string {
	path := "/" + url.PathEscape(s.index) + "/" + action
	for _, one := range id {
		path += "/" + url.PathEscape(one)
	}
	return path
}

// send sends a request with a body, nil for none, and reads the answer.
func (s *Store) send(ctx context.Context, r elastic.Request, body any,
	into elastic.Checked) error {
	if body != nil {
		var err error
		if r, err = r.JSON(body); err != nil {
			return err
		}
	}
	answer, err := elastic.Send(ctx, s.client, r, nil, 0)
	if err != nil {
		return err
	}
	return answer.Read(into)
}

// Get reads a document into a value. Where there is none, or no index yet, the version says so and
// the value is left alone.
func (s *Store) Get(ctx context.Context, id string, into any) (Version, error) {
	document := found{asked: id}
	err := s.send(ctx, elastic.Request{Method: http.MethodGet, Path: s.path("_doc", id)}, nil,
		&document)
	if errors.Is(err, elastic.ErrNotFound) {
		return Version{}, nil
	}
	if err == nil {
		err = json.Unmarshal(document.Source, into)
	}
	if err != nil {
		return Version{}, fmt.Errorf("read %s: %w", s.place(id), err)
	}
	return Version{*document.SeqNo, *document.PrimaryTerm, true}, nil
}

// atOnce is how many documents GetAll asks for in one request.
const atOnce = 1000

// GetAll reads documents by their ids and hands on those that are there, in any order.
func (s *Store) GetAll(ctx context.Context, ids []string,
	each func(id string, v Version, source json.RawMessage) error) error {
	for len(ids) > 0 {
		n := min(len(ids), atOnce)
		answer := several{asked: ids[:n]}
		r := elastic.Request{Method: http.MethodPost, Path: s.path("_mget")}
		if err := s.send(ctx, r, map[string][]string{"ids": ids[:n]}, &answer); err != nil {
			return fmt.Errorf("read %d documents of %s: %w", n, s.index, err)
		}
		ids = ids[n:]
		for _, d := range answer.Docs {
			if d.Error != nil {
				return fmt.Errorf("read %s: %.300s", s.place(d.ID), d.Error)
			}
			if !d.Found {
				continue
			}
			v := Version{*d.SeqNo, *d.PrimaryTerm, true}
			if err := each(d.ID, v, d.Source); err != nil {
				return fmt.Errorf("read %s: %w", s.place(d.ID), err)
			}
		}
	}
	return nil
}

// several is the answer to a request for documents by their ids.
type several struct {
	Docs []found `json:"docs"`

	asked []string
}

func (m *several) Check() error {
	if len(m.Docs) != len(m.asked) {
		return elastic.Lacks(fmt.Sprintf("docs for each of %d ids", len(m.asked)))
	}
	for i, d := range m.Docs {
		if d.Found {
			if err := d.whole(); err != nil {
				return err
			}
		}
		if err := another(d.ID, m.asked[i]); err != nil {
			return err
		}
	}
	return nil
}

// Search hands on the documents of a kind, at most 1,000, those that were changed last first.
func (s *Store) Search(ctx context.Context, kind string,
	each func(id string, source json.RawMessage) error) error {
	r := elastic.Request{Method: http.MethodPost, Path: s.path("_search"),
		Params: url.Values{"ignore_unavailable": {"true"}}}
	body := map[string]any{
		"size": atOnce, "query": dsl.Term("kind", kind, false),
		"sort": []any{map[string]string{"updated_at": "desc"}},
	}
	var answer foundAll
	if err := s.send(ctx, r, body, &answer); err != nil {
		return fmt.Errorf("search %s for each %s: %w", s.index, kind, err)
	}
	if n := *answer.Shards.Total - *answer.Shards.Successful; n > 0 || *answer.TimedOut {
		return fmt.Errorf("search %s for each %s: %d shards did not answer, ran out of time: %v",
			s.index, kind, n, *answer.TimedOut)
	}
	for _, d := range answer.Hits.Hits {
		if err := each(d.ID, d.Source); err != nil {
			return fmt.Errorf("read %s: %w", s.place(d.ID), err)
		}
	}
	return nil
}

// foundAll is the answer to a search for documents.
type foundAll struct {
	TimedOut *bool           `json:"timed_out"`
	Early    bool            `json:"terminated_early"`
	Shards   *elastic.Shards `json:"_shards"`
	Hits     struct {
		Total *elastic.Total `json:"total"`
		Hits  []found        `json:"hits"`
	} `json:"hits"`
}

func (a *foundAll) Check() error {
	switch {
	case a.TimedOut == nil:
		return elastic.Lacks("timed_out")
	case a.Hits.Hits == nil:
		return elastic.Lacks("hits")
	}
	for _, d := range a.Hits.Hits {
		switch {
		case d.Source == nil:
			return elastic.Lacks("_source")
		case d.ID == "":
			return elastic.Lacks("_id")
		}
	}
	if err := cmp.Or(a.Shards.Check(), a.Hits.Total.Check()); err != nil {
		return err
	}
	n := len(a.Hits.Hits)
	switch all := *a.Hits.Total.Value; {
	case a.Early:
		return elastic.Contradicts("terminated_early, which was not asked for")
	case int64(n) < min(all, atOnce):
		return elastic.Contradicts("hits.total is %d, and there are %d hits", all, n)
	}
	return a.Hits.Total.CheckHits(n)
}

// Put writes a document in the place of the version, and returns the version that it has now. done
// is false, and nothing is changed, where another instance was faster.
func (s *Store) Put(ctx context.Context, id string, document any,
	v Version) (now Version, done bool, err error) {
	r := elastic.Request{Method: http.MethodPut, Path: s.path("_create", id),
		Good: http.StatusCreated}
	answer := written{asked: id, as: "created"}
	if v.exists {
		r.Path, r.Good, answer.as = s.path("_doc", id), http.StatusOK, "updated"
		r.Params = url.Values{"if_seq_no": {strconv.Itoa(v.seqNo)},
			"if_primary_term": {strconv.Itoa(v.primaryTerm)}}
	}
	err = s.send(ctx, r, document, &answer)
	if errors.Is(err, elastic.ErrConflict) {
		return v, false, nil
	}
	if err != nil {
		return v, false, fmt.Errorf("write %s: %w", s.place(id), err)
	}
	return Version{*answer.SeqNo, *answer.PrimaryTerm, true}, true, nil
}
