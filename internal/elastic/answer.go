package elastic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/valyala/fastjson"
)

// Answer is what the cluster answered to a request that it accepted.
type Answer struct {
	Text []byte

	from    string // the address
	request string // its method and path
}

// Complete is what an answer is read into.
type Complete interface {
	// Missing names what the protocol always sends and the answer did not hold; it is empty where
	// the answer is whole. A zero, an empty list or a null that stands for "it was not said" must
	// not pass for "there is none".
	Missing() string
}

// Consistent is a Complete whose parts can contradict each other.
type Consistent interface {
	Complete
	// Contradiction says what cannot be true in an answer that misses nothing; it is empty where
	// all can.
	Contradiction() string
}

// Read reads the answer's JSON. An answer that is no JSON, lacks what the protocol always sends or
// contradicts itself is an error: what was asked is not known, and must not count as searched.
func (a Answer) Read(into Complete) error {
	if err := json.Unmarshal(a.Text, into); err != nil {
		return fmt.Errorf("read the answer of %s to %s: %w", a.from, a.request, err)
	}
	if text := bytes.TrimSpace(a.Text); text[0] != '{' { // null would leave into as it is
		return a.Contradicts("it is no JSON object")
	}
	if key := repeatedKey(a.Text); key != "" {
		return a.Contradicts(fmt.Sprintf("it has %q twice in one object", key))
	}
	if missing := into.Missing(); missing != "" {
		return a.Lacks(missing)
	}
	if c, ok := into.(Consistent); ok {
		if what := c.Contradiction(); what != "" {
			return a.Contradicts(what)
		}
	}
	return nil
}

// Lacks returns the error that says what the answer does not hold, for who reads Text piece by
// piece.
func (a Answer) Lacks(missing string) error {
	return &IncompleteError{From: a.from, Request: a.request, Missing: missing}
}

// Contradicts returns the error that says how the answer contradicts itself, for who reads Text
// piece by piece.
func (a Answer) Contradicts(what string) error {
	return &ContradictionError{From: a.from, Request: a.request, What: what}
}

// repeatedKey returns a key that an object in a JSON text has twice. Elasticsearch writes each
// once: of two values nobody knows which is its own.
func repeatedKey(text []byte) string {
	v, err := fastjson.ParseBytes(text)
	if err != nil {
		return "" // deeper than any answer that is read whole
	}
	return repeatedIn(v)
}

func repeatedIn(v *fastjson.Value) (repeated string) {
	switch v.Type() {
	case fastjson.TypeArray:
		for _, one := range v.GetArray() {
			if repeated = repeatedIn(one); repeated != "" {
				return repeated
			}
		}
	case fastjson.TypeObject:
		o := v.GetObject()
		seen := make(map[string]struct{}, o.Len())
		o.Visit(func(key []byte, value *fastjson.Value) {
			if _, twice := seen[string(key)]; twice {
				repeated = string(key)
			}
			seen[string(key)] = struct{}{}
			if repeated == "" {
				repeated = repeatedIn(value)
			}
		})
	}
	return repeated
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

// ContradictionError is an answer that Elasticsearch cannot have sent: its parts contradict each
// other, or the question.
type ContradictionError struct {
	From    string // the address that gave it
	Request string // its method and path
	What    string // such as "hits.total is 1, and there are 2 hits"
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("the answer of %s to %s contradicts itself (%s): "+
		"it counts for nothing; check what is between esrule and Elasticsearch (a gateway, a proxy)",
		e.From, e.Request, e.What)
}

// ForeignError is an answer that did not come from Elasticsearch.
type ForeignError struct {
	From    string // the address that gave it
	Request string // its method and path
	Status  int    // of HTTP
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s answered %s with %d %s, without the header X-Elastic-Product that "+
		"every Elasticsearch sends: "+
		"it counts for nothing; check the address, and that a proxy in between passes the header on",
		e.From, e.Request, e.Status, http.StatusText(e.Status))
}
