// Package cond is the condition of a rule: a tree with a place in the query's text on every node,
// and errors about such places.
//
// The languages (package eql) parse into it; match, prefilter and lint read it and know no
// language. The tree keeps what was written: `!=` is not rewritten to `not ==`, a constant on the
// left stays there, nothing is folded but the sign of a number. Parentheses, comments and the way a
// string was quoted leave no trace.
//
// The package knows no Elasticsearch and no mapping. What a mapping makes of a comparison is said
// by those who read the tree, with [NewError], in the same form as a parser's errors.
package cond
