package sequence

// chain is a sequence that is pending: its last event, and those before it.
type chain[E any] struct {
	before *chain[E]
	event  E
	at     int64
	// gap says what missing events there are before the event. Of the first event: the time of the
	// latest, or never. Of another: spoiled where this or an earlier one has some.
	gap int64
}

const spoiled = 1

// start returns the first event.
func (c *chain[E]) start() *chain[E] {
	for c.before != nil {
		c = c.before
	}
	return c
}

// pending is what is pending of one key. Most sequences have two stages, of which the first waits.
type pending[E any] struct {
	first *chain[E]
	more  *more[E] // nil where there are two stages and no missing events
}

type more[E any] struct {
	chains []*chain[E] // by the number of the last event, from the second on
	gaps   []gap       // by the number of the event before which they are
}

// chain returns the place of the sequence whose last event has the number i.
func (p *pending[E]) chain(i int) **chain[E] {
	if i == 0 {
		return &p.first
	}
	return &p.more.chains[i-1]
}

// sequencer is the state machine of a sequence. For each key it keeps at most one pending sequence
// for each number of events. A newer one takes the place of an older: its first event is later too,
// since an event always continues the newest. So what began before a window never hides what began
// in it.
type sequencer[E any] struct {
	judge   *Judge[E]
	plan    *Plan
	table   *table[pending[E]]
	waiting *waiting[E] // nil where the last event is one that is found
	events  int
}

func newSequencer[E any](j *Judge[E]) *sequencer[E] {
	s := &sequencer[E]{judge: j, plan: j.plan, table: newTable[pending[E]]()}
	if j.plan.trailing {
		s.waiting = newWaiting[E]()
	}
	return s
}

func (s *sequencer[E]) size() (keys, events int) {
	return s.table.len(), s.events
}

func (s *sequencer[E]) keyBytes() int { return s.table.bytes }

func (s *sequencer[E]) advance(now int64) {
	for i, p := range s.table.before(now - int64(s.plan.span)) {
		s.forget(p)
		s.table.remove(i)
	}
	if s.waiting == nil {
		return
	}
	for w := s.waiting.over(now); w != nil; w = s.waiting.over(now) {
		s.events -= len(s.plan.steps)
		s.judge.emit(s.match(w.chain, w.key, w.until))
	}
}

// see takes an event through all stages, the last one first: it takes one stage of a sequence.
func (s *sequencer[E]) see() bool {
	for _, a := range s.plan.absent {
		if s.judge.accepts(a.query) && !s.note(a) {
			return false
		}
	}
	for i := len(s.plan.steps) - 1; i >= 0; i-- {
		st := s.plan.steps[i]
		if !s.judge.accepts(st.query) {
			continue
		}
		keys := s.judge.combine(st.keys)
		if keys == nil {
			return false
		}
		for k := range keys.len() {
			if !s.step(i, keys.at(k)) {
				return false
			}
		}
	}
	return s.end()
}

// step takes an event as the one with the number i of a sequence.
func (s *sequencer[E]) step(i int, key []byte) bool {
	e := &s.judge.sight
	if i == 0 {
		return s.begin(key)
	}
	number, p := s.table.find(key)
	if p == nil {
		return true
	}
	place := p.chain(i - 1)
	before := *place
	if before == nil {
		return true
	}
	last := i == len(s.plan.steps)-1
	if !last && s.judge.isFull() {
		s.judge.full()
		return false
	}
	*place = nil
	s.events -= i
	if e.at-before.start().at <= int64(s.plan.span) {
		next := &chain[E]{before: before, event: e.value(), at: e.at, gap: never}
		if i > 1 && before.gap == spoiled || p.isSpoiled(i, before.at, e.at) {
			next.gap = spoiled
		}
		if last {
			s.complete(next, string(key))
		} else {
			s.put(p.chain(i), next, i)
		}
	}
	s.release(number, p)
	return true
}

// begin takes an event as the first of a sequence.
func (s *sequencer[E]) begin(key []byte) bool {
	e := &s.judge.sight
	if s.judge.isFull() {
		s.judge.full()
		return false
	}
	first := &chain[E]{event: e.value(), at: e.at, gap: never}
	if len(s.plan.steps) == 1 { // beside missing ones
		if _, p := s.table.find(key); p != nil && p.more != nil {
			first.gap = p.more.gaps[0].before(e.at)
		}
		s.complete(first, string(key))
		return true
	}
	p := s.use(key, e.at)
	if p.more != nil {
		first.gap = p.more.gaps[0].before(e.at)
	}
	s.put(&p.first, first, 0)
	return true
}

// use returns what is pending of a key, which is needed for the span from at on.
func (s *sequencer[E]) use(key []byte, at int64) *pending[E] {
	p := s.table.use(key, at)
	if steps := len(s.plan.steps); p.more == nil && (steps > 2 || len(s.plan.absent) > 0) {
		p.more = &more[E]{chains: make([]*chain[E], max(steps-2, 0)), gaps: make([]gap, steps)}
		for i := range p.more.gaps {
			p.more.gaps[i] = gap{never, never}
		}
	}
	return p
}

func (s *sequencer[E]) put(place **chain[E], c *chain[E], i int) {
	if *place == nil {
		s.events += i + 1
	}
	*place = c
}

// end takes an event as the one until which sequences must be complete.
func (s *sequencer[E]) end() bool {
	until := s.plan.until
	if until == nil || !s.judge.accepts(until.query) {
		return true
	}
	keys := s.judge.combine(until.keys)
	if keys == nil {
		return false
	}
	for k := range keys.len() {
		if i, p := s.table.find(keys.at(k)); p != nil {
			s.forget(p)
			s.release(i, p)
		}
	}
	return true
}

// forget drops the pending sequences of a key.
func (s *sequencer[E]) forget(p *pending[E]) {
	for i := range max(len(s.plan.steps)-1, 0) {
		if place := p.chain(i); *place != nil {
			*place = nil
			s.events -= i + 1
		}
	}
}

// release removes a key of which nothing is pending. One with missing events before the first is
// kept for its span.
func (s *sequencer[E]) release(number int32, p *pending[E]) {
	if s.plan.leading {
		return
	}
	for i := range max(len(s.plan.steps)-1, 0) {
		if *p.chain(i) != nil {
			return
		}
	}
	s.table.remove(number)
}
