// Package e2e tests the built binary as a user runs it: a process with an environment, a command
// line and an exit code, against a real server.
//
// It holds the promises that no single package can keep: what is found is exactly what the matcher
// finds when it reads every event itself; a run that is killed anywhere loses and doubles nothing;
// bad input gets a clear message and an exit code that a script can act on. It has tests only;
// nobody imports it.
//
// The invariant to keep: nothing between the program and the server is imitated. What a test must
// bring about (a kill at the right moment, the order of searches) it does from a proxy that passes
// on what it was given.
package e2e
