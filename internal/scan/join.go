package scan

import (
	"cmp"
	"fmt"
	"slices"

	"esrule/internal/detect"
	"esrule/internal/detect/sequence"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

const (
	// mostJoined is how many events a scan holds at most for the rules that ask for several
	// together: of some 300 bytes each, their texts lie on disk.
	mostJoined = 2_000_000
	// mostPending is how many events and keys one rule keeps pending at most.
	mostPending = 1_000_000
)

// joined is an event that a rule accepts which judges several events together, as a worker hands it
// on.
type joined struct {
	detect.RuleLook
	at    detect.Position
	text  []byte
	isHit bool
}

// NotJudged is a rule that judges several events together and was not judged to the end.
type NotJudged struct {
	Rule *rule.Rule
	Err  error
}

// joiner judges the rules that ask for several events together. Events come in the order of the
// files; so all that are accepted are held, put in order when everything is read, and judged. Only
// their texts take much room: those are on disk.
type joiner struct {
	rules  *Rules
	x      signal.Execution
	held   [][]held // by the place of the rule
	count  int
	weight int // of what is held
	texts  disk
	full   bool
}

// held is an event whose text is on disk.
type held struct {
	at     detect.Position
	look   detect.RuleLook
	number int // in the order in which the events were read
	text   onDisk
	isHit  bool
}

func newJoiner(r *Rules, x signal.Execution) *joiner {
	x.Final, x.Texts = true, signal.NewTexts()
	return &joiner{rules: r, x: x, held: make([][]held, len(r.rules))}
}

// close removes what is on disk.
func (s *joiner) close() { s.texts.close() }

// hold takes what a worker found, in the order of the input.
func (s *joiner) hold(events []joined) error {
	var written []byte // last
	var place onDisk   // of it
	for _, e := range events {
		if s.full = s.full || s.weight >= mostJoined; s.full {
			return nil
		}
		one := held{at: e.at, look: e.RuleLook, number: s.count, isHit: e.isHit}
		// The signal of a threshold has nothing of an event but what the look has.
		if s.rules.matchers.Compiled[e.Rule].Threshold == nil {
			if !sameText(written, e.text) { // else it is of another rule
				var err error
				if place, err = s.texts.write(e.text); err != nil {
					return fmt.Errorf("hold events on disk: %w", err)
				}
				written = e.text
			}
			one.text = place
		}
		s.held[e.Rule] = append(s.held[e.Rule], one)
		s.count++
		s.weight++
		if s.rules.matchers.Compiled[e.Rule].Sequence != nil {
			s.weight += e.Look.Size() - 1 // many keys, or long ones
		}
	}
	return nil
}

// sameText reports whether two texts are one and the same memory.
func sameText(a, b []byte) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }

// judge gives the signals of all rules, rule by rule, and returns those that it did not judge to
// the end.
func (s *joiner) judge(give func(rule int, signals []signal.Signal) error) (not []NotJudged) {
	for i, events := range s.held {
		judge := s.judgeSequences
		switch c := &s.rules.matchers.Compiled[i]; {
		case c.Threat != nil && s.rules.indicators == nil:
			not = append(not, NotJudged{s.rules.rules[i], errNoIndicators})
			continue
		case !c.Together() || len(events) == 0:
			continue
		case c.Threshold != nil:
			judge = s.countRule
		case c.NewTerms != nil:
			judge = s.judgeNewTerms
		}
		err := judge(i, events, give)
		if err == nil && s.full {
			err = fmt.Errorf("more than %d events are held for rules that ask for several "+
				"together: scan fewer files at once, or choose fewer of these rules", mostJoined)
		}
		if err != nil {
			not = append(not, NotJudged{s.rules.rules[i], err})
		}
		s.held[i] = nil
	}
	return not
}

// judgeSequences judges one rule on all its events. An error is what was not judged.
func (s *joiner) judgeSequences(i int, events []held,
	give func(rule int, signals []signal.Signal) error) error {
	slices.SortFunc(events, func(a, b held) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.number, b.number))
	})
	window := span.Interval{From: events[0].at.At}
	judge := sequence.NewJudge[*held](s.rules.matchers.Compiled[i].Sequence, window,
		sequence.NewRoom(mostPending))
	each := func(matches []sequence.Match[*held]) error {
		for _, m := range matches {
			signals, err := s.signals(i, m)
			if err != nil {
				return err
			}
			if err := give(i, signals); err != nil {
				return err
			}
		}
		return nil
	}
	for at := range events {
		matches, err := judge.See(events[at].look.Look, events[at].at.At,
			func() *held { return &events[at] })
		if err := each(matches); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	// The files end here, and nothing that a rule wants not to be there comes any more.
	last := events[len(events)-1].at.At
	return each(judge.Advance(last.Add(s.rules.matchers.Compiled[i].Sequence.Span() + 1)))
}

// signals makes the signals of a sequence.
func (s *joiner) signals(i int, m sequence.Match[*held]) ([]signal.Signal, error) {
	match := signal.Match{Rule: s.rules.rules[i]}
	for _, taken := range m.Events {
		event, err := s.event(i, taken.Event)
		if err != nil {
			return nil, err
		}
		match.Events = append(match.Events, event)
	}
	return signal.NewSequence(match, s.x)
}

// event reads an event back from disk, for a rule.
func (s *joiner) event(i int, h *held) (signal.Event, error) {
	text, err := s.texts.read(h.text)
	if err != nil {
		return signal.Event{}, err
	}
	return s.rules.eventOf(i, text, h.isHit)
}
