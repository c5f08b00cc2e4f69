package search

import "esrule/internal/elastic"

// Failure is an index that was not searched whole, and why.
type Failure struct {
	Index  string
	Type   string // Elasticsearch's name for the error, or "timed_out"
	Reason string
}

// Forbidden is the Type of a Failure for want of a privilege.
const Forbidden = "security_exception"

// TimedOut is the Type of a Failure for want of time.
const TimedOut = "timed_out"

func failureOf(s elastic.ShardFailure) Failure {
	reason := s.Reason.Text()
	switch s.Reason.Type {
	case elastic.NoShardAvailable:
		reason = "a shard is not available: its node is down or the index is gone"
	case elastic.ContextMissing:
		reason = "a shard's point in time has expired"
	}
	return Failure{Index: s.Index, Type: s.Reason.Type, Reason: reason}
}

// failures collects each index with each kind of error once: a shard that fails, fails on every
// page.
type failures struct {
	list []Failure
	seen map[[2]string]bool
}

func (f *failures) add(one Failure) {
	if f.has(one) {
		return
	}
	if f.seen == nil {
		f.seen = map[[2]string]bool{}
	}
	f.seen[[2]string{one.Index, one.Type}] = true
	f.list = append(f.list, one)
}

func (f *failures) has(one Failure) bool { return f.seen[[2]string{one.Index, one.Type}] }
