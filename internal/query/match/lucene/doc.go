// Package lucene matches texts with regular expressions in Lucene's syntax, all of its operators
// included:
//
//	. ? + * | { } [ ] ( ) \   as elsewhere; a dot is any character, line ends included
//	"…"                       the text between the quotes
//	<1-100>                   a whole number in the interval
//	~ &                       complement and intersection
//	@ #                       any text, and no text at all
//	\d \w \s \D \W \S         classes
//
// The whole text has to fit. ^ and $ are plain characters; there are no lazy quantifiers,
// lookarounds or back references.
//
// An expression is compiled into a deterministic automaton by derivatives (Brzozowski), so that
// complement and intersection cost no more than the rest, and a match is one step of a table for
// each character. Where the automaton would be too large, Go's regexp takes over, which is linear
// too; it knows neither complement nor intersection, so an expression with them is refused then.
//
// Package match calls it. The invariant to keep: matching takes time linear in the text, whatever
// the expression, and no expression makes Compile panic or run for long.
package lucene
