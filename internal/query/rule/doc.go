// Package rule reads detection rules and validates them: in the TOML format of Elastic's
// detection-rules repository, and in JSON as Kibana exports them, as Elastic's rule package holds
// them and as Sigma's converter writes them.
//
// Load and LoadFS are called once by each command, before anything talks to a cluster. What they
// return is either a rule that every later step can take as it is, or a rule named as skipped, with
// the reason, or an error with file, line and advice; the errors of all files come together. The
// package parses the query (package eql) and evaluates nothing.
//
// A [Rule] is a [Head], which all kinds of rules share, and a [Body], a closed set of kinds. What
// the keys of a file mean is in one table (keys.go): which kinds have a key, what its value must
// be, whether it must be there and what becomes of it. How a file is written is apart from that:
// toml.go and json.go fill documents with tables, values and their places; export.go tells a rule
// from what else an export holds. An [Exception] comes from there, or from a table of its own in a
// TOML file.
//
// The invariant: no key is ignored that changes what a rule alerts on. Such a key is implemented,
// or the rule is skipped; only an exception that cannot be evaluated is named and not applied
// (Head.Unapplied): without it the rule alerts on more, and misses nothing. A key that
// the format does not have is an error, since it may be a misspelt one. Keys that act on signals
// once they are written (actions) or that cap them (max_signals) are named in Head.NotApplied.
//
// A rule whose metadata says "development" or "deprecated" is loaded like any other: whoever names
// a file wants it run. Head.Maturity keeps the word.
package rule
