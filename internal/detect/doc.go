// Package detect puts rules to work. A [Detection] is a rule that is compiled, with the patterns
// that it is run over; a [Coverer] takes the events of a window of time from the cluster to
// signals, in one pass: a point in time, the mappings, the search laid out for them, the matcher,
// the writer.
//
// Check and Explain say what a rule can do on a cluster and with one event; a [Review] explains the
// events of signals again.
//
// The package knows no clock and no ledger: which window is searched, and what becomes of an
// [Outcome], is the business of schedule and backfill. Scan uses [Compile] alone.
//
// The invariant to keep: what an outcome does not name as a failure was read from every shard,
// judged, and each signal of it acknowledged.
package detect
