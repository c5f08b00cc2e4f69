package schedule_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/finding"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// newTerms returns rules that differ from the world's in what they ask: bad processes whose values
// of some fields are new within a time.
func (w *world) newTerms(history time.Duration, fields ...[]string) []*rule.Rule {
	w.t.Helper()
	rules := make([]*rule.Rule, len(fields))
	for i, of := range fields {
		query, err := kql.Parse(`process.name : bad*`)
		if err != nil {
			w.t.Fatal(err)
		}
		one := *w.rule
		one.Type, one.Language = "new_terms", "kuery"
		one.ID, one.Name = rule.ID(fmt.Sprint("new-terms-", i)), fmt.Sprint("new terms ", i)
		one.Body = &rule.NewTermsQuery{EventQuery: rule.EventQuery{Query: query}, Fields: of,
			History: history}
		rules[i] = &one
	}
	return rules
}

// told lists what signals say is new: the rule, the time of the event and the values.
func (w *world) told() (all []string) {
	w.t.Helper()
	for _, hit := range w.Hits(w.indices.Signals) {
		var s struct {
			Rule   string   `json:"kibana.alert.rule.rule_id"`
			Time   string   `json:"kibana.alert.original_time"`
			Values []string `json:"kibana.alert.new_terms"`
		}
		if err := json.Unmarshal(hit.Source, &s); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fmt.Sprint(s.Rule, " ", s.Time, " ", s.Values))
	}
	slices.Sort(all)
	return all
}

// Values are new where no event that the rule accepts had them within the history, in whatever
// index, and however long ago the rule began.
func TestNewTerms(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	a, b := w.index("a"), w.index("b")
	rules := w.newTerms(2*time.Hour, []string{"process.pid"},
		[]string{"process.name", "process.pid"})
	w.event(a, 60, "bad", 1)    // before the rule's time began
	w.event(a, 60, "good", 2)   // no event of the rule
	w.event(a, 60, "badder", 3) // another tuple of the second rule
	w.event(b, 2, "bad", 1)
	w.event(b, 2, "bad", 2)
	w.event(b, 1, "bad", 2)
	w.event(b, 1, "bad", 3)
	w.wantCreated("one of three is new", rules, 1, 2)
	w.wantCreated("again", rules, 0, 0)
	w.clock = w.clock.Add(30 * time.Minute)
	w.event(a, 3, "bad", 2)
	w.wantCreated("known since the last poll", rules, 0, 0)
	w.clock = w.clock.Add(2 * time.Hour)
	w.event(a, 3, "bad", 2)
	w.event(a, 1, "bad", 1)
	w.wantCreated("the one is still known, the other forgotten", rules, 1, 1)
	w.Bulk(a, fmt.Sprintf(`{"@timestamp":%q,"process":{"name":"bad","pid":[1,7,8]}}`,
		w.clock.Format(time.RFC3339Nano)), fmt.Sprintf(`{"@timestamp":%q,"process":{"name":"bad"}}`,
		w.clock.Format(time.RFC3339Nano)))
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("each new value of an array; an event without a value", rules, 2, 2)
}

// An index that cannot be read may hold the values: what seems new stays open, what is known
// elsewhere does not.
func TestNewTermsOverAnIndexThatFails(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	a, b := w.index("a"), w.index("b")
	rules := w.newTerms(2*time.Hour, []string{"process.pid"})
	w.event(b, 60, "bad", 1)
	w.event(a, 1, "bad", 1)
	w.unread = b
	if r := w.runAll(rules...)[0]; len(r.Sick) != 1 || r.Run.Created != 0 {
		t.Errorf("got %d created, sick %v and open %v, want the whole piece to be tried again",
			r.Run.Created, r.Sick, r.Open)
	}
	w.unread = ""
	w.clock = w.clock.Add(15 * time.Minute)
	w.wantCreated("readable again", rules, 0)
}

// check says where the events do not reach back as far as the history, and which fields have no
// values.
func TestCheckOfNewTerms(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	f := func(history time.Duration, field string, want ...finding.Code) {
		t.Helper()
		got := w.check(w.newTerms(history, []string{field})[0])
		codes := codesOf(about(got.Findings, finding.KeyUnmapped, finding.HistoryShort))
		if !slices.Equal(codes, want) {
			t.Errorf("%s of %q: got %v, want %v", history, field, got.Findings, want)
		}
	}
	f(time.Hour, "process.name") // without any event
	w.event(index, 90, "bad", 1)
	f(time.Hour, "process.name")
	f(2*time.Hour, "process.name", finding.HistoryShort)
	f(time.Hour, "host.id", finding.KeyUnmapped)
}

// Any cutting of time into polls, outages and killed runs gives the signals of the definition.
// ESRULE_TEST_SEED repeats a failure.
func TestNewTermsOfAnyCutting(t *testing.T) {
	random, seed := newRandom(t)
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.start = 12 * time.Hour
	indices := []string{w.index("a"), w.index("b")}
	const history = 45 * time.Minute
	rules := w.newTerms(history, []string{"process.pid"}, []string{"process.name", "process.pid"})
	var events []madeEvent
	w.cut(random, rules, func(step time.Duration) {
		e := madeEvent{at: w.clock.Add(-time.Duration(random.Int64N(int64(step)))).
			Truncate(time.Minute / 4), name: []string{"bad", "badder", "good"}[random.IntN(3)]}
		for range 1 + random.IntN(2) {
			e.pids = append(e.pids, random.IntN(6))
		}
		events = append(events, e)
		w.Bulk(indices[random.IntN(2)], e.String())
	})
	want := defined(events, history)
	if got := w.told(); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("seed %d: got %d signals, want the %d of the definition:\n%s\nwant\n%s", seed,
			len(got), len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

type madeEvent struct {
	at   time.Time
	name string
	pids []int
}

func (e madeEvent) String() string {
	pids, _ := json.Marshal(e.pids)
	return fmt.Sprintf(`{"@timestamp":%q,"process":{"name":%q,"pid":%s}}`,
		e.at.Format(time.RFC3339Nano), e.name, pids)
}

// defined returns what is told of the events by the definition. Of events of one time, which of
// them is first cannot be seen in it.
func defined(events []madeEvent, history time.Duration) (all []string) {
	tuples := []func(name string, pid int) string{
		func(_ string, pid int) string { return fmt.Sprint([]int{pid}) },
		func(name string, pid int) string { return fmt.Sprintf("[%s %d]", name, pid) },
	}
	for i, tuple := range tuples {
		for _, e := range events {
			for _, pid := range e.pids {
				isKnown := slices.ContainsFunc(events, func(o madeEvent) bool {
					return o.name != "good" && o.at.Before(e.at) && e.at.Sub(o.at) <= history &&
						slices.ContainsFunc(o.pids, func(p int) bool {
							return tuple(o.name, p) == tuple(e.name, pid)
						})
				})
				if e.name != "good" && !isKnown {
					all = append(all, fmt.Sprintf("new-terms-%d %s %s", i,
						e.at.Format("2006-01-02T15:04:05.000Z"), tuple(e.name, pid)))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
