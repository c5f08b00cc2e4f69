package soak

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// families are the events of families by their paths.
type families map[string][]familyEvent

type familyEvent struct {
	hit
	at      time.Time
	process string
}

// add takes an event that may be one of a family.
func (f families) add(h hit) error {
	var e struct {
		At      time.Time `json:"@timestamp"`
		Process struct{ Name string }
		File    struct{ Path string }
	}
	err := json.Unmarshal(h.Source, &e)
	if err != nil || !strings.HasPrefix(e.File.Path, `C:\families\`) {
		return err
	}
	f[e.File.Path] = append(f[e.File.Path], familyEvent{h, e.At.Truncate(time.Millisecond),
		e.Process.Name})
	return nil
}

// expected is a signal by the definition of its rule.
type expected struct {
	what string
	// isOpen says that it need not be there: its time is not over.
	isOpen bool
	// wrong says what is wrong with the signal that is there; nil is nothing.
	wrong func(source []byte) string
}

// addIndicator takes a document of an indicator.
func (t *truth) addIndicator(h hit) error {
	var i struct {
		Threat struct{ Indicator struct{ Path string } }
	}
	err := json.Unmarshal(h.Source, &i)
	t.indicators[i.Threat.Indicator.Path] = h.ID
	return err
}

// ofFamilies returns what is to be found of families, by the ids of the signals.
func (t *truth) ofFamilies(rules map[rule.ID]*rule.Rule,
	decided time.Time) (map[string]expected, error) {
	all := map[string]expected{}
	for path, events := range t.families {
		slices.SortFunc(events, func(a, b familyEvent) int { return a.at.Compare(b.at) })
		var err error
		switch first := events[0]; {
		case first.process == "term.exe":
			err = newTermsOf(all, rules[byNewTerms], path, events)
		case strings.HasPrefix(first.process, "count-"):
			err = thresholdOf(all, rules[byThreshold], path, events)
		case first.process == "threat.exe":
			err = indicatorOf(all, rules[byIndicator], first, t.indicators[path])
		case first.process == "go.exe":
			err = untilOf(all, rules[byUntil], events)
		case first.process == "alone.exe":
			err = absenceOf(all, rules[byAbsence], events, decided)
		}
		if err != nil {
			return nil, fmt.Errorf("make the signals of %s: %w", path, err)
		}
	}
	return all, nil
}

func (e familyEvent) event() signal.Event {
	return signal.Event{Index: e.Index, ID: e.ID, Source: e.Source}
}

// newTermsOf: an event is one where none before it is within the history.
func newTermsOf(all map[string]expected, r *rule.Rule, path string, events []familyEvent) error {
	for i, e := range events {
		if i > 0 && e.at.Sub(events[i-1].at) <= termHistory {
			continue
		}
		s, err := signal.NewTerms(signal.Match{Rule: r, Events: []signal.Event{e.event()}},
			[]string{path}, signal.Execution{})
		if err != nil {
			return err
		}
		all[string(s.ID)] = expected{what: "new terms of " + e.ID}
	}
	return nil
}

// thresholdOf: all events of a family are within the span, and the first is seen first. Those that
// came after the signal was written are not counted.
func thresholdOf(all map[string]expected, r *rule.Rule, path string, events []familyEvent) error {
	names := map[string]bool{}
	reached := 0 // with so many events, the threshold is reached
	for i, e := range events {
		if names[e.process] = true; reached == 0 && i+1 >= countLeast && len(names) > 1 {
			reached = i + 1
		}
	}
	if reached == 0 {
		return nil
	}
	s, err := signal.NewThreshold(signal.Threshold{Rule: r, Values: []string{path},
		From: events[0].at, Last: events[reached-1].at, Count: reached,
		Distinct: []int{len(names)}}, signal.Execution{})
	all[string(s.ID)] = expected{what: "threshold of " + path, wrong: func(source []byte) string {
		var got struct {
			Result struct{ Count int } `json:"kibana.alert.threshold_result"`
		}
		if err := json.Unmarshal(source, &got); err != nil || got.Result.Count < reached ||
			got.Result.Count > len(events) {
			return fmt.Sprintf("got a count of %d, want %d to %d", got.Result.Count, reached,
				len(events))
		}
		return ""
	}}
	return err
}

func indicatorOf(all map[string]expected, r *rule.Rule, e familyEvent, indicator string) error {
	if indicator == "" {
		return nil
	}
	id, err := signal.Identify(r.ID, e.event())
	all[string(id)] = expected{what: "indicator of " + e.ID, wrong: func(source []byte) string {
		var got struct {
			Threat struct {
				Enrichments []struct{ Matched struct{ ID string } }
			}
		}
		if err := json.Unmarshal(source, &got); err != nil || len(got.Threat.Enrichments) != 1 ||
			got.Threat.Enrichments[0].Matched.ID != indicator {
			return fmt.Sprintf("got the indicators %+v, want %s", got.Threat.Enrichments, indicator)
		}
		return ""
	}}
	return err
}

// untilOf: the two are a sequence where nothing is between them, and they are within the span.
func untilOf(all map[string]expected, r *rule.Rule, events []familyEvent) error {
	if len(events) != 2 || events[1].process != "done.exe" ||
		events[1].at.Sub(events[0].at) > untilSpan {
		return nil
	}
	return sequenceOf(all, r, expected{what: "sequence of " + events[0].ID}, events...)
}

// absenceOf: the first is one where no other is within the span after it.
func absenceOf(all map[string]expected, r *rule.Rule, events []familyEvent,
	decided time.Time) error {
	if len(events) > 1 && events[1].at.Sub(events[0].at) <= absenceSpan {
		return nil
	}
	return sequenceOf(all, r, expected{what: "absence after " + events[0].ID,
		isOpen: events[0].at.After(decided)}, events[0])
}

func sequenceOf(all map[string]expected, r *rule.Rule, want expected, of ...familyEvent) error {
	m := signal.Match{Rule: r}
	for _, e := range of {
		m.Events = append(m.Events, e.event())
	}
	made, err := signal.NewSequence(m, signal.Execution{})
	for _, one := range made {
		all[string(one.ID)] = want
	}
	return err
}

// noteFound remembers which signals there are without the last backfill, which would hide what runs
// do not find.
func (r *round) noteFound(ctx context.Context) error {
	_, err := r.admin.insist(ctx, http.MethodPost, r.index("signals")+"/_refresh", nil)
	if err != nil {
		return err
	}
	r.found = map[string]bool{}
	return r.admin.everything(ctx, r.index("signals"), func(h hit) error {
		r.found[h.ID] = true
		return nil
	})
}

// compareFamilies wants each signal of the definition, and no other.
func (r *round) compareFamilies(v *verdict, is *truth, found map[string]hit) error {
	rules := map[rule.ID]*rule.Rule{}
	for _, d := range r.detections {
		rules[d.Rule.ID] = d.Rule
	}
	wanted, err := is.ofFamilies(rules, r.started.Add(-absenceWithin))
	if err != nil {
		return err
	}
	kinds := map[string]int{}
	for _, id := range slices.SortedFunc(maps.Keys(wanted), func(a, b string) int {
		return cmp.Compare(wanted[a].what, wanted[b].what)
	}) {
		want := wanted[id]
		h, there := found[id]
		delete(found, id)
		switch kind, _, _ := strings.Cut(want.what, " "); {
		case !there && !want.isOpen:
			v.lost++
			v.say("lost: %s", want.what)
		case !there:
		default:
			kinds[kind]++
			v.judgeFamily(want, h)
		}
	}
	for _, h := range found {
		v.say("a signal that is none by the definition: %s", h.Source)
	}
	if len(r.plan.faults) > 0 && len(kinds) != 5 {
		v.say("found only %v: the round shows nothing of the other kinds", kinds)
	}
	return nil
}

func (v *verdict) judgeFamily(want expected, h hit) {
	var s struct {
		Reduced string `json:"kibana.alert.esrule.reduced"`
	}
	_ = json.Unmarshal(h.Source, &s) // it was read before
	v.judgeForm(want.what, false, s.Reduced, h)
	if s.Reduced != "" || want.wrong == nil {
		return
	}
	if wrong := want.wrong(h.Source); wrong != "" {
		v.say("%s: %s", want.what, wrong)
	}
}
