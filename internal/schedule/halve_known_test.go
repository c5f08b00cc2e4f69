package schedule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
)

// tallied counts the requests that searches are made of.
type tallied struct {
	next http.RoundTripper
	n    int
}

func (c *tallied) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_search") || strings.HasSuffix(r.URL.Path, "/_pit") {
		c.n++
	}
	return c.next.RoundTrip(r)
}

// Rules that fail whatever is asked with them are found in the first run and searched alone from
// then on, by processes of one run too: the others are covered, however many fail. When the server
// takes them again, they are searched with the others as before.
func TestRulesThatAlwaysFail(t *testing.T) {
	const rules = 90
	f := func(why string, sick func(i int) bool, answer string, first, later int) {
		t.Helper()
		w := newWorld(t)
		w.late = 0
		w.theirs = func() time.Time { return w.clock }
		index := w.index("a")
		w.event(index, 1, "bad.exe", 1)
		var queries []string
		for i := range rules {
			name := "bad.exe"
			if sick(i) {
				name = "sick.exe"
			}
			queries = append(queries, fmt.Sprintf(`any where process.name == %q`, name))
		}
		refusing := unwilling{"sick", strings.ReplaceAll(answer, "INDEX", index)}
		requests := &tallied{next: refusing}
		w.through = w.Through(requests)
		var detections []*detect.Detection
		for _, r := range w.together(queries...) {
			detections = append(detections, w.detection(r))
		}
		known := 0 // the run that found the rules that fail
		for run := range 6 {
			most, healed := later, run >= 4
			switch {
			case healed:
				most = first
				requests.next, w.clock = http.DefaultTransport, w.clock.Add(2*time.Hour)
			case known == run:
				most = first
			}
			requests.n = 0
			report, err := w.runner().Run(t.Context(), detections)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range report.Rules {
				got, want := r.Covered(), healed || !sick(i)
				if !got && want && known == run && run < 3 {
					known++ // the rules that were tried alone may have been two that fail
				}
				if got != want && known <= run {
					t.Errorf("%s, run %d: rule %d: got covered %v, want %v: %+v", why, run, i,
						got, want, r)
				}
				if run == 5 && r.Run.Together != rules {
					t.Errorf("%s, run %d: rule %d: got %d rules together, want %d", why, run, i,
						r.Run.Together, rules)
				}
			}
			if requests.n > most {
				t.Errorf("%s, run %d: got %d requests, want %d at most", why, run, requests.n,
					most)
			}
			w.clock = w.clock.Add(w.rule.Interval)
		}
	}
	shards := `{"error":{"type":"search_phase_execution_exception","reason":"all shards failed",` +
		`"failed_shards":[{"shard":0,"index":"INDEX","reason":{"type":"number_format_exception",` +
		`"reason":"no"}}]},"status":400}`
	whole := `{"error":{"type":"parsing_exception","reason":"no"},"status":400}`
	three := func(i int) bool { return i == 5 || i == 50 || i == 80 }
	every := func(nth int) func(int) bool { return func(i int) bool { return i%nth == 0 } }
	f("three, refused by a shard", three, shards, 500, 60)
	f("three, refused", three, whole, 500, 60)
	f("one in six, refused by a shard", every(6), shards, 500, 200)
	f("one in six, refused", every(6), whole, 500, 200)
}
