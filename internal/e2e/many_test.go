package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
)

// More matches than Elasticsearch gives in one search are all read, judged and written, each
// counted; and what the program holds at once does not grow with them.
func TestMoreThanTenThousandMatches(t *testing.T) {
	const few, many, size = 500, 10_500, 4 << 10
	f := func(events int) (peak int64) {
		t.Helper()
		s := newStage(t, "events-*")
		s.Create(s.name("events-1"), ecs)
		var docs []any
		for i := range events {
			e := match(time.Minute)
			e["message"] = fmt.Sprint(i) + strings.Repeat(" and so on", size/10)
			docs = append(docs, e)
		}
		s.Bulk(s.name("events-1"), docs...)
		s.more["PAGE_SIZE"] = "200"
		p := start(t, s.env(), "run", "--once")
		peak = estest.PeakMemory(p.cmd.Process.Pid, p.ended)
		p.wait().want(t, 0).says(t, fmt.Sprintf("candidates=%d matched=%d created=%d duplicates=0",
			events, events, events))
		s.Refresh(s.signalsIndex())
		if n := s.Count(s.signalsIndex()); n != events {
			t.Errorf("signals: got %d, want %d", n, events)
		}
		s.wantWhole()
		return peak
	}
	one, other := f(few), f(many)
	t.Logf("most memory at once: %d events %d MiB, %d events %d MiB", few, one>>20, many, other>>20)
	// Whoever kept the events would hold all of their text.
	if grown, text := other-one, int64((many-few)*size); grown > text/2 {
		t.Errorf("most memory at once: got %d bytes for %d events and %d for %d, which is more "+
			"than half of the text that lies between (%d)",
			one, few, other, many, text)
	}
}
