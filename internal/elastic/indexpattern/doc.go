// Package indexpattern knows the expressions by which Elasticsearch is told which indices to
// search: what a good pattern is, and what a list of them means.
//
// The invariant to keep: a part of a list never stands for fewer indices than its patterns do in
// the whole list. An exclusion takes out of what is before it, and of nothing else.
package indexpattern
