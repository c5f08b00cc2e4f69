package elastic

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Answer is what the cluster answered to a request that it accepted.
type Answer struct {
	Text []byte

	from    string // the address
	request string // its method and path
}

// Complete is what an answer is read into.
type Complete interface {
	// Missing names what the protocol always sends and the answer did not hold; it is empty where the
	// answer is whole. A zero, an empty list or a null that stands for "it was not said" must not pass
	// for "there is none".
	Missing() string
}

// Read reads the answer's JSON. An answer that is no JSON, or lacks what the protocol always sends,
// is an error: what was asked is not known, and must not count as searched.
func (a Answer) Read(into Complete) error {
	if err := json.Unmarshal(a.Text, into); err != nil {
		return fmt.Errorf("read the answer of %s to %s: %w", a.from, a.request, err)
	}
	if missing := into.Missing(); missing != "" {
		return a.Lacks(missing)
	}
	return nil
}

// Lacks returns the error that says what the answer does not hold, for who reads Text piece by piece.
func (a Answer) Lacks(missing string) error {
	return &IncompleteError{From: a.from, Request: a.request, Missing: missing}
}

// IncompleteError is an answer without something that the protocol always sends.
type IncompleteError struct {
	From    string // the address that gave it
	Request string // its method and path
	Missing string // such as "_shards"
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("the answer of %s to %s has no %s, which Elasticsearch always sends: "+
		"it counts for nothing; check what is between esrule and Elasticsearch (a gateway, a proxy)",
		e.From, e.Request, e.Missing)
}

// ForeignError is an answer that did not come from Elasticsearch.
type ForeignError struct {
	From    string // the address that gave it
	Request string // its method and path
	Status  int    // of HTTP
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s answered %s with %d %s, without the header X-Elastic-Product that every Elasticsearch sends: "+
		"it counts for nothing; check the address, and that a proxy in between passes the header on",
		e.From, e.Request, e.Status, http.StatusText(e.Status))
}
