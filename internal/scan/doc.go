// Package scan runs rules over exported events, without a cluster: NDJSON, arrays, pretty-printed
// JSON and answers to searches, plain or gzip, each document a bare event or a hit with its
// `_index` and `_id`.
//
// Lines are read in chunks, judged on all cores and given out in their order, in memory that does
// not grow with the input: only the identities of the matches are remembered, so that an event that
// occurs twice gives one signal, as it would on a cluster. No mapping is known, so the constants of
// a rule decide how a value is read. The scan command is its only caller.
//
// The invariant to keep: every document is judged or reported. Nothing is skipped for its size or
// shape, and what holds no event that a rule can read is not called clean ([InputCount.Unjudged]).
package scan
