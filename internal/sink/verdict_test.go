package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/sink/signal"
)

// TestVerdicts: each signal has its own verdict, in the order in which they were handed over.
func TestVerdicts(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	// It takes the events of documents that are named by a number.
	c.Create(i.Signals, `{"mappings":{"properties":{
		"process":{"properties":{"pid":{"type":"long"}}},
		"kibana.alert.ancestors":{"properties":{"id":{"type":"long"}}}}}}`)
	if _, err := i.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	event := func(n int, more string) string {
		return fmt.Sprintf(`{"@timestamp":%d%s}`, 1772445600000+n, more)
	}
	signals := []signal.Signal{
		signalFrom(t, "1", event(1, "")),
		signalFrom(t, "text", event(2, "")),
		signalFrom(t, "3", event(3, `,"process":"x"`)),
		signalFrom(t, "4", event(4, "")),
	}
	// fail spoils the requests that hold the last signal.
	fail := func(req *http.Request) bool {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		return bytes.Contains(body, []byte(signals[3].ID))
	}
	o := options(i)
	o.MaxItems, o.MaxElapsed = 3, 0
	down := false
	w := NewWriter(c.Through(&faults{spoil: func(_ int, req *http.Request) (*http.Response, error) {
		if down && fail(req) {
			return status(http.StatusUnauthorized, `{}`), nil
		}
		return nil, nil
	}}), o)
	f := func(broken bool, want ...Fate) {
		t.Helper()
		down = broken
		got, err := w.Write(t.Context(), signals)
		if _, countErr := counted(got, err); (countErr != nil) != broken || len(got) != len(want) {
			t.Fatalf("broken: %v: got %v and the error %v", broken, got, errors.Join(err, countErr))
		}
		for n, v := range got {
			if v.Fate != want[n] {
				t.Errorf("broken: %v: signal %d: got kind %d (%v), want %d", broken, n+1, v.Fate,
					v.Why, want[n])
			}
		}
	}
	f(true, Created, DeadLettered, Reduced, Open)
	f(false, Duplicate, Duplicate, Duplicate, Created)
}
