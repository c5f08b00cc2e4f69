package soak

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// pairSpan is the maxspan of the rule that joins pairs. Each pair has a path of its own, so that no
// event that comes late takes the place of another: what is to be found does not depend on when.
const pairSpan = 5 * time.Minute

// half is the first event of a pair.
type half struct {
	path string
	at   time.Time
}

// paired makes the first event of a pair, at most so long ago, or the second of an earlier one:
// within the span of the first, or, one in four, beyond it.
func (s *source) paired(most time.Duration) doc {
	if len(s.waiting) > 0 && s.random.IntN(2) == 0 {
		i := s.random.IntN(len(s.waiting))
		first := s.waiting[i]
		gone := time.Since(first.at)
		after := 10*ms + span(s.random, 4*time.Minute)
		if s.random.IntN(4) == 0 {
			after = 6*time.Minute + span(s.random, 2*time.Minute)
		}
		if after >= gone { // it would be in the future
			after = min(gone/2, 4*time.Minute)
		}
		if after > 10*ms {
			s.waiting = slices.Delete(s.waiting, i, i+1)
			return s.eventOf(first.path, time.Since(first.at.Add(after)), "second.exe", "",
				time.Time{})
		}
	}
	ago := span(s.random, most)
	first := half{fmt.Sprintf(`C:\pairs\%d`, s.made+1), time.Now().Add(-ago)}
	s.waiting = append(s.waiting, first)
	return s.eventOf(first.path, ago, "first.exe", "", time.Time{})
}

// pairs are the events of pairs by their paths, the first and the second.
type pairs map[string]*[2]*pairEvent

type pairEvent struct {
	hit
	at time.Time
}

// add takes an event that may be one of a pair. Copies of an event are one.
func (p pairs) add(h hit) {
	var e struct {
		At      time.Time `json:"@timestamp"`
		Process struct{ Name string }
		File    struct{ Path string }
	}
	if json.Unmarshal(h.Source, &e) != nil {
		return
	}
	at := slices.Index([]string{"first.exe", "second.exe"}, e.Process.Name)
	if at < 0 {
		return
	}
	if p[e.File.Path] == nil {
		p[e.File.Path] = &[2]*pairEvent{}
	}
	p[e.File.Path][at] = &pairEvent{h, e.At}
}

// with returns the pairs of both.
func (p pairs) with(other pairs) pairs {
	both := pairs{}
	for _, of := range []pairs{other, p} {
		for path, pair := range of {
			if both[path] == nil {
				both[path] = &[2]*pairEvent{}
			}
			for i, one := range pair {
				if one != nil {
					both[path][i] = one
				}
			}
		}
	}
	return both
}

// signals returns the ids of the signals of each pair that is a sequence, by its path.
func (p pairs) signals(r *rule.Rule) (map[string][]string, error) {
	ids := map[string][]string{}
	for path, pair := range p {
		if pair[0] == nil || pair[1] == nil {
			continue
		}
		if after := pair[1].at.Sub(pair[0].at); after <= 0 || after > pairSpan {
			continue
		}
		m := signal.Match{Rule: r}
		for _, one := range pair {
			m.Events = append(m.Events, signal.Event{Index: one.Index, ID: one.ID,
				Source: one.Source})
		}
		made, err := signal.NewSequence(m, signal.Execution{})
		if err != nil {
			return nil, fmt.Errorf("make the signals of the pair %s: %w", path, err)
		}
		for _, one := range made {
			ids[path] = append(ids[path], string(one.ID))
		}
	}
	return ids, nil
}

// comparePairs wants all signals of each pair that is there, and of no other, unless a part of it
// was there once.
func (r *round) comparePairs(v *verdict, is, was *truth, found map[string]bool) error {
	var of *rule.Rule
	for _, d := range r.detections {
		if d.Rule.ID == bySequence {
			of = d.Rule
		}
	}
	wanted, err := is.pairs.signals(of)
	if err != nil {
		return err
	}
	possible, err := is.pairs.with(was.pairs).signals(of)
	if err != nil {
		return err
	}
	left := maps.Clone(found)
	for _, path := range slices.Sorted(maps.Keys(possible)) {
		ids, there := possible[path], 0
		for _, id := range ids {
			if found[id] {
				there++
			}
			delete(left, id)
		}
		switch {
		case there == 0 && wanted[path] != nil:
			v.lost++
			v.say("lost: the sequence of %s", path)
		case there > 0 && there < len(ids):
			v.say("half-written: %d of %d signals of the sequence of %s", there, len(ids), path)
		}
	}
	for id := range left {
		v.say("signal %s is of no sequence", id)
	}
	v.sequences = len(wanted)
	if len(wanted) < r.events/100 {
		v.say("only %d sequences among %d events: the round shows too little", len(wanted),
			r.events)
	}
	return nil
}
