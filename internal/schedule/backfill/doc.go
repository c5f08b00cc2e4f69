// Package backfill covers history: a range of @timestamp that the user names, cut into slices that
// any number of workers, processes and machines share.
//
// A [Plan] says what is wanted: for rules over the same patterns, where the range is cut, so that
// each slice holds about as many candidates as the next. It is one document of the state index,
// found again by what the user asked for. A [Slice] is what became of one cut: a document that
// comes into being when a worker claims it, by compare-and-set, and is kept alive while the worker
// works. [Run] works off a plan with the claims of a [Claims]; a slice without a document is free.
//
// The poll's ledgers are not touched, and package schedule does not know of this one: what they
// share is [detect.Coverer], which takes a window from the cluster to signals.
//
// The invariant to keep: a slice is done only when every page of it was read, every candidate
// judged and every signal acknowledged. Who claims what never decides about a signal: their ids are
// deterministic, so a slice that two workers cover by mistake costs reading and nothing else.
package backfill
