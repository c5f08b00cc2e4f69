// Package dsl is the part of Elasticsearch's query DSL that esrule sends, built from typed values:
// there is no text to escape, and the same clause is the same JSON.
//
// The package knows no rule, no mapping and no server. [And] and [Or] simplify what they join, so
// that a clause that narrows nothing is [Everything] and can be seen as such.
package dsl
