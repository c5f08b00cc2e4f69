package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// What a caller decides by. A refused request is a *ResponseError and matches one of them by errors.Is.
var (
	// ErrPointInTimeExpired: the point in time is gone, for it was not read for longer than it is kept or its node
	// restarted. What was asked of it must be asked of a new one.
	ErrPointInTimeExpired = errors.New("the point in time has expired")
	// ErrUnauthorized: the cluster does not know the user or the API key.
	ErrUnauthorized = errors.New("the cluster refused the credentials")
	// ErrForbidden: the user or the API key may not do this.
	ErrForbidden = errors.New("a privilege is missing")
	// ErrIndexNotFound: there is no index of that name.
	ErrIndexNotFound = errors.New("no such index")
	// ErrUnreachable: no answer came, after several tries.
	ErrUnreachable = errors.New("the cluster does not answer")
)

// ResponseError is an answer by which the cluster refused a request.
type ResponseError struct {
	Status int    // of HTTP
	Type   string // Elasticsearch's name for the error; empty where something else answered
	Reason string

	shards []shardFailure // of a search of which every shard failed
}

func (e *ResponseError) Error() string {
	text := fmt.Sprintf("Elasticsearch answered %d", e.Status)
	if e.Type != "" {
		text += " " + e.Type
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += "; check the user name and password or the API key"
	case http.StatusForbidden:
		text += "; grant the privilege to the user or API key"
	}
	return text
}

// Is makes the sentinels of this package match.
func (e *ResponseError) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrForbidden:
		return e.Status == http.StatusForbidden
	case ErrIndexNotFound:
		return e.Type == "index_not_found_exception"
	case ErrPointInTimeExpired:
		return e.Type == contextMissing || len(e.shards) > 0 && allOf(e.shards, contextMissing)
	}
	return false
}

// unreachableError is a request without an answer.
type unreachableError struct {
	addresses string
	cause     error
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("no answer from Elasticsearch at %s: %v", e.addresses, e.cause)
}

func (e *unreachableError) Unwrap() []error { return []error{ErrUnreachable, e.cause} }

// unreachable wraps what the transport gave. A *url.Error would print the address with its credentials.
func (c *Cluster) unreachable(cause error) error {
	var named *url.Error
	if errors.As(cause, &named) {
		cause = named.Err
	}
	return &unreachableError{addresses: c.addresses, cause: cause}
}

// The types of shard failures that are decided by.
const (
	contextMissing   = "search_context_missing_exception"
	rejected         = "es_rejected_execution_exception"
	circuitBreaking  = "circuit_breaking_exception"
	noShardAvailable = "no_shard_available_action_exception"
)

// shardFailure is one entry of `_shards.failures` or of an error's `failed_shards`.
type shardFailure struct {
	Index  string `json:"index"`
	Reason cause  `json:"reason"`
}

type cause struct {
	Type     string         `json:"type"`
	Reason   string         `json:"reason"`
	CausedBy *cause         `json:"caused_by"`
	Shards   []shardFailure `json:"failed_shards"`
}

// text is the reason and what lies behind it.
func (c *cause) text() string {
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

func allOf(shards []shardFailure, kind string) bool {
	for _, s := range shards {
		if s.Reason.Type != kind {
			return false
		}
	}
	return true
}

// responseError reads the body of a refusal, which need not come from Elasticsearch: a proxy may have written it.
func responseError(status int, body []byte) *ResponseError {
	e := &ResponseError{Status: status}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Error) == 0 {
		e.Reason = abridged(body)
		return e
	}
	var detail cause
	if json.Unmarshal(answer.Error, &detail) == nil {
		e.Type, e.Reason, e.shards = detail.Type, detail.text(), detail.Shards
		return e
	}
	var text string
	if json.Unmarshal(answer.Error, &text) == nil {
		e.Reason = text
	}
	return e
}

// failedShards gives what made a search fail as a whole, where its shards did.
func failedShards(err error) []shardFailure {
	var refused *ResponseError
	if errors.As(err, &refused) {
		return refused.shards
	}
	return nil
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
