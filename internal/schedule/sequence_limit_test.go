package schedule_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a rule cannot keep pending stays open, by the name of the rule and with the number of keys;
// other rules of its group go on, and nothing is lost once there is room.
func TestFloodOfKeys(t *testing.T) {
	f := func(what string, events, values int, reason string) {
		t.Helper()
		w := newWorld(t)
		w.theirs = func() time.Time { return w.clock }
		well, flooded := w.index("a-"+what), w.index("b-"+what)
		rules := w.sequences(
			`sequence by process.name, process.pid with maxspan=4m
				[any where event.category == "process"] [any where event.category == "file"]`,
			`sequence by process.pid with maxspan=4m [any where process.name == "first"]
				[any where process.name == "second"]`)
		var flood []any
		for i := range events {
			names, pids := make([]string, values), make([]int, values)
			for n := range values {
				names[n], pids[n] = fmt.Sprint("name-", i, "-", n), n
			}
			at := w.clock.Add(-2*time.Minute + time.Duration(i)*time.Second)
			text, err := json.Marshal(map[string]any{"@timestamp": at,
				"event":   map[string]any{"category": "process"},
				"process": map[string]any{"name": names, "pid": pids}})
			if err != nil {
				t.Fatal(err)
			}
			flood = append(flood, text)
		}
		w.Bulk(flooded, flood...)
		w.event(well, 2, "first", 1)
		w.event(well, 1, "second", 1)
		w.Bulk(well, fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"file"},"process":{`+
			`"name":"first","pid":1}}`, w.clock.Add(-time.Minute).Format(time.RFC3339Nano)))
		reports := w.runAll(rules...)
		r, failed := reports[0], fmt.Sprint(reports[0].Failed)
		if len(r.Sick) == 0 || r.Run.Created != 0 || !strings.Contains(failed, reason) ||
			!strings.Contains(failed, `rule "sequence 0" (sequence-0)`) {
			t.Errorf("%s: got %d created, failed %+q, error %v, want it sick by name: %s", what,
				r.Run.Created, r.Failed, r.Err, reason)
		}
		if r := reports[1]; len(r.Sick) != 0 || r.Run.Created != 3 {
			t.Errorf("%s: the other rule: got %d created, sick %v", what, r.Run.Created, r.Sick)
		}
		w.Delete(flooded)
		w.clock = w.clock.Add(15 * time.Minute)
		w.wantCreated(what+": there is room", rules, 3, 0)
	}
	f("of-one-event", 1, 300, "its keys have more than 65536 combinations of values")
	f("of-several", 9, 250, "keys are pending within 4m0s; narrow its conditions or shorten its "+
		"maxspan")
}
