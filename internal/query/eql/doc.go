// Package eql reads the Event Query Language as Elasticsearch 8 and 9 read it. A text is a
// [Statement]: an event query, a sequence or a sample. Its conditions are trees of package cond
// with a position on every node, or every error comes at once.
//
//	query, err := eql.Parse(`file where process.name : ("a.exe", "b.exe") and not file.path : "?:\\temp\\*"`)
//	statement, err := eql.ParseStatement(`sequence by host.id [file where true] [process where true]`)
//
// The package knows the grammar, the functions and what can be said of types by an expression's
// form alone ([CheckTypes], which is no part of parsing). It knows no Elasticsearch and no mapping.
//
// # What is refused, and how
//
// The error is [cond.Errors]. Each [cond.Error] has a position, a [cond.Code], a message and mostly
// advice. What Elasticsearch's grammar has and Elasticsearch does not evaluate (join, process
// relationships, other pipes than head and tail) is refused by name with [cond.CodeUnsupported];
// where nothing else is wrong, [cond.Errors.Unsupported] is true and the caller may skip the rule.
// [Parse] refuses everything but event queries without pipes in the same way. What Elasticsearch
// takes for an error is one here. A comparison of a field with a field is refused here too, since
// no mapping could mend it. There is one exception towards strictness: a comment that opens another
// and closes only one is an error.
//
// A text longer than 1 MiB, nested deeper than 100 levels or with more than 10,000 nodes is refused
// with [cond.CodeLimit], so that everything that walks a tree may recurse.
//
// [Print], [String] and [Statement.String] write the tree in canonical form. The rule loader calls
// ParseStatement.
//
// The invariant to keep: a printed statement reads as the same statement but for positions, and no
// text makes the parser panic or recurse without bound. FuzzParse holds both.
package eql
