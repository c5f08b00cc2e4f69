// Package date reads dates as Elasticsearch's date fields do: texts in the formats of a mapping, in which
// several are joined with "||", and date math such as "now-1h" and "2020-01-01||/M".
//
// It gives instants and says nothing of comparisons: package event reads the values of documents with
// it, match and prefilter the constants of rules. It has no clock; "now" is an argument.
//
// The invariant to keep: a text that a format does not take is refused, never guessed at, and reading costs
// time linear in the text.
package date
