package sink

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"esrule/internal/elastic"
)

// serverError is a request that the cluster, or something on the way to it, answered with an error.
type serverError struct {
	status  int
	typ     string // as Elasticsearch names it; empty where the answer was not Elasticsearch's
	reason  string
	details string // the innermost cause

	answer *elastic.Error // where the whole request was refused
}

// Error leaves the reason out where it may quote the document; the type says what was refused.
func (e *serverError) Error() string {
	s := fmt.Sprintf("%d %s", e.status, http.StatusText(e.status))
	switch {
	case e.status == 0:
		s = e.typ
	case e.typ != "":
		s = fmt.Sprintf("%d %s", e.status, e.typ)
	}
	if e.reason != "" && e.status != http.StatusBadRequest {
		s += ": " + cut(e.reason, 300)
	}
	return s
}

// Unwrap makes the sentinels of package elastic match.
func (e *serverError) Unwrap() error {
	if e.answer == nil {
		return nil
	}
	return e.answer
}

// HTTPStatus is for whoever counts refusals by their kind.
func (e *serverError) HTTPStatus() int { return e.status }

// maxReason bounds what a document has of its refusal, in bytes; Elasticsearch's reason can quote
// the whole event.
const maxReason = 2000

// full is everything that Elasticsearch said, for the document that the refusal is about, and for
// nothing else.
func (e *serverError) full() string {
	s := fmt.Sprintf("%d %s", e.status, cmp.Or(e.typ, http.StatusText(e.status)))
	if e.status == 0 {
		s = e.typ
	}
	for _, more := range []string{e.reason, e.details} {
		if more != "" {
			s += ": " + more
		}
	}
	return cut(strings.ToValidUTF8(s, string(utf8.RuneError)), maxReason)
}

// UnmarshalJSON reads an "error" object of a response or of a bulk item; a bare text, as old
// proxies send, is a reason.
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

// send sends a request and reads its answer into out, nil where only success counts. A refusal is a
// *serverError.
func send(ctx context.Context, client elastic.Transport, r elastic.Request,
	out elastic.Checked) error {
	answer, err := ask(ctx, client, r)
	if err != nil || out == nil {
		return err
	}
	return answer.Read(out)
}

// ask sends a request and returns its answer unread.
func ask(ctx context.Context, client elastic.Transport, r elastic.Request) (elastic.Answer, error) {
	answer, err := elastic.Send(ctx, client, r, nil, 0)
	if refused, ok := errors.AsType[*elastic.Error](err); ok {
		err = &serverError{status: refused.Status, typ: refused.Type, reason: refused.Reason,
			answer: refused}
	}
	return answer, err
}

// isUntrue reports whether an answer came that is not whole, or contradicts itself.
func isUntrue(err error) bool {
	_, untrue := errors.AsType[*elastic.UntrueError](err)
	return untrue
}

// indexPath is the place of one of the program's indices, or of an action on it, in a request.
func indexPath(index, action string) string { return "/" + url.PathEscape(index) + action }

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
