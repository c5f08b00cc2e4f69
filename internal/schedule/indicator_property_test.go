package schedule_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
)

// clue is an event or an indicator of the property, in the order in which all came.
type clue struct {
	came    int
	name    string
	pid     int
	feed    string // of an indicator: matches the name of a process, too
	retired bool   // an indicator that the threat query leaves out
	old     bool   // an event that only a late sweep finds
}

// matches reports whether an event has the values of an indicator.
func (e clue) matches(i clue) bool {
	return !i.retired && (e.name == i.name && e.pid == i.pid || e.name == i.feed)
}

// polled is a run, in the same order.
type polled struct {
	came  int
	at    time.Time // its clock
	whole bool      // it covered everything
}

// threats is the property under way.
type threats struct {
	*world
	random             *rand.Rand
	events             []string // indices
	feed               string
	rule               *rule.Rule
	came               int
	seen, known        []clue
	polls              []polled
	isClosed, isSecond bool
}

// Any order of polls, outages, late events, late indicators, killed runs and instances finds the
// events of the definition: those that an indicator matches that was there when they were searched,
// each once, with the indicators that were there then. ESRULE_TEST_SEED repeats a failure.
func TestIndicatorsOfAnyCutting(t *testing.T) {
	t.Parallel()
	random, seed := newRandom(t)
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.start = 12 * time.Hour
	p := &threats{world: w, random: random, events: []string{w.index("a"), w.index("b")},
		feed: w.feed("ti"), rule: w.indicators("not threat.indicator.type: retired",
			[]rule.Pair{{Field: "process.name", Value: "threat.indicator.name"},
				{Field: "process.pid", Value: "threat.indicator.pid"}},
			[]rule.Pair{{Field: "process.name", Value: "threat.feed.name"}})}
	for range 10 {
		p.step()
	}
	p.toggle(false)
	p.poll()
	w.clock = w.clock.Add(time.Hour) // a late sweep is due
	p.poll()
	if last := p.polls[len(p.polls)-1]; !last.whole {
		t.Errorf("seed %d: the last run left something open\n%s", seed, w.log.String())
	}
	if wrong := p.wrong(); len(wrong) > 0 {
		t.Errorf("seed %d:\n%s\nof the events %+v\nthe indicators %+v\nthe runs %+v", seed,
			strings.Join(wrong, "\n"), p.seen, p.known, p.polls)
	}
}

// step lets time pass, in which events and indicators come, and the rule may be polled.
func (p *threats) step() {
	length := time.Duration(1+p.random.IntN(40)) * time.Minute
	p.clock = p.clock.Add(length)
	for range p.random.IntN(3) {
		p.indicator()
	}
	for range 2 + p.random.IntN(8) {
		p.event(length)
	}
	p.toggle(p.random.IntN(5) == 0)
	if p.random.IntN(3) == 0 {
		p.killBehind(p.random.IntN(4))
		p.poll()
		p.opening, p.ending = nil, nil
		if p.random.IntN(2) == 0 {
			p.indicator()
		}
	}
	if p.random.IntN(4) > 0 {
		p.isSecond = p.random.IntN(2) == 0
		p.poll()
		p.isSecond = false
	}
}

// pick returns one of the values of the property.
func (p *threats) pick() (name string, pid int) {
	return []string{"a", "b", "c", "d", "e", "f"}[p.random.IntN(6)], p.random.IntN(4)
}

// event writes an event of the time that passed. One in four comes late: event.ingested says so of
// one half, and of the other only a late sweep knows.
func (p *threats) event(within time.Duration) {
	p.t.Helper()
	e := clue{came: p.next()}
	e.name, e.pid = p.pick()
	at := p.clock.Add(-time.Duration(p.random.Int64N(int64(within))))
	ingested := ""
	if p.random.IntN(4) == 0 && len(p.polls) > 0 {
		at = p.clock.Add(-time.Duration(p.random.Int64N(int64(5 * time.Hour))))
		if e.old = p.random.IntN(2) == 0; !e.old {
			ingested = fmt.Sprintf(`,"event":{"ingested":%q}`, p.clock.Format(time.RFC3339Nano))
		}
	}
	p.Do("PUT", fmt.Sprintf("%s/_doc/%d?refresh=true", p.events[p.random.IntN(2)], len(p.seen)),
		fmt.Sprintf(`{"@timestamp":%q,"process":{"name":%q,"pid":%d}%s}`,
			at.Format(time.RFC3339Nano), e.name, e.pid, ingested))
	p.seen = append(p.seen, e)
}

// indicator publishes one, unless their index is closed.
func (p *threats) indicator() {
	p.t.Helper()
	if p.isClosed {
		return
	}
	i := clue{came: p.next()}
	kind := []string{"file", "file", "file", "retired"}[p.random.IntN(4)]
	i.retired = kind == "retired"
	feed := "{}"
	if i.name, i.pid = p.pick(); p.random.IntN(6) == 0 {
		i.feed, _ = p.pick()
		feed = fmt.Sprintf(`{"name":%q}`, i.feed)
	}
	p.Do("PUT", fmt.Sprintf("%s/_doc/%d?refresh=true", p.feed, len(p.known)), fmt.Sprintf(
		`{"threat":{"feed":%s,"indicator":{"name":%q,"pid":"%d","type":%q}}}`, feed, i.name, i.pid,
		kind))
	p.known = append(p.known, i)
}

// toggle closes the index of indicators, or opens it.
func (p *threats) toggle(closed bool) {
	p.t.Helper()
	if closed != p.isClosed {
		p.Do("POST", p.feed+map[bool]string{true: "/_close",
			false: "/_open?wait_for_active_shards=1"}[closed], "")
	}
	p.isClosed = closed
}

func (p *threats) next() int { p.came++; return p.came }

// poll runs the rule, on two instances at once where there is a second.
func (p *threats) poll() {
	p.t.Helper()
	p.clock = p.clock.Add(time.Second) // no two runs have one time
	one := polled{came: p.next(), at: p.clock}
	var second sync.WaitGroup
	if p.isSecond {
		d, err := detect.New(p.rule, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		runner := p.runner()
		second.Go(func() {
			if _, err := runner.Run(p.t.Context(), []*detect.Detection{d}); err != nil {
				p.t.Error(err)
			}
		})
	}
	one.whole = p.runAll(p.rule)[0].Covered() && p.ending == nil
	second.Wait()
	p.Refresh(p.indices.Signals)
	if one.whole && p.isClosed {
		p.t.Error("a run covered its time without the indicators")
	}
	p.polls = append(p.polls, one)
}

// wrong says what the signals have that they should not, or have not.
func (p *threats) wrong() (all []string) {
	found := make([]int, len(p.seen)) // the run that wrote its signal; 0 is none
	for _, hit := range p.Hits(p.indices.Signals) {
		var s struct {
			At        time.Time `json:"@timestamp"`
			Ancestors []struct {
				ID int `json:",string"`
			} `json:"kibana.alert.ancestors"`
			Threat struct {
				Enrichments []struct {
					Matched struct {
						ID int `json:",string"`
					}
				}
			}
		}
		if err := json.Unmarshal(hit.Source, &s); err != nil || len(s.Ancestors) != 1 {
			return append(all, fmt.Sprintf("no signal: %v: %s", err, hit.Source))
		}
		at := slices.IndexFunc(p.polls, func(r polled) bool {
			return r.at.Truncate(time.Millisecond).Equal(s.At)
		})
		if at < 0 {
			return append(all, fmt.Sprintf("a signal of no run: %s", hit.Source))
		}
		of := s.Ancestors[0].ID
		if found[of] > 0 {
			all = append(all, fmt.Sprintf("event %d has two signals", of))
		}
		found[of] = p.polls[at].came
		var got []int
		for _, e := range s.Threat.Enrichments {
			got = append(got, e.Matched.ID)
		}
		slices.Sort(got)
		got = slices.Compact(got) // both groups may be true of one
		if want := p.matching(p.seen[of], found[of]); !slices.Equal(got, want) {
			all = append(all, fmt.Sprintf("event %d: got the indicators %v, want %v", of, got,
				want))
		}
	}
	for i, e := range p.seen {
		if wrong := p.wrongTime(e, found[i]); wrong != "" {
			all = append(all, fmt.Sprintf("event %d: %s", i, wrong))
		}
	}
	if n := len(slices.DeleteFunc(found, func(run int) bool { return run == 0 })); n < 3 {
		all = append(all, fmt.Sprintf("%d signals of %d events are too few to tell anything", n,
			len(p.seen)))
	}
	return all
}

// matching lists the indicators of an event that had come before a run.
func (p *threats) matching(e clue, run int) (all []int) {
	for i, one := range p.known {
		if one.came < run && e.matches(one) {
			all = append(all, i)
		}
	}
	return all
}

// wrongTime says what is wrong with the run that wrote the signal of an event; 0 is none. An event
// may be searched by the first run after it came, and is by the first that covers everything: what
// was published before the former is found by the latter at the latest. What comes later may be
// found, where a later run reads the event's time once more.
func (p *threats) wrongTime(e clue, run int) string {
	first := slices.IndexFunc(p.polls, func(r polled) bool { return r.came > e.came })
	must := p.matching(e, p.polls[first].came)
	covering := len(p.polls) - 1 // the late sweep's
	if !e.old {
		covering = first + slices.IndexFunc(p.polls[first:], func(r polled) bool {
			return r.whole
		})
	}
	switch limit := p.polls[covering].came; {
	case run == 0 && len(must) > 0:
		return fmt.Sprintf("no signal, though the indicators %v were there", must)
	case len(must) > 0 && run > limit:
		return fmt.Sprintf("found by run %d, want run %d at the latest", run, limit)
	}
	return ""
}
