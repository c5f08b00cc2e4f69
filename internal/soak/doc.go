// Package soak runs the built binary on a real cluster of two nodes while everything fails that
// can.
//
// From a seed it makes a schedule: events, and faults with their times. It runs several instances
// of the program against the cluster, through toxiproxy and a gateway, and brings the faults about:
// instances killed, connections broken in every way, a node lost or hung, queues full, indices
// blocked, closed, deleted, replaced and rolled over, passwords rotated, events too large, answers
// incomplete, a signals index that refuses, clocks that jump. Then it makes the cluster well again,
// lets the program finish, and judges: the signals are exactly what the matcher finds when it reads
// every event itself, those of a sequence all together, each is there once, and no ledger has a
// gap. Of rules that judge several events together (new terms, threshold, indicator match,
// sequences with until and with missing events) they are those of the definition over all events.
//
// It has tests only. `make test` runs a few small rounds with fixed seeds, `make soak` as many as
// make 1,000 faults.
//
// The invariant to keep: no fault of the server, the network or a process is imitated; they really
// fail. Only the gateway's faults are made here: it refuses what is too large or has an old
// password, and withholds parts of answers.
package soak
