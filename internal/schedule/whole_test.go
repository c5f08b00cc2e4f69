package schedule_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// rewriter changes the text of each answer to a search for events, as something between may.
type rewriter struct{ change func(text string) string }

func (r *rewriter) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || req.URL.Path != "/_search" {
		return res, err
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	text = []byte(r.change(string(text)))
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return res, nil
}

var sources = regexp.MustCompile(`,?"_source":\{.*?\}\},?("sort")`)

// TestDocumentWithoutItsSource: an event that came without its content is not judged as an empty
// one: its index stays open, and no other.
func TestDocumentWithoutItsSource(t *testing.T) {
	f := func(name, by string, rule string, wantOpen int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for retries
			w := newWorld(t)
			w.asks(rule)
			w.event(w.index("a"), 3, "bad.exe", 1)
			w.event(w.index("b"), 3, "good.exe", 2)
			w.through = w.Through(&rewriter{func(text string) string {
				if !strings.Contains(text, `"bad.exe"`) {
					return text
				}
				at := strings.Index(text, `"_index":"`+w.Index("events-a"))
				cut := sources.FindStringIndex(text[at:])
				return text[:at+cut[0]] + by + text[at+cut[1]-len(`"sort"`):]
			}})
			report := w.run()
			if len(report.Open) != wantOpen {
				t.Fatalf("got open %+v, want %d", report.Open, wantOpen)
			}
			if got := report.Open[0]; got.Index != w.Index("events-a") ||
				!strings.Contains(got.Reason, "without its _source") {
				t.Errorf("got open %+v, want that a document came without its _source", got)
			}
			w.through = nil
			if report := w.pass(time.Minute); len(report.Open) != 0 {
				t.Errorf("open after the next run: %+v", report.Open)
			}
		})
	}
	const bad, all = `process where process.name : "bad*"`, `any where true`
	for _, rule := range []string{bad, all} {
		f("none: "+rule, `,`, rule, 1)
		f("null: "+rule, `,"_source":null,`, rule, 1)
		f("empty: "+rule, `,"_source":{},`, rule, 1)
		f("blanks: "+rule, `,"_source":{ },`, rule, 1)
		f("text: "+rule, `,"_source":"",`, rule, 1)
	}
}

// TestEventWithoutFields: an event whose time is computed, or left out of _source, may really be
// empty.
func TestEventWithoutFields(t *testing.T) {
	f := func(name, mapping, event string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.asks(`any where true`)
			index := w.Index("events-a")
			w.Create(index, `{"mappings":`+mapping+`}`)
			w.Bulk(index, event)
			if report := w.run(); len(report.Open) != 0 {
				t.Errorf("got open %+v, want none", report.Open)
			}
			w.wantSignals("after the run", 1)
		})
	}
	now := time.Now().UTC().Add(-3 * time.Minute).Format(time.RFC3339)
	event := fmt.Sprintf(`{"@timestamp":%q,"a":1}`, now)
	f("everything left out",
		`{"_source":{"excludes":["*"]},"properties":{"@timestamp":{"type":"date"}}}`, event)
	f("nothing kept", `{"_source":{"includes":["none"]},"properties":{"@timestamp":{"type":"date"}}}`, event)
}

// TestHitsOfNoIndex: hits of an index that the patterns do not stand for are an error, and the
// piece is searched again by the next run.
func TestHitsOfNoIndex(t *testing.T) {
	f := func(name, other string, times int, wantError bool, wantSignals int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.event(w.index("a"), 3, "bad.exe", 1)
			w.Create(w.Index("other"), `{"mappings":`+processMapping+`}`)
			w.through = w.Through(&rewriter{func(text string) string {
				if !strings.Contains(text, `"bad.exe"`) || times == 0 {
					return text
				}
				times--
				return strings.ReplaceAll(text, w.Index("events-a"), w.Index(other))
			}})
			report := w.run()
			said := strings.Contains(fmt.Sprint(report.Failed), w.Index(other))
			if got := len(report.Failed) > 0; got != wantError || got != said {
				t.Errorf("got the errors %v, want one that names %s: %v", report.Failed,
					w.Index(other), wantError)
			}
			w.wantSignals("in the run", wantSignals)
			w.through = nil
			w.pass(time.Minute)
			w.wantSignals("after the next run", 1)
		})
	}
	f("of none that is there", "none", 9, true, 0)
	f("of another", "other", 9, true, 0)
	f("deleted meanwhile", "none", 1, false, 1)
}
