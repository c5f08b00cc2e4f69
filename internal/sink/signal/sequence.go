package signal

import (
	"fmt"
	"slices"
	"time"
)

// group is a signal's place among those of one sequence.
type group struct {
	id    ID // of the shell
	index int
	shell bool
}

// fields are those of a sequence's signals; none for the signal of one event.
func (g *group) fields() []field {
	switch {
	case g == nil:
		return nil
	case g.shell:
		return []field{{"kibana.alert.group.id", string(g.id)}}
	}
	return []field{{"kibana.alert.group.id", string(g.id)}, {"kibana.alert.group.index", g.index}}
}

// buildingBlockType is not empty for a signal that is a part of another, or is meant to be one.
func (s *Signal) buildingBlockType() string {
	if g := s.about.group; g != nil && !g.shell {
		return "default"
	}
	return s.Match.Rule.BuildingBlockType
}

// NewSequence makes the signals of a match of several events, as Elastic's alerts have them: a
// building block for each event, in their order, and behind them the shell, which has what all
// events have in common. The same match and clock give the same bytes.
//
// Their ids are made of the rule and the identities of the events in their order, so a sequence
// that is found again, in whatever window, has the same ones. Of the two versions of an event's
// identity it is the wider: no id of a sequence was ever made of the other.
func NewSequence(m Match, x Execution) ([]Signal, error) {
	at := x.now()
	x.Now = func() time.Time { return at }
	all := make([]Signal, len(m.Events), len(m.Events)+1)
	readings, events := make([]Reading, len(m.Events)), make([]*node, len(m.Events))
	for i, of := range m.Events {
		if err := readings[i].Read(of); err != nil {
			return nil, err
		}
		all[i], events[i] = readings[i].begin(m.Rule, x), readings[i].kept
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("rule %s matched no event: a sequence has at least one", m.Rule.ID)
	}
	d := digest{}
	d.text("sequence")
	d.text(string(m.Rule.ID))
	for i := range all {
		d.text(string(all[i].widerID))
	}
	name := string(d.id())
	last := all[len(all)-1]
	shell := Signal{ID: partID(name, len(all)), Match: Match{Rule: m.Rule},
		execution: last.execution, written: at, common: inCommon(events), finerTime: last.finerTime,
		about: about{originalTime: last.about.originalTime, rating: ratingOf(m.Rule)}}
	shell.about.group = &group{id: shell.ID, shell: true}
	for i := range all {
		s := &all[i]
		s.ID = partID(name, i)
		s.widerID = s.ID
		s.about.group = &group{id: shell.ID, index: i}
		s.about.rating = shell.about.rating // an event of a sequence does not rate it
		if err := s.finish(&readings[i], x.Texts); err != nil {
			return nil, err
		}
		shell.about.ancestors = append(append(shell.about.ancestors, s.about.ancestors...),
			ancestor{ID: string(s.ID), Type: signalType, Depth: s.about.depth,
				Rule: string(m.Rule.ID)})
		shell.about.depth = max(shell.about.depth, s.about.depth+1)
	}
	shell.widerID = shell.ID
	common, err := shell.read()
	if err != nil {
		return nil, err
	}
	if err := shell.finish(common, x.Texts); err != nil {
		return nil, err
	}
	return append(all, shell), nil
}

// partID is the id of a signal of a sequence, by its place; the shell's is behind the last event's.
func partID(sequence string, place int) ID {
	d := digest{}
	d.text(sequence)
	d.length(place)
	return d.id()
}

// inCommon returns the fields that all events have with the same values, under their whole paths.
func inCommon(events []*node) *node {
	shared := byPath(events[0], "", pathName)
	for _, event := range events[1:] {
		its := map[string]*node{}
		for _, m := range byPath(event, "", pathName) {
			its[m.key] = m.value
		}
		shared = slices.DeleteFunc(shared, func(m member) bool {
			return !m.value.equals(its[m.key])
		})
	}
	return &node{kind: object, members: shared}
}

func pathName(path []byte) string { return string(path) }
