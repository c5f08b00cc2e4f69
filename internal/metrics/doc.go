// Package metrics is what an operator's monitoring sees of esrule: Prometheus metrics over HTTP or
// in a file, and whether the process is alive and ready.
//
// It decides nothing and asks the cluster nothing: the commands hand it what a run came to
// (schedule.Report) and what the ledgers say (schedule.Ledger), and it puts that into numbers. What
// a scrape costs does not depend on the cluster.
//
// The invariant to keep: a number is what its name says at the moment when it is read, or it is not
// there. A rule whose ledger was never read has no lag, and not a lag of 0; a process that lives
// for one run exports no counters, since they would begin at 0 each time. And no label or value
// comes from an event, an error or the configuration, so that no secret can be in one.
package metrics
