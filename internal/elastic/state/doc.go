// Package state keeps small JSON documents in the state index, each changed by compare-and-set, so
// that any number of instances may keep one: the ledgers of package schedule, the plans and slices
// of package backfill.
//
// It knows nothing of what the documents mean. Reads by id see the newest version, refreshed or
// not; only [Store.Search] sees what the index has refreshed.
package state
