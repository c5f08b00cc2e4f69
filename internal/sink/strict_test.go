package sink

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestIncompleteAcknowledgement: what an answer to a write does not say was not written.
func TestIncompleteAcknowledgement(t *testing.T) {
	c, i := set(t)
	f := func(member, want string) {
		t.Helper()
		spoil := &faults{answer: func(_ int, body []byte) ([]byte, error) {
			return bytes.ReplaceAll(body, []byte(`"`+member+`":`), []byte(`"gone":`)), nil
		}}
		o := options(i)
		o.MaxElapsed, o.RetryPause = 50*time.Millisecond, time.Millisecond
		got, err := NewWriter(c.Through(spoil), o).Write(t.Context(), numbered(t, 3))
		if err == nil || !strings.Contains(err.Error(), want) || got != (Result{}) {
			t.Errorf("without %s: got %+v and the error %v, want %q", member, got, err, want)
		}
	}
	f("items", "has no items,")
	f("create", "has no create in each item,")
	f("status", "has no status of an item,")
	f("_id", "has no _id of an item,")
	f("_index", "has no _index of an item,")
}

// TestForeignAnswers: where something else answers, no index is missing and none is made.
func TestForeignAnswers(t *testing.T) {
	c, i := set(t)
	f := func(code int) {
		t.Helper()
		foreign := &faults{spoil: func(_ int, req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/_has_privileges") {
				return nil, nil
			}
			return &http.Response{StatusCode: code, Body: http.NoBody, Request: req}, nil
		}}
		got, err := i.Ensure(t.Context(), c.Through(foreign))
		if err == nil || len(got.Created) > 0 {
			t.Errorf("%d: got %+v and the error %v, want an error", code, got, err)
		}
	}
	f(http.StatusOK)
	f(http.StatusNotFound)
}
