// Package eql reads the text of an event query of the Event Query Language, `category where condition`, as
// Elasticsearch 8 and 9 read it: a tree with a position on every node, or every error at once.
//
//	query, err := eql.Parse(`file where process.name : ("a.exe", "b.exe") and not file.path : "?:\\temp\\*"`)
//
// It knows the grammar, the functions and what can be said of types by an expression's form alone ([CheckTypes], which
// is no part of Parse). It knows no Elasticsearch and no mapping: whether a comparison makes sense for the field's type
// is said by the packages that evaluate the tree, with [NewError], in the same form as here.
//
// # What is refused, and how
//
// Parse returns [Errors]. Each [Error] has a position, a [Code], a message and mostly advice. Statements that are EQL
// but not event queries on their own (sequence, sample, join, pipes, process relationships) are refused by
// name with [CodeUnsupported]; where nothing else is wrong, [Errors.Unsupported] is true and the caller may skip the
// rule. What Elasticsearch takes for an error is one here. A comparison of a field with a field is refused
// here too, since no mapping could mend it. There is one exception towards strictness: a comment
// that opens another and closes only one is an error.
//
// A text longer than 1 MiB, nested deeper than 100 levels or with more than 10,000 nodes is refused with
// [CodeLimit], so that everything that walks a tree may recurse.
//
// # The tree
//
// The tree keeps what was written: `!=` is not rewritten to `not ==`, a constant on the left stays there, nothing is
// folded but the sign of a number. Parentheses, unary plus, comments and the way a string was quoted leave no trace.
// [Walk] visits it, [Fields] lists the fields, [Print] and [Query.String] write it in canonical form.
//
// The rule loader calls Parse; match and prefilter read the tree.
//
// The invariant to keep: Parse(Print(tree)) is the same tree but for positions, and no text makes Parse panic or
// recurse without bound. FuzzParse holds both.
package eql
