// Package kuerydsl says a KQL condition in the query DSL that Kibana sends for it.
//
// It is the second opinion of tests: the server's answer to such a query is what the matcher has to
// agree with. The program never uses it.
//
// The invariant to keep: what is translated here is Kibana's translation (kql.md §2), its defects
// included. Whoever finds the program to differ from Kibana on purpose says so in the test that
// compares them, not here.
package kuerydsl
