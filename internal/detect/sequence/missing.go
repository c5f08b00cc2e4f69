package sequence

import (
	"container/heap"
	"math"
	"slices"
)

// never is the time of what did not happen.
const never = math.MinInt64

// gap is when the missing events of one place in a sequence were seen: the latest two times. Those
// at the very time of an event are neither before nor after it.
type gap struct{ latest, earlier int64 }

func (g *gap) note(at int64) {
	if at > g.latest {
		g.latest, g.earlier = at, g.latest
	}
}

// before returns the latest time before at, which is not in the past.
func (g *gap) before(at int64) int64 {
	if g.latest < at {
		return g.latest
	}
	return g.earlier
}

// isSpoiled reports whether a missing event is between the event with the number i and the one
// before it.
func (p *pending[E]) isSpoiled(i int, from, to int64) bool {
	return p.more != nil && p.more.gaps[i].before(to) > from
}

// note takes an event as one that must be missing.
func (s *sequencer[E]) note(a absent) bool {
	e := &s.judge.sight
	keys := s.judge.combine(a.keys)
	if keys == nil {
		return false
	}
	for k := range keys.len() {
		key := keys.at(k)
		switch {
		case a.gap == len(s.plan.steps):
			s.events -= s.waiting.discard(string(key), e.at) * len(s.plan.steps)
		case a.gap == 0:
			if s.judge.isFull() {
				s.judge.full()
				return false
			}
			s.use(key, e.at).more.gaps[0].note(e.at)
		default:
			if _, p := s.table.find(key); p != nil {
				p.more.gaps[a.gap].note(e.at)
			}
		}
	}
	return true
}

// complete is called with all events that must be found. Elasticsearch looks for missing ones only
// then: a sequence that is discarded for one has used up its events.
func (s *sequencer[E]) complete(c *chain[E], key string) {
	span, start := int64(s.plan.span), c.start()
	if c != start && c.gap == spoiled {
		return
	}
	from := start.at
	if s.plan.leading {
		from = start.gap
		if from != never && c.at-from > span {
			from = never // out of the window
		}
	}
	switch {
	case s.plan.leading && from == never, !s.plan.leading && !s.plan.trailing:
		s.judge.emit(s.match(c, key, c.at))
	case s.plan.trailing:
		s.waiting.add(&wait[E]{chain: c, key: key, until: from + span})
		s.events += len(s.plan.steps)
	}
}

func (s *sequencer[E]) match(c *chain[E], key string, at int64) Match[E] {
	m := Match[E]{Keys: decodeKeys(key), At: moment(at),
		Events: make([]Taken[E], len(s.plan.steps))}
	for i := len(s.plan.steps) - 1; i >= 0; i-- {
		m.Events[i] = Taken[E]{Stage: s.plan.steps[i].stage, At: moment(c.at), Event: c.event}
		c = c.before
	}
	return m
}

// wait is a sequence that is complete if no missing event of its key comes until a moment,
// inclusive.
type wait[E any] struct {
	chain  *chain[E]
	key    string
	until  int64
	number int // in the order of completion
	place  int // in the heap
}

// waiting holds the waits by key, and in a heap by their ends.
type waiting[E any] struct {
	byKey map[string][]*wait[E]
	heap  waitHeap[E]
	added int
}

func newWaiting[E any]() *waiting[E] { return &waiting[E]{byKey: map[string][]*wait[E]{}} }

func (w *waiting[E]) add(one *wait[E]) {
	one.number = w.added
	w.added++
	w.byKey[one.key] = append(w.byKey[one.key], one)
	heap.Push(&w.heap, one)
}

// discard drops the waits of a key whose last event is before a missing event, and returns how many
// there were.
func (w *waiting[E]) discard(key string, at int64) (dropped int) {
	kept := slices.DeleteFunc(w.byKey[key], func(one *wait[E]) bool {
		if one.chain.at >= at {
			return false
		}
		heap.Remove(&w.heap, one.place)
		dropped++
		return true
	})
	w.set(key, kept)
	return dropped
}

// over returns the next wait that ended before now, which waits no more, or nil.
func (w *waiting[E]) over(now int64) *wait[E] {
	if len(w.heap) == 0 || w.heap[0].until >= now {
		return nil
	}
	one := heap.Pop(&w.heap).(*wait[E])
	list := w.byKey[one.key]
	at := slices.Index(list, one)
	w.set(one.key, slices.Delete(list, at, at+1))
	return one
}

func (w *waiting[E]) set(key string, list []*wait[E]) {
	if len(list) == 0 {
		delete(w.byKey, key)
		return
	}
	w.byKey[key] = list
}

// waitHeap has the wait that ends first at its top.
type waitHeap[E any] []*wait[E]

func (h waitHeap[E]) Len() int { return len(h) }
func (h waitHeap[E]) Less(a, b int) bool {
	if h[a].until != h[b].until {
		return h[a].until < h[b].until
	}
	return h[a].number < h[b].number
}

func (h waitHeap[E]) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].place, h[b].place = a, b
}

// Push is called by package heap.
func (h *waitHeap[E]) Push(x any) {
	one := x.(*wait[E])
	one.place = len(*h)
	*h = append(*h, one)
}

// Pop is called by package heap.
func (h *waitHeap[E]) Pop() any {
	last := len(*h) - 1
	one := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return one
}
