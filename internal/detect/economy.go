package detect

import (
	"context"
	"fmt"
	"sync"
)

// economy is whether it is cheaper to read every event of a window than to search for what the
// pre-filters of a group accept, by what the searches before saw.
type economy struct {
	mu   sync.Mutex
	why  string // all events are read, empty where they are not
	left int    // how many searches that holds for
}

const (
	// leastMeasured is how many candidates a search has at least for its cost to matter.
	leastMeasured = 1000
	// measuredFor is how many searches are made before the cost is looked at again.
	measuredFor = 12
	// mostOfEvents is how many times the candidates all events are at most where these are read:
	// an event that is read and refused costs less than hundreds of clauses.
	mostOfEvents = 2
)

// whole says why all events of the next window are to be read.
func (e *economy) whole() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.left--; e.left < 0 {
		e.why = ""
	}
	return e.why
}

// due reports whether the cost of a search is to be looked at.
func (e *economy) due() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.left <= 0
}

func (e *economy) decide(why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.why, e.left = why, measuredFor
}

// measure compares the candidates of a search with the events of its window, and decides how the
// next ones are made. Both ways find the same: where it cannot be asked, nothing changes.
func (c *Coverer) measure(ctx context.Context, g *Group, t Target, p plan, candidates int) {
	if len(g.detections) < 2 || candidates < leastMeasured || p.count() < 1 ||
		p.whole != "" && len(p.searches) == 1 || len(t.Only) > 0 || !g.economy.due() {
		return
	}
	events, err := c.Cluster.Count(ctx, t.Patterns, p.every)
	if err != nil || len(events.Failures) > 0 {
		c.Log.Debug("the events of a window could not be counted; its searches stay as they are",
			"rule", g.name(), "error", err)
		return
	}
	why := ""
	if int64(candidates)*mostOfEvents >= events.Documents {
		why = fmt.Sprintf("the pre-filters of %d rules found %d candidates among %d events",
			len(g.detections), candidates, events.Documents)
	}
	g.economy.decide(why)
}

// count is how many searches are made.
func (p plan) count() (n int) {
	for _, one := range p.searches {
		n += len(one.searches)
	}
	return n
}
