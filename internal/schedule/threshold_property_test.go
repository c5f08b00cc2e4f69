package schedule_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/query/rule"
)

// occurrence is an event: when it happened and when it came, in seconds from the beginning.
type occurrence struct{ at, came, pid int }

// reached is events of a process that reached the threshold: when the first happened.
type reached struct{ pid, from, count int }

// TestThresholdOfAnyPolls polls at random times over events that come at random: what is found is
// what the definition says where they come at once and no run is late; else no event counts twice,
// each burst reaches the threshold, and the events that are left do not.
func TestThresholdOfAnyPolls(t *testing.T) {
	for seed := range estest.Seeds(t) {
		for round, calm := range []bool{true, false} {
			random := rand.New(rand.NewPCG(seed, uint64(round)))
			w := newWorld(t)
			w.theirs = func() time.Time { return w.clock }
			begin := w.clock
			index := w.index(fmt.Sprint("a", round))
			r := w.threshold(3) // within 9m
			var events []occurrence
			for range 100 {
				e := occurrence{at: random.IntN(4000), pid: 1 + random.IntN(3)}
				if e.came = e.at; !calm && random.IntN(4) == 0 {
					e.came += random.IntN(1500)
				}
				events = append(events, e)
			}
			slices.SortFunc(events, func(a, b occurrence) int { return a.came - b.came })
			left := events
			poll := func(to int) {
				w.clock = begin.Add(time.Duration(to) * time.Second)
				var docs []any
				for len(left) > 0 && left[0].came < to {
					at := begin.Add(time.Duration(left[0].at) * time.Second)
					docs = append(docs,
						fmt.Sprintf(`{"@timestamp":%q,"process":{"name":"bad","pid":%d}}`,
							at.Format(time.RFC3339Nano), left[0].pid))
					left = left[1:]
				}
				if len(docs) > 0 {
					w.Bulk(index, docs...)
				}
				w.runAll(r)
			}
			poll(0) // from here on the time is the rule's
			for now := 0; now < 4000; {
				now += 60 + random.IntN(800)
				if !calm && random.IntN(6) == 0 {
					now += 3000 // nothing runs
				}
				poll(now)
			}
			poll(6500)
			poll(6500 + 3700) // with a late sweep
			got := w.reached(r, begin)
			slices.SortFunc(events, func(a, b occurrence) int { return a.at - b.at })
			if want := bursts(events); calm && !slices.EqualFunc(got, want, sameBurst) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if fault := doubtful(events, got); fault != "" {
				t.Errorf("calm %v: %s\nof the events %v\nfound %v", calm, fault, events, got)
			}
			if len(got) < 10 {
				t.Errorf("%d bursts are too few to tell anything", len(got))
			}
		}
	}
}

func sameBurst(a, b reached) bool { return a.pid == b.pid && a.from == b.from }

const within = 9 * 60

// bursts are those of the definition.
func bursts(events []occurrence) (all []reached) {
	for pid := 1; pid <= 3; pid++ {
		var its []occurrence
		for _, e := range events {
			if e.pid == pid {
				its = append(its, e)
			}
		}
		for len(its) > 0 {
			n := 0
			for n < len(its) && its[n].at < its[0].at+within {
				n++
			}
			if n < 3 {
				its = its[1:]
				continue
			}
			all = append(all, reached{pid, its[0].at, n})
			its = its[n:]
		}
	}
	sortReached(all)
	return all
}

func sortReached(all []reached) {
	slices.SortFunc(all, func(a, b reached) int { return (a.from-b.from)*10 + a.pid - b.pid })
}

// doubtful says what is wrong with what was found.
func doubtful(events []occurrence, found []reached) string {
	var rest []occurrence
	counted := map[int]int{}
	for _, e := range events {
		isIn := func(r reached) bool {
			return r.pid == e.pid && r.from <= e.at && e.at < r.from+within
		}
		if slices.ContainsFunc(found, isIn) {
			counted[e.pid]++
		} else {
			rest = append(rest, e)
		}
	}
	for _, r := range found {
		if r.count < 3 {
			return fmt.Sprintf("%+v does not reach the threshold", r)
		}
		counted[r.pid] -= r.count
	}
	for pid, n := range counted {
		if n < 0 {
			return fmt.Sprintf("%d events of %d were counted twice", -n, pid)
		}
	}
	if more := bursts(rest); len(more) > 0 {
		return fmt.Sprintf("%v are left", more)
	}
	return ""
}

// reached returns what the signals of a rule say.
func (w *world) reached(r *rule.Rule, begin time.Time) (all []reached) {
	w.t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct {
					PID    int    `json:"process.pid,string"`
					Result result `json:"kibana.alert.threshold_result"`
				} `json:"_source"`
			}
		}
	}
	body := w.Do("POST", w.indices.Signals+"/_search", fmt.Sprintf(
		`{"size":1000,"query":{"term":{"kibana.alert.rule.uuid":%q}}}`, r.ID))
	if err := json.Unmarshal(body, &answer); err != nil {
		w.t.Fatal(err)
	}
	for _, h := range answer.Hits.Hits {
		all = append(all, reached{h.Source.PID,
			int(h.Source.Result.From.Sub(begin.Truncate(time.Millisecond)).Seconds()),
			h.Source.Result.Count})
	}
	sortReached(all)
	return all
}
