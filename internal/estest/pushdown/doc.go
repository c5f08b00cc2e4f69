// Package pushdown says a rule's condition in the query DSL that Elasticsearch's own EQL would run
// for it.
//
// It is the second opinion of tests and the peer of the benchmark: the server's answer to such a
// query is what the matcher has to agree with, and the time that it takes is what the pre-filter
// saves. The program never uses it.
//
// What Elasticsearch would run as a script, fold away before it searches, or refuse by the field's
// type is refused here with an error that names it; so is a constant that has to be computed.
// Rewritings that change neither the answer nor the cost are left out (Elasticsearch joins `a == 1
// or a == 2` into one terms query).
//
// The invariant to keep: what is translated here is Elasticsearch's translation, its defects
// included (the constants of endsWith and stringContains reach the wildcard query unescaped).
// Whoever finds the program to differ from Elasticsearch on purpose says so in the test that
// compares them, not here.
package pushdown
