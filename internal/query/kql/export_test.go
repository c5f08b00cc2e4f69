package kql

import "esrule/internal/query/cond"

// Tree returns the tree of a text with everything that is wrong with it, also where Parse refuses
// what Kibana's grammar takes.
func Tree(text string) (*cond.Query, cond.Errors) { return parse(text) }
