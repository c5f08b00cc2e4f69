// Package indicator joins events with indicators: which indicators have the values of an event in
// the fields that a rule maps to each other.
//
// A [Plan] is a rule's mapping over the fields of events. A [Set] holds the values of indicators as
// hashes of 96 bits, with the places of their documents: it is made once a run and shared by all
// workers. The package knows no server and no rule: package detect and package scan read the
// documents, and fetch those that match.
//
// The invariant to keep: values are equal as the type of the event's field compares them, whatever
// the indicator's field is; and what [Plan.Condition] says is true of every event that matches.
package indicator
