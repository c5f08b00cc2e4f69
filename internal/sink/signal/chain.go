package signal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/query/rule"
)

// Chain is what a signal says of the rules that it comes from.
type Chain struct {
	// Links are the rules of the signal and of the signals before it, each with its depth.
	Links []Link
	// Depth is that of the signal: 1 where it was made of events.
	Depth int
}

// Link is a rule in a chain of signals, and the depth of its signal.
type Link struct {
	Rule  rule.ID
	Depth int
}

// LongestChain is the greatest depth of a signal that rules judge.
const LongestChain = 10

// ReadChain reads the document of a signal. It has no links where that is something else.
func ReadChain(document []byte) (c Chain) {
	l := lineageOf(Event{Source: document, Alert: true})
	if l.alert == "" {
		return c
	}
	c.Depth = l.depth
	for _, a := range l.ancestors {
		one := Link{rule.ID(a.Rule), a.Depth}
		if a.Type == signalType && !slices.Contains(c.Links, one) {
			c.Links = append(c.Links, one)
		}
	}
	return c
}

// String names the rules, each with the depth of its signal.
func (c Chain) String() string {
	texts := make([]string, len(c.Links))
	for i, one := range c.Links {
		texts[i] = fmt.Sprintf("%s (%d)", one.Rule, one.Depth)
	}
	return strings.Join(texts, ", ")
}

// Stops says why a rule does not judge the signal; it is empty where it does. A rule judges nothing
// that comes from its own signals: so no chain is endless.
func (c Chain) Stops(r rule.ID) (why string) {
	for _, one := range c.Links {
		switch {
		case one.Rule != r:
		case one.Depth == c.Depth:
			return "it is a signal of the rule itself"
		default:
			return "it comes from a signal of the rule itself"
		}
	}
	if c.Depth >= LongestChain {
		return fmt.Sprintf("it ends a chain of %d signals, the longest that rules judge", c.Depth)
	}
	return ""
}

// lineage is where an event comes from: an alert's parents, and what an alert of the event has to
// say of it.
type lineage struct {
	alert     ID         // its own id; empty for an event that is no alert
	ancestors []ancestor // of an alert of the event, itself the last
	depth     int        // 0 for an event that is no alert
}

// lineageOf reads the lineage of an event. What is no signal of this program is an event, whatever
// its own kibana.* say.
func lineageOf(of Event) lineage {
	if of.Alert {
		if l := lineageOfAlert(of); l.alert != "" {
			return l
		}
	}
	return lineage{ancestors: []ancestor{{ID: of.ID, Type: eventType, Index: of.Index}}}
}

// lineageOfAlert reads that of an alert; it is the zero value where the event is none.
func lineageOfAlert(of Event) (l lineage) {
	var d struct {
		ID        ID         `json:"kibana.alert.uuid"`
		Rule      string     `json:"kibana.alert.rule.uuid"`
		RuleID    string     `json:"kibana.alert.rule.rule_id"`
		Depth     int        `json:"kibana.alert.depth"`
		Ancestors []ancestor `json:"kibana.alert.ancestors"`
	}
	if json.Unmarshal(of.Source, &d) != nil || d.ID == "" {
		return l
	}
	depth := max(d.Depth, 1)
	return lineage{alert: d.ID, depth: depth, ancestors: append(d.Ancestors,
		ancestor{ID: cmp.Or(of.ID, string(d.ID)), Type: signalType, Index: of.Index, Depth: depth,
			Rule: cmp.Or(d.RuleID, d.Rule)})} // Kibana's uuid is that of a saved object
}

const (
	eventType  = "event"
	signalType = "signal"
)
