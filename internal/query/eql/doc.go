// Package eql reads the text of an event query of the Event Query Language, `category where
// condition`, as Elasticsearch 8 and 9 read it: a [cond.Query] with a position on every node, or
// every error at once.
//
//	query, err := eql.Parse(`file where process.name : ("a.exe", "b.exe") and not file.path : "?:\\temp\\*"`)
//
// It knows the grammar, the functions and what can be said of types by an expression's form alone
// ([CheckTypes], which is no part of Parse). It knows no Elasticsearch and no mapping.
//
// # What is refused, and how
//
// Parse returns [cond.Errors]. Each [cond.Error] has a position, a [cond.Code], a message and
// mostly advice. Statements that are EQL but not event queries on their own (sequence, sample,
// join, pipes, process relationships) are refused by name with [cond.CodeUnsupported]; where
// nothing else is wrong, [cond.Errors.Unsupported] is true and the caller may skip the rule. What
// Elasticsearch takes for an error is one here. A comparison of a field with a field is refused
// here too, since no mapping could mend it. There is one exception towards strictness: a comment
// that opens another and closes only one is an error.
//
// A text longer than 1 MiB, nested deeper than 100 levels or with more than 10,000 nodes is refused
// with [cond.CodeLimit], so that everything that walks a tree may recurse.
//
// [Print] and [String] write the tree in canonical form. The rule loader calls Parse.
//
// The invariant to keep: Parse(String(tree)) is the same tree but for positions, and no text makes
// Parse panic or recurse without bound. FuzzParse holds both.
package eql
