// Package prefilter turns a rule's condition into query DSL that Elasticsearch evaluates cheaply.
//
// The result accepts every event that the matcher accepts, and more: it decides what is read, never
// what is alerted. It keeps the conjuncts that the index answers by looking up exact terms, and
// leaves leading wildcards, negations and whatever the mapping makes uncertain to the matcher; each
// thing left out is named with its reason. It is built for one class of mappings at a time and put
// together with guards on `_index`, since one clause on the wrong type fails a whole shard.
//
// The package sends nothing: package detect does. Whoever changes it keeps the one-sided promise
// "matcher accepts ⇒ pre-filter accepts"; TestSuperset holds it on a real server.
package prefilter
