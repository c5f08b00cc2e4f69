// Package bench measures what the pre-filter saves a cluster, on a real server with a million
// events.
//
// It holds no code of the program: `make bench` runs it, docs/benchmarks.md says how to read what
// it prints. Its peer is the rule as Elasticsearch's EQL would search for it (package pushdown). A
// benchmark fails where the two ways do not find the same events; it never fails for being slow,
// since no time is the same on two machines.
package bench
