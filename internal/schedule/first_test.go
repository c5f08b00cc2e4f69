package schedule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// searchesOf counts the searches of an index.
type searchesOf struct {
	index string
	n     int
}

func (s *searchesOf) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/"+s.index+"/_search") {
		s.n++
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Where the ledgers of many rules are gone, one search tells which of them have signals.
func TestLedgersAreGone(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 1, "bad.exe", 1)
	var queries []string
	for i := range 40 {
		queries = append(queries, fmt.Sprintf(`process where process.pid == %d`, i%2))
	}
	rules := w.together(queries...)
	f := func(why string, want string) {
		t.Helper()
		w.log.Reset()
		searches := &searchesOf{index: w.indices.Signals}
		w.through = w.Through(searches)
		w.runAll(rules...)
		if searches.n > 1 {
			t.Errorf("%s: got %d searches of the signals, want 1 at most", why, searches.n)
		}
		said := w.log.String()
		if got := strings.Contains(said, "the ledger of a rule is gone"); got != (want != "") ||
			!strings.Contains(said, want) {
			t.Errorf("%s: want %q, got %s", why, want, said)
		}
	}
	f("the first run", "")
	f("the second run", "")
	for _, r := range rules {
		w.Do(http.MethodDelete, fmt.Sprintf("%s/_doc/ledger-%s", w.indices.State, r.ID), nil)
	}
	f("without ledgers", "rule_count=20 ")
}
