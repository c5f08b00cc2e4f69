// Command demo shows esrule at work on a real Elasticsearch, as `make demo` does.
//
// It starts a server, puts the sample events of six sources into it, builds esrule and runs it
// twice, and prints what was searched, what was found and why, and what was not and why not. It
// ends with an error where what esrule found is not what the samples say: whoever changes the demo
// keeps it a test of the whole path as much as a tour.
//
// A cluster that ESTEST_URL names belongs to others. There everything gets names of the demo's own
// and is deleted at the end.
package main
