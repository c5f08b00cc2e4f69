package detect

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"esrule/internal/detect/indicator"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
)

// economy is what was found out about the cost of a group's searches: whether it is cheaper to read
// every event of a window than to search for what the pre-filters accept.
type economy struct {
	mu     sync.Mutex
	why    string        // all events are read; empty where they are not
	left   int           // how many searches that holds for
	events int64         // of the window that it was decided for
	length time.Duration // of that window, where it holds for no longer one; 0 is any
}

const (
	// decidedFor is how many searches are made before the cost is looked at again.
	decidedFor = 12
	// A page of a search costs the server for each of its clauses as much as a few events that it
	// hands out, and a candidate as much as two, its share of the page's clauses included.
	eventsOfClause    = 4
	eventsOfCandidate = 2
	// fewClauses cost too little to ask what is cheaper.
	fewClauses = 100
)

// known returns what was decided for a window of some length.
func (e *economy) known(length time.Duration) (why string, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.left <= 0 || e.length > 0 && length/2 > e.length {
		return "", false
	}
	e.left--
	return e.why, true
}

// decide keeps a decision. isFew says that it holds for windows with few events.
func (e *economy) decide(why string, events int64, length time.Duration, isFew bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.why, e.left, e.events, e.length = why, decidedFor, events, 0
	if isFew {
		e.length = length
	}
}

// saw forgets a decision for whole windows where one had many more events than that of the
// decision.
func (e *economy) saw(events int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why != "" && events > 4*e.events {
		e.left = 0
	}
}

// choose lays the search of the target out in the cheaper way. Both find the same.
func (c *Coverer) choose(ctx context.Context, g *Group, t Target, classes []search.Class,
	indicators []*indicator.Set) plan {
	lay := func(whole string) plan {
		return g.plan(classes, t.Timestamps, t.Window, c.Own, whole,
			known{indicators: indicators})
	}
	if len(g.detections) < 2 || len(t.Only) > 0 {
		return lay("")
	}
	length := t.Window.Length()
	if t.Window.Unbounded() || t.Window.From.IsZero() {
		length = math.MaxInt64
	}
	if why, ok := g.economy.known(length); ok {
		return lay(why)
	}
	p := lay("")
	clauses := 0
	for _, one := range p.searches {
		clauses += one.request.Leaves()
	}
	if clauses < fewClauses || p.whole != "" && len(p.searches) == 1 {
		return p
	}
	if why := c.decide(ctx, g, t, p, clauses, length); why != "" {
		return lay(why)
	}
	return p
}

// decide counts the events of a window, and the candidates among them where there are many, and
// says why all of them are to be read; empty where they are not.
func (c *Coverer) decide(ctx context.Context, g *Group, t Target, p plan, clauses int,
	length time.Duration) string {
	count := func(query dsl.Clause) int64 {
		counted, err := c.Cluster.Count(ctx, t.Patterns, query)
		if err != nil || len(counted.Failures) > 0 {
			c.Log.Debug("the events of a window could not be counted: it is searched with "+
				"pre-filters", "rule", g.name(), "error", err)
			return -1
		}
		return counted.Documents
	}
	events, candidates, why := count(p.every), int64(0), ""
	isFew := events >= 0 && events <= int64(eventsOfClause*clauses)
	if isFew {
		why = fmt.Sprintf("reading %d events costs less than a search with %d clauses", events,
			clauses)
	}
	for i := 0; i < len(p.searches) && events >= 0 && why == ""; i++ {
		candidates += max(count(p.searches[i].request), 0)
		if events <= eventsOfCandidate*candidates+int64(eventsOfClause*clauses) {
			why = fmt.Sprintf("the pre-filters of %d rules accept most of %d events",
				len(g.detections), events)
		}
	}
	g.economy.decide(why, events, length, isFew)
	return why
}

// count is how many searches are made.
func (p plan) count() (n int) {
	for _, one := range p.searches {
		n += len(one.searches)
	}
	return n
}
