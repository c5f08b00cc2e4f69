package main

import (
	"errors"
	"fmt"

	"esrule/demo/samples"
)

// verdict lays what esrule found beside what the samples say.
type verdict struct {
	sources []sourceCount
	// nearMisses are the samples that the rule does not match.
	nearMisses []nearMiss
	wrong      []error
}

// sourceCount is a source's line of the table.
type sourceCount struct {
	source                              string
	events, candidates, signals, wanted int
}

type nearMiss struct {
	samples.Event
	candidate bool // the pre-filter let it through, and the matcher refused it
}

func newVerdict(events []samples.Event, candidates map[string]bool,
	found []writtenSignal) *verdict {
	v := &verdict{}
	signals := map[string]int{} // by the sample that they are for
	for _, f := range found {
		signals[f.event]++
	}
	v.countSources(events, candidates, signals)
	v.compare(events, signals)
	for _, e := range events {
		switch {
		case e.Match && !candidates[e.ID()]:
			v.wrong = append(v.wrong, fmt.Errorf("%s matches, but the pre-filter leaves it out",
				e.ID()))
		case !e.Match:
			v.nearMisses = append(v.nearMisses, nearMiss{e, candidates[e.ID()]})
		}
	}
	return v
}

func (v *verdict) countSources(events []samples.Event, candidates map[string]bool,
	signals map[string]int) {
	for _, source := range samples.Sources() {
		line := sourceCount{source: source}
		for _, e := range events {
			if e.Source != source {
				continue
			}
			line.events++
			if candidates[e.ID()] {
				line.candidates++
			}
			line.signals += signals[e.ID()]
			if e.Match && e.SameAs == "" {
				line.wanted++
			}
		}
		v.sources = append(v.sources, line)
	}
}

// compare looks for signals that should not be, and matches without one. An event and its copies
// have one signal between them.
func (v *verdict) compare(events []samples.Event, signals map[string]int) {
	got, want := map[string]int{}, map[string]int{}
	known := map[string]bool{}
	for _, e := range events {
		known[e.ID()] = true
		original := e.ID()
		if e.SameAs != "" {
			original = e.Source + "." + e.SameAs
		}
		got[original] += signals[e.ID()]
		if e.Match {
			want[original] = 1
		}
	}
	for _, e := range events {
		if id := e.ID(); e.SameAs == "" && got[id] != want[id] {
			v.wrong = append(v.wrong, fmt.Errorf("%s: %d signals, want %d: %s", id, got[id],
				want[id], e.Why))
		}
	}
	for id := range signals {
		if !known[id] {
			v.wrong = append(v.wrong, fmt.Errorf("a signal is for event %q, which is no sample",
				id))
		}
	}
}

// problem is what differs from the samples over both runs, or nil.
func (v *verdict) problem(first, second outcome, signalsAfter int) error {
	wrong := v.wrong
	total := v.total()
	check := func(what string, got, want int) {
		if got != want {
			wrong = append(wrong, fmt.Errorf("%s: %d, want %d", what, got, want))
		}
	}
	check("candidates that the first run counts", first.Candidates, total.candidates)
	check("signals that the first run counts as created", first.Created, total.wanted)
	check("signals that the second run counts as created", second.Created, 0)
	check("signals after the second run", signalsAfter, total.wanted)
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("what was found is not what the samples say:\n%w", errors.Join(wrong...))
}

func (v *verdict) total() sourceCount {
	sum := sourceCount{source: "total"}
	for _, line := range v.sources {
		sum.events += line.events
		sum.candidates += line.candidates
		sum.signals += line.signals
		sum.wanted += line.wanted
	}
	return sum
}
