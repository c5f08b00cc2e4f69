package detect

import (
	"time"

	"esrule/internal/query/rule"
)

// LeastOverlap is how far every search reaches back before what is not covered yet: shards make
// documents visible each at its own time, so a search at 12:00 can miss an event stamped 11:59.
const LeastOverlap = 4 * time.Minute

// Overlap is how long before an uncovered interval its search starts: what the rule looks back
// beyond its own interval, or LeastOverlap. A rule that counts events places them when they
// happened, and so looks for those that came late as far back as it looks.
func Overlap(r *rule.Rule) time.Duration {
	if _, ok := r.Body.(*rule.ThresholdQuery); ok {
		return max(r.From, LeastOverlap)
	}
	return max(r.From-r.Interval, LeastOverlap)
}
