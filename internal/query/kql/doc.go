// Package kql reads the Kibana Query Language as Kibana's detection engine reads it. A query is a
// condition on single events, a tree of package cond with a position on every node.
//
//	query, err := kql.Parse(`process.name: (a.exe or b*) and not file.path: "C:\\temp"`)
//
// The package knows the grammar and nothing else: what a leaf means is decided by the type of its
// field, which only a mapping knows.
//
// # What is refused, and how
//
// The error is [cond.Errors]. What Kibana's grammar does not take is one error with
// [cond.CodeSyntax], at the offset at which Kibana's parser gives up. What it takes and
// Elasticsearch refuses for any mapping (`f: null`) has [cond.CodeType]. A value without a field,
// which Kibana looks for in every field, has [cond.CodeUnsupported].
//
// A text longer than 1 MiB, a condition nested deeper than 100 levels or with more than 10,000
// leaves is refused with [cond.CodeLimit], so that everything that walks a tree may recurse.
//
// [Print] writes the tree in canonical form. The rule loader calls Parse.
//
// The invariant to keep: a text is accepted if and only if Kibana's grammar accepts it, but for
// what is said above; a printed query reads as the same query but for positions; and no text makes
// the parser panic, recurse without bound or read a part twice. FuzzParse holds the second and
// third.
package kql
