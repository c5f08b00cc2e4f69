// Package signal makes what is written about a match: its document, its identity, and the smaller
// forms of the document for an index that refuses the whole one. It reads the event back out of a
// document too (EventOf). It does no I/O and knows no server: package sink writes signals, scan
// prints them, report reads them.
//
// The invariant: an event's identity never changes from one release to the next, or everything that
// was alerted is alerted again. TestIdentityIsFixed and TestSecondIdentityIsFixed hold it.
package signal
