package sink

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// serverError is a request that the cluster, or something on the way to it, answered with an error.
type serverError struct {
	status  int
	typ     string // as Elasticsearch names it; empty where the answer was not Elasticsearch's
	reason  string
	details string // the innermost cause
}

// Error leaves the reason out where it may quote the document: a refusal of what a document holds is told by its type.
func (e *serverError) Error() string {
	s := fmt.Sprintf("%d %s", e.status, http.StatusText(e.status))
	if e.typ != "" {
		s = fmt.Sprintf("%d %s", e.status, e.typ)
	}
	if e.reason != "" && e.status != http.StatusBadRequest {
		s += ": " + cut(e.reason, 300)
	}
	return s
}

// HTTPStatus is for whoever counts refusals by their kind.
func (e *serverError) HTTPStatus() int { return e.status }

// UnmarshalJSON reads an "error" object of a response or of a bulk item; a bare text, as old proxies send, is a reason.
func (e *serverError) UnmarshalJSON(b []byte) error {
	type cause struct {
		Type     string `json:"type"`
		Reason   string `json:"reason"`
		CausedBy *cause `json:"caused_by"`
	}
	var c cause
	if err := json.Unmarshal(b, &c); err != nil {
		return json.Unmarshal(b, &e.reason)
	}
	e.typ, e.reason = c.Type, c.Reason
	for in := c.CausedBy; in != nil; in = in.CausedBy {
		e.details = in.Reason
	}
	return nil
}

// answer reads a whole response: into out where it is a success, as a *serverError where not.
func answer(res *esapi.Response, err error, out any) error {
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.IsError() {
		var failure struct {
			Error *serverError `json:"error"`
		}
		if json.Unmarshal(body, &failure) != nil || failure.Error == nil {
			failure.Error = &serverError{}
		}
		failure.Error.status = res.StatusCode
		return failure.Error
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// cut shortens a text to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
