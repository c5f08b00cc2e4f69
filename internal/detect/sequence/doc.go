// Package sequence judges EQL sequences and samples over a stream of events.
//
// [Compile] makes a [Plan] of a statement; a [Judge] takes the events of one window of time through
// it, one at a time, and returns each sequence when it is complete. The definition is free of when
// the rule is run: for each event at time t that completes a sequence, the answer is what
// Elasticsearch's EQL returns for it over the events of [t − span, t]. The span is maxspan, or the
// look-back of the rule where it has none.
//
// # How a window is read
//
//   - The caller reads the events of [from − [Plan.Span], to) and shows them all to the judge,
//     which returns only what is decided in [from, to). So windows that touch return each sequence
//     once, however time is cut. A sequence is decided by the event that completes it; one that
//     ends in missing events ([a] ![b]) when their time is over, in the window that holds that
//     moment.
//   - Events come in the order of time. Among events of the same time the order decides which comes
//     first in a sequence: it must be the same whenever they are read (a tiebreaker, nulls last,
//     then what does not change, such as index and _id; the order of documents in a shard does).
//   - An event that comes late, at time x, changes only what is decided in [x, x + Span].
//   - All events that one of [Plan.Matchers] accepts must be shown, those of `![…]` and until too.
//     Others may be left out: the pre-filter of a sequence is the union of its queries'. What the
//     judge needs of an event is a [Look], which is taken when the event is read.
//
// # What the caller keeps
//
// The judge asks for the caller's own value of an event (E) only where the event takes a stage, and
// keeps it while the sequence can still be completed: what is not reachable from the judge any more
// is not needed. Memory grows with the keys that are pending within the span and not with the
// events. A [LimitError] ends a judge: what is decided from the time of its event on stays open.
//
// # Samples
//
// A sample is complete at an event with which, but without which not, the events of [t − span, t]
// with the same keys have a different event for each stage. The latest such events are chosen, by
// the first stage first. So a key is reported when a sample becomes possible, not again with each
// event after it.
//
// The invariant to keep: any cutting of time into windows returns the same sequences
// (TestSequencesAreThoseOfTheDefinition).
package sequence
