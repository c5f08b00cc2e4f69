package elastic

import (
	"bytes"
	"encoding/json"
	"errors"
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

// Checked is what an answer is read into.
type Checked interface {
	// Check returns why the answer is not true, as an error of [Lacks] or [Contradicts], and nil
	// where it is. A zero, an empty list or a null that stands for "it was not said" must not pass
	// for "there is none".
	Check() error
}

// Read reads the answer's JSON. An answer that is no JSON, lacks what the protocol always sends or
// contradicts itself is an error: what was asked is not known, and must not count as searched.
func (a Answer) Read(into Checked) error {
	if err := json.Unmarshal(a.Text, into); err != nil {
		return fmt.Errorf("read the answer of %s to %s: %w", a.from, a.request, err)
	}
	if text := bytes.TrimSpace(a.Text); text[0] != '{' { // null would leave into as it is
		return a.Named(Contradicts("it is no JSON object"))
	}
	if key := repeatedKey(a.Text); key != "" {
		return a.Named(Contradicts("it has %q twice in one object", key))
	}
	return a.Named(into.Check())
}

// Named adds to an error of [Lacks] or [Contradicts] which answer it is about. Other errors stay as
// they are. It is for callers that read Text piece by piece.
func (a Answer) Named(err error) error {
	untrue, ok := errors.AsType[*UntrueError](err)
	if !ok {
		return err
	}
	named := *untrue
	named.From, named.Request = a.from, a.request
	return &named
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

// UntrueError is an answer that Elasticsearch cannot have sent: it lacks what the protocol always
// sends, or its parts contradict each other or the question.
type UntrueError struct {
	From    string // the address that sent it; empty where the caller did not name the answer
	Request string // its method and path
	What    string // such as "_shards", or "hits.total is 1, and there are 2 hits"

	lacks bool // What is missing; else it is a contradiction
}

// Lacks returns the error for an answer that has no part of a name, such as "_shards".
func Lacks(part string) error { return &UntrueError{What: part, lacks: true} }

// Contradicts returns the error for an answer that contradicts itself; the text says how.
func Contradicts(format string, args ...any) error {
	return &UntrueError{What: fmt.Sprintf(format, args...)}
}

func (e *UntrueError) Error() string {
	switch {
	case e.From == "" && e.lacks:
		return "the answer has no " + e.What
	case e.From == "":
		return "the answer contradicts itself: " + e.What
	}
	wrong := "contradicts itself (" + e.What + ")"
	if e.lacks {
		wrong = "has no " + e.What + ", which Elasticsearch always sends"
	}
	return fmt.Sprintf("the answer of %s to %s %s: it counts for nothing; "+
		"check what is between esrule and Elasticsearch (a gateway, a proxy)",
		e.From, e.Request, wrong)
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
