// Package rule reads detection rules in the TOML format of Elastic's detection-rules repository and
// validates them.
//
// Load and LoadFS are called once by each command, before anything talks to a cluster. What they
// return is either a rule that every later step can take as it is, or a rule named as skipped, with
// the reason, or an error with file, line and advice; the errors of all files come together. The
// package parses the query (package eql) and evaluates nothing.
//
// The invariant: no key is ignored that changes what a rule alerts on. Such a key is implemented,
// or the rule is skipped; a key that the format does not have is an error, since it may be a
// misspelt one. Each key's part stands in keys.go. Keys that act on signals once they are written
// (actions) or that cap them (max_signals) are named in Rule.NotApplied.
//
// A rule whose metadata says "development" or "deprecated" is loaded like any other: whoever names
// a file wants it run. Rule.Maturity keeps the word.
package rule
