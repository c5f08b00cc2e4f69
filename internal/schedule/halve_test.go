package schedule_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
)

// unwilling answers searches that name a text as a server that does not take them.
type unwilling struct{ text, answer string }

func (r unwilling) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil || !strings.HasSuffix(request.URL.Path, "/_search") {
		return http.DefaultTransport.RoundTrip(request)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(strings.NewReader(string(body)))
	if !strings.Contains(string(body), r.text) {
		return http.DefaultTransport.RoundTrip(request)
	}
	return &http.Response{StatusCode: http.StatusBadRequest, Request: request,
		Header: http.Header{"X-Elastic-Product": {"Elasticsearch"},
			"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(r.answer))}, nil
}

// A group that fails for one of its rules is searched in halves: the others are searched together,
// and later runs leave that one out. Where everything fails, each rule has that failure at once.
func TestGroupIsHalved(t *testing.T) {
	const rules, culprit = 16, 5
	shards := func(reason string) string {
		return `{"error":{"type":"search_phase_execution_exception","reason":"all shards ` +
			`failed","failed_shards":[{"shard":0,"index":"INDEX","reason":{"type":"` + reason +
			`","reason":"no"}}]},"status":400}`
	}
	f := func(why, text, answer string, most ...int) {
		t.Helper()
		w := newWorld(t)
		w.theirs = func() time.Time { return w.clock }
		index := w.index("a")
		var queries []string
		for i := range rules {
			w.event(index, 1, fmt.Sprintf("bad%d.exe", i), i)
			queries = append(queries, fmt.Sprintf(`process where process.name == "bad%d.exe"`, i))
		}
		w.through = w.Through(unwilling{text, strings.ReplaceAll(answer, "INDEX", index)})
		opened := 0
		w.opening = func() error {
			opened++
			return nil
		}
		var detections []*detect.Detection
		for _, r := range w.together(queries...) {
			detections = append(detections, w.detection(r))
		}
		runner := w.runner()
		for run, most := range most {
			opened = 0
			report, err := runner.Run(t.Context(), detections)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range report.Rules {
				well := r.Err == nil && len(r.Open)+len(r.Sick)+len(r.Failed) == 0
				if want := i != culprit && text == "bad5.exe"; well != want {
					t.Errorf("%s, run %d: rule %d: got well %v, want %v: %+v", why, run, i, well,
						want, r)
				}
			}
			if opened > most {
				t.Errorf("%s, run %d: got %d points in time, want %d at most", why, run, opened,
					most)
			}
			w.clock = w.clock.Add(w.rule.Interval)
		}
		if text == "bad5.exe" {
			w.Refresh(w.indices.Signals)
			w.wantSignals(why, rules-1)
		}
	}
	// All, one or two alone, and two halves of what fails each time. The culprit tells of itself,
	// and from then on it is searched alone, as is what is open of it.
	f("a shard refuses", "bad5.exe", shards("too_many_clauses"), 11, 11, 3)
	f("a shard cannot read a number", "bad5.exe", shards("number_format_exception"), 11, 11, 3)
	f("a field has no positions", "bad5.exe", shards("illegal_state_exception"), 11, 11, 3)
	f("the server refuses", "bad5.exe", `{"error":{"type":"parsing_exception",`+
		`"reason":"no"},"status":400}`, 11, 11, 3)
	// All, and two alone. Then what is open is tried again in the same way.
	f("all is refused", "bad", shards("too_many_clauses"), 3, 6)
	f("the server refuses all", "bad", `{"error":{"type":"parsing_exception",`+
		`"reason":"no"},"status":400}`, 3, 6)
}
