// Package sink turns a match into a signal and writes it into the alerts index, once per event.
//
// It gives the signal its identity (Identify), its document (NewSignal) and its place in the
// cluster (Writer), and it knows the mappings of the three indices that the program owns
// (Indices.Ensure). It decides neither what matches nor when to search: the schedule hands it
// matches and moves its ledger only after Write returned without an error; the scan command takes
// NewSignal alone and prints the documents.
//
// Two invariants to keep. An event's identity never changes from one release to the next, or
// everything that was alerted is alerted again: TestIdentityIsFixed pins it. And Write returns nil
// only when each signal is in the cluster: created, found there already, written reduced or without
// its event, or kept as a dead letter.
package sink
