// Package search reads the cluster: what the indices of a pattern make of a rule's fields, the
// documents that a query finds, page by page from one point in time, and what else a run must know
// of the server (its clock, what it lets us read).
//
// It knows no rule, matcher or signal: package detect asks it for candidates and judges them,
// package prefilter writes the queries. What a field is comes from the mapping API and is handed on
// as event.Mapping.
//
// The invariant to keep: no answer passes for more than it is. A shard that failed, a search that
// ran out of time, an index that did not say what its fields are: each is named as a Failure or
// left out of the classes, never taken for "nothing found". And no document is lost to its size,
// depth or shape, nor takes its page with it.
package search
