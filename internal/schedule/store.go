package schedule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"esrule/internal/query/rule"
)

// Store keeps ledgers as documents of the state index. Every change is compare-and-set, so that any
// number of instances can keep one ledger.
type Store struct {
	client *elasticsearch.Client
	index  string
	now    func() time.Time
}

// NewStore gives the store over the state index, which must be there (package sink creates it).
func NewStore(client *elasticsearch.Client, index string, now func() time.Time) *Store {
	return &Store{client: client, index: index, now: now}
}

// ErrNoLedger says that a rule has no ledger yet.
var ErrNoLedger = errors.New("no ledger")

// version is the state of a document that a change is based on.
type version struct {
	seqNo, primaryTerm int
	exists             bool
}

func ledgerID(id rule.ID) string { return "ledger-" + string(id) }

// Load gives a rule's ledger, or ErrNoLedger.
func (s *Store) Load(ctx context.Context, id rule.ID) (*Ledger, error) {
	ledger, v, err := s.load(ctx, id)
	if err == nil && !v.exists {
		err = ErrNoLedger
	}
	return ledger, err
}

func (s *Store) load(ctx context.Context, id rule.ID) (*Ledger, version, error) {
	response, err := s.client.Get(s.index, ledgerID(id), s.client.Get.WithContext(ctx))
	if err != nil {
		return nil, version{}, fmt.Errorf("read the ledger of rule %s: %w", id, err)
	}
	defer response.Body.Close()
	var document struct {
		Found       bool            `json:"found"`
		SeqNo       int             `json:"_seq_no"`
		PrimaryTerm int             `json:"_primary_term"`
		Source      json.RawMessage `json:"_source"`
		Error       json.RawMessage `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		return nil, version{}, fmt.Errorf("read the ledger of rule %s: status %d: %w", id, response.StatusCode, err)
	}
	switch {
	case response.StatusCode == http.StatusNotFound: // neither document nor, before the first run, index
		return nil, version{}, nil
	case response.IsError():
		return nil, version{}, fmt.Errorf("read the ledger of rule %s from index %s: %w", id, s.index, statusError(response.StatusCode, document.Error))
	}
	ledger := &Ledger{}
	if err := json.Unmarshal(document.Source, ledger); err != nil {
		return nil, version{}, fmt.Errorf("read the ledger of rule %s (%s/_doc/%s): %w", id, s.index, ledgerID(id), err)
	}
	if ledger.Version > ledgerVersion {
		return nil, version{}, fmt.Errorf("the ledger of rule %s has format %d, this release knows %d: run the newer release, or use another ESRULE_STATE_INDEX", id, ledger.Version, ledgerVersion)
	}
	return ledger, version{document.SeqNo, document.PrimaryTerm, true}, nil
}

// tries bounds how often one change is repeated against other instances' changes.
const tries = 20

// Update changes a rule's ledger: change gets the newest one, or the one that create makes where there is
// none, and is called again on it where another instance was faster. It gives the ledger as written.
func (s *Store) Update(ctx context.Context, id rule.ID, create func() *Ledger, change func(*Ledger)) (*Ledger, error) {
	for range tries {
		ledger, v, err := s.load(ctx, id)
		if err != nil {
			return nil, err
		}
		if !v.exists {
			ledger = create()
		}
		change(ledger)
		ledger.UpdatedAt = s.now().UTC().Truncate(time.Millisecond)
		written, err := s.write(ctx, id, ledger, v)
		if err != nil {
			return nil, err
		}
		if written {
			return ledger, nil
		}
	}
	return nil, fmt.Errorf("write the ledger of rule %s: other instances changed it %d times in a row", id, tries)
}

// write gives false where the document is not the one that the change is based on.
func (s *Store) write(ctx context.Context, id rule.ID, ledger *Ledger, v version) (bool, error) {
	body, err := json.Marshal(ledger)
	if err != nil {
		return false, fmt.Errorf("write the ledger of rule %s: %w", id, err)
	}
	request := esapi.IndexRequest{Index: s.index, DocumentID: ledgerID(id), Body: bytes.NewReader(body)}
	if v.exists {
		request.IfSeqNo, request.IfPrimaryTerm = &v.seqNo, &v.primaryTerm
	} else {
		request.OpType = "create"
	}
	response, err := request.Do(ctx, s.client)
	if err != nil {
		return false, fmt.Errorf("write the ledger of rule %s: %w", id, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	switch {
	case response.StatusCode == http.StatusConflict:
		return false, nil
	case response.IsError():
		return false, fmt.Errorf("write the ledger of rule %s to index %s: %w", id, s.index, statusError(response.StatusCode, text))
	case err != nil:
		return false, fmt.Errorf("write the ledger of rule %s: %w", id, err)
	}
	return true, nil
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
		return fmt.Errorf("status %d: %s: %s", status, answer.Type, answer.Reason)
	}
	return fmt.Errorf("status %d: %.300s", status, body)
}
