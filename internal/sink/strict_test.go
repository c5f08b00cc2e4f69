package sink

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/sink/indices"
	"esrule/internal/sink/signal"
)

// TestIncompleteAcknowledgement: what an answer to a write does not say was not written.
func TestIncompleteAcknowledgement(t *testing.T) {
	c, i := set(t)
	f := func(member, want string) {
		t.Helper()
		wantUntrue(t, c, i, "without "+member, func(body string) string {
			return strings.ReplaceAll(body, `"`+member+`":`, `"gone":`)
		}, want)
	}
	f("items", "has no items,")
	f("create", "has no create in each item,")
	f("status", "has no status of an item,")
	f("_id", "has no _id of an item,")
	f("_index", "has no _index of an item,")
	f("result", "has no result of a created item,")
}

// wantUntrue wants signals whose acknowledgement is spoilt to count as not written, at once.
func wantUntrue(
	t *testing.T, c *estest.Cluster, i indices.Names, name string, spoil func(body string) string,
	want string,
) {
	t.Helper()
	way := &faults{answer: func(_ int, body []byte) ([]byte, error) {
		return []byte(spoil(string(body))), nil
	}}
	signals := numbered(t, 3)
	for n := range signals { // new ones in each test
		signals[n].ID = signal.ID(hex.EncodeToString(fmt.Appendf(nil, "%s %d", name, n)))
	}
	got, err := counted(NewWriter(c.Through(way), options(i)).Write(t.Context(), signals))
	if err == nil || !strings.Contains(err.Error(), want) || got != (fates{}) {
		t.Errorf("%s: got %+v and the error %v, want %q", name, got, err, want)
	}
	if way.calls != 1 {
		t.Errorf("%s: got %d requests, want 1: such an answer comes again", name, way.calls)
	}
}

// TestContradictoryAcknowledgement: an answer to a write that cannot be true acknowledges nothing.
func TestContradictoryAcknowledgement(t *testing.T) {
	c, i := set(t)
	f := func(name, want string, spoil func(body string) string) {
		t.Helper()
		wantUntrue(t, c, i, name, spoil, want)
	}
	replace := func(old, by string, n int) func(string) string {
		return func(body string) string { return strings.Replace(body, old, by, n) }
	}
	items := func(order ...int) func(string) string {
		return func(body string) string {
			var answer struct{ Items []json.RawMessage }
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			var list []string
			for _, at := range order {
				list = append(list, string(answer.Items[at]))
			}
			return `{"items":[` + strings.Join(list, ",") + `]}`
		}
	}
	f("too few", "3 documents were sent, and it answers for 2", items(0, 1))
	f("too many", "3 documents were sent, and it answers for 4", items(0, 1, 2, 2))
	f("another order", "item 2 is about another document", items(0, 2, 1))
	f("one twice", "item 2 is about another document", items(0, 0, 2))
	f("another id", "item 1 is about another document", replace(`"_id":"`, `"_id":"x`, 1))
	f("not created", "status 201, result", replace(`"created"`, `"noop"`, 1))
	f("created and refused", "status 201, result",
		replace(`"status":201`, `"status":201,"error":{"type":"x"}`, 1))
	f("another conflict", "status 409", replace(`"status":201`, `"status":409,"error":{"type":"x"}`,
		1))
	f("two actions", "several actions", replace(`{"create":`, `{"index":{},"create":`, 1))
	f("a status twice", `it has "status" twice`,
		replace(`"status":201`, `"status":201,"status":201`, 1))
	f("items twice", `it has "items" twice`, replace(`{"items":`, `{"items":[],"items":`, 1))
}

// TestAcceptedIsNotWritten: another good status than Elasticsearch's acknowledges nothing.
func TestAcceptedIsNotWritten(t *testing.T) {
	c, i := set(t)
	accepted := &faults{spoil: func(_ int, req *http.Request) (*http.Response, error) {
		res := status(http.StatusAccepted, `{"items":[]}`)
		res.Request = req
		return res, nil
	}}
	got, err := counted(NewWriter(c.Through(accepted), options(i)).Write(t.Context(),
		numbered(t, 3)))
	if err == nil || !strings.Contains(err.Error(), "202 Accepted") || got != (fates{}) ||
		accepted.calls != 1 {
		t.Errorf("got %+v, %d requests and the error %v, want one request and 202 Accepted",
			got, accepted.calls, err)
	}
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
		got, err := i.Ensure(t.Context(), c.Through(foreign), nil)
		if err == nil || len(got.Created) > 0 {
			t.Errorf("%d: got %+v and the error %v, want an error", code, got, err)
		}
	}
	f(http.StatusOK)
	f(http.StatusNotFound)
}
