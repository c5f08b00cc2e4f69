// Package date reads dates: ISO 8601 and epoch numbers as Elasticsearch's date fields take them,
// and date math such as "now-1h" and "2020-01-01||/M".
//
// Every other format is left to the server. Package search asks it for values of such fields, which
// come as ISO 8601, and for what it makes of a rule's constants ([Constants]). So no format is
// interpreted twice. Package event reads the values of documents with this package, match and
// prefilter the constants of rules. It has no clock; "now" is an argument.
//
// The invariant to keep: a text that a format does not take is refused, never guessed at, and
// reading costs time linear in the text.
package date
