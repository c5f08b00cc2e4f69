// Package estest gives tests, benchmarks and the demo a real Elasticsearch.
//
// It looks in three places, in this order: the cluster that ESTEST_URL names; a container, where a
// Docker engine answers and has the image or can fetch it; the server's own test distribution from
// Maven Central, started with Java. Options.Log says which was taken and why no container was.
// Nothing here imitates the server.
//
// A test calls [For] and gets a [Cluster]: the server that the whole test run shares, under index
// names that are the test's own and are deleted after it. A test that needs a server of its own
// (security, a setting) calls [Own]; one that needs a node to fail under it calls [OwnPair]. What
// is no test (the demo, the wrapper command with) calls [Start] and stops the server itself. A test
// that lets servers judge esrule calls [EachJudge]: beside that server it gets an OpenSearch for
// the field types which the test distribution lacks (the cluster that ESTEST_OPENSEARCH_URL names,
// or OpenSearch's test distribution).
//
// ESTEST_JAVA_OPTS adds to what a started server's Java is told. `make test` keeps Java from its
// second compiler, which costs more than it saves a server of a few minutes. A server's files are
// in memory (/dev/shm) where there is room, for it waits for a disk very often; ESTEST_FOLDER names
// another place.
//
// The invariant to keep: a server started here never outlives the process that started it, however
// that process ends.
package estest
