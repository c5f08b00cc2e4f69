// Package report writes what a search came to as one HTML file that refers to nothing outside of
// itself: what was searched and what was not, when and where signals were, and each signal with its
// event and the parts of the rule that decided.
//
// Signals are added one by one, by any number of goroutines, and go to a spool on disk; in memory
// stay counts, and the names that are counted, both bounded. Finish puts the page together. The
// commands scan and backfill call it; it decides nothing and reads no cluster. [Report.AddScan] and
// [Report.AddBackfill] say in the page's terms what was searched and what was not.
//
// The invariant to keep: text of an event is data. It reaches the page escaped by html/template or
// packed as base64, the script makes text nodes of it and never markup, and the page's own policy
// forbids every other script and every request.
package report
