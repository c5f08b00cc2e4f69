// Package threshold judges rules that count events with the same values.
//
// [Compile] makes a [Plan] of a threshold; a [Judge] takes the events of one window of time through
// it, in the order of time, and returns each [Burst]. It knows no server, no clock and no rule.
//
// # The definition
//
// It is free of when a rule is run. Each event has keys: the tuples of the values of the plan's
// fields, one for each combination where a field has several values. An event that lacks a field
// has no key and does not count; without fields all events have the one key (). Of each key, take
// the earliest event that no burst has yet, at t, and of these events those in [t, t + span). Where
// they are as many as the threshold asks, with as many different values as it asks, they are a
// burst, and what comes after it goes on; else the next event is taken. So an event is in one burst
// of its key at most, and wherever events of one span reach the threshold, some of them are in a
// burst. Times are whole milliseconds.
//
// # How a window is read
//
//   - The caller reads the events of [from − span, to + span), as far as they are there, and shows
//     them all to the judge, which returns the bursts that have an event in [from, to). Windows
//     that are judged one after the other, from the earliest on, return the bursts of the
//     definition, each once, however time is cut (TestBurstsAreThoseOfTheDefinition).
//   - The bursts that were found before and begin in [from − 2 span, to + span) are given to the
//     judge with [Judge.Taken]: their events count for no other. Windows that are judged in another
//     order, with events that came late, may so return other bursts than the definition's; but no
//     event is in two of them, each reaches the threshold, and the events that are left do not
//     (TestAnyOrderLeavesNoBurst).
//   - A burst is returned when no event that is shown can be a part of it any more. Events of
//     it may come after those that are there: Burst.Count says how many were when it was found.
//     What reached the threshold has reached it, also where not everything could be read.
//   - An event that comes late, within the time of a burst that was found, changes nothing. Another
//     one may make a burst of what was too little.
package threshold
