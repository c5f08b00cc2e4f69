// Package sink brings signals into the cluster, each once: in bulk requests that are retried, and
// in smaller forms where a whole document is refused. What a signal is, is in package signal; the
// indices that it is written to are set up by package indices. Package detect hands over signals;
// the schedule moves its ledger only after Write returned without an error.
//
// The invariant: Write returns nil only when each signal is in the cluster: created, found there
// already, written reduced or without its event, or kept as a dead letter.
package sink
