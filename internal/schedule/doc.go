// Package schedule decides when a rule's events are searched and keeps account of what has been.
//
// The account is the ledger, one document a rule in the state index: the intervals of time that are
// covered. What is wanted and not covered is a gap, and a run closes gaps: the live window first,
// then the rest from its oldest end, in pieces. [Runner] performs a run; [Poll] repeats it on a
// cron schedule. Package detect takes a window from the cluster to signals.
//
// The invariant to keep: an interval enters the ledger only when every page of it was read, every
// candidate judged and every signal acknowledged by the cluster; what an index failed to answer is
// kept open for that index. A crash at any moment may repeat work, never skip it.
package schedule
