package elastic

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// What a caller decides by. A refused request is an *Error and matches one of them by errors.Is.
var (
	// ErrPointInTimeExpired: the point in time is gone, for it was not read for longer than it is
	// kept or its node restarted. What was asked of it must be asked of a new one.
	ErrPointInTimeExpired = errors.New("the point in time has expired")
	// ErrUnauthorized: the cluster does not know the user or the API key.
	ErrUnauthorized = errors.New("the cluster refused the credentials")
	// ErrForbidden: the user or the API key may not do this.
	ErrForbidden = errors.New("a privilege is missing")
	// ErrIndexNotFound: there is no index of that name.
	ErrIndexNotFound = errors.New("no such index")
	// ErrNotFound: Elasticsearch itself says that what the path names is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict: Elasticsearch itself says that a document is there already, or was changed
	// meanwhile.
	ErrConflict = errors.New("the document was changed meanwhile")
	// ErrUnreachable: no answer came, after several tries.
	ErrUnreachable = errors.New("the cluster does not answer")
)

// The types of errors and of shard failures that callers decide by, as Elasticsearch names them.
const (
	ContextMissing   = "search_context_missing_exception"
	Rejected         = "es_rejected_execution_exception"
	CircuitBreaking  = "circuit_breaking_exception"
	NoShardAvailable = "no_shard_available_action_exception"
	ClusterBlock     = "cluster_block_exception"
	indexNotFound    = "index_not_found_exception"
)

// Error is an answer by which the cluster, or something before it, refused a request.
type Error struct {
	Status int    // of HTTP
	Type   string // Elasticsearch's name for the error; empty where something else answered
	Reason string
	Shards []ShardFailure // of a search of which every shard failed

	From    string // the address that refused
	Genuine bool   // it is Elasticsearch's own, by its header
}

func (e *Error) Error() string {
	text := fmt.Sprintf("Elasticsearch answered %d", e.Status)
	if e.Type != "" {
		text += " " + e.Type
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		text += "; check the user name and password or the API key"
	case e.Status == http.StatusForbidden && e.Type != ClusterBlock:
		text += "; grant the privilege to the user or API key"
	}
	return text
}

// HTTPStatus is for whoever counts refusals by their kind.
func (e *Error) HTTPStatus() int { return e.Status }

// Is makes the sentinels of this package match. That something is not there is believed to
// Elasticsearch alone: a gateway's 404 says nothing about an index.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrForbidden:
		return e.Status == http.StatusForbidden && e.Type != ClusterBlock
	case ErrIndexNotFound:
		return e.Type == indexNotFound
	case ErrNotFound:
		return e.Status == http.StatusNotFound && e.Genuine
	case ErrConflict:
		return e.Status == http.StatusConflict && e.Genuine
	case ErrPointInTimeExpired:
		return e.Type == ContextMissing || len(e.Shards) > 0 && AllOf(e.Shards, ContextMissing)
	}
	return false
}

// ShardFailure is one entry of `_shards.failures` or of an error's `failed_shards`.
type ShardFailure struct {
	Index  string `json:"index"`
	Reason Cause  `json:"reason"`
}

// AllOf reports whether all failures are of a type.
func AllOf(shards []ShardFailure, kind string) bool {
	for _, s := range shards {
		if s.Reason.Type != kind {
			return false
		}
	}
	return true
}

// Cause is why something failed, as Elasticsearch says it.
type Cause struct {
	Type     string         `json:"type"`
	Reason   string         `json:"reason"`
	CausedBy *Cause         `json:"caused_by"`
	Shards   []ShardFailure `json:"failed_shards"`
}

// Text is the reason and what caused it.
func (c *Cause) Text() string {
	text := c.Reason
	if text == "" {
		text = c.Type
	}
	// Not deeper: a chain of causes mostly repeats itself.
	if by := c.CausedBy; by != nil && by.Reason != "" && by.Reason != c.Reason {
		text += ": " + by.Reason
	}
	return text
}

// newError reads the body of a refusal, which a proxy may have written.
func newError(status int, body []byte) *Error {
	e := &Error{Status: status}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Error) == 0 {
		e.Reason = abridged(body)
		return e
	}
	var detail Cause
	if json.Unmarshal(answer.Error, &detail) == nil {
		e.Type, e.Reason, e.Shards = detail.Type, detail.Text(), detail.Shards
		return e
	}
	var text string
	if json.Unmarshal(answer.Error, &text) == nil {
		e.Reason = text
	}
	return e
}

func abridged(body []byte) string {
	const enough = 200
	if len(body) > enough {
		return fmt.Sprintf("%q…", body[:enough])
	}
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", body)
}
