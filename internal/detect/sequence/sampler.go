package sequence

import "slices"

// sampler finds the samples. Of each key and stage it keeps the latest events, as many as there are
// stages: where a sample is possible at all, it is with these.
type sampler[E any] struct {
	judge  *Judge[E]
	plan   *Plan
	table  *table[sample[E]]
	events int
	number int // of the event
}

// sample is what is pending of one key: by stage, the latest events in their order.
type sample[E any] struct{ stages [][]candidate[E] }

type candidate[E any] struct {
	number int
	at     int64
	event  E
}

func newSampler[E any](j *Judge[E]) *sampler[E] {
	return &sampler[E]{judge: j, plan: j.plan, table: newTable[sample[E]]()}
}

func (s *sampler[E]) size() (keys, events int) { return s.table.len(), s.events }

func (s *sampler[E]) keyBytes() int { return s.table.bytes }

func (s *sampler[E]) advance(now int64) {
	for i, p := range s.table.before(now - int64(s.plan.span)) {
		for _, list := range p.stages {
			s.events -= len(list)
		}
		s.table.remove(i)
	}
}

func (s *sampler[E]) see() bool {
	s.number++
	// stages may have keys of their own: those of an event are looked at together
	stages := map[string][]int{}
	var keys []string
	for i, st := range s.plan.steps {
		if !s.judge.accepts(st.query) {
			continue
		}
		combinations := s.judge.combine(st.keys)
		if combinations == nil {
			return false
		}
		for k := range combinations.len() {
			key := string(combinations.at(k))
			if stages[key] == nil {
				keys = append(keys, key)
			}
			stages[key] = append(stages[key], i)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if s.judge.isFull() {
			s.judge.full()
			return false
		}
		s.take(key, stages[key])
	}
	return true
}

// take adds an event to the stages of a key that it fits.
func (s *sampler[E]) take(key string, stages []int) {
	e := &s.judge.sight
	p := s.table.use([]byte(key), e.at)
	if p.stages == nil {
		p.stages = make([][]candidate[E], len(s.plan.steps))
	}
	for i, list := range p.stages {
		p.stages[i] = slices.DeleteFunc(list, func(c candidate[E]) bool {
			return e.at-c.at > int64(s.plan.span)
		})
		s.events -= len(list) - len(p.stages[i])
	}
	before := p.choose()
	for _, i := range stages {
		p.stages[i] = append(p.stages[i], candidate[E]{s.number, e.at, e.value()})
		s.events++
		if len(p.stages[i]) > len(p.stages) {
			p.stages[i] = slices.Delete(p.stages[i], 0, 1)
			s.events--
		}
	}
	if before != nil {
		return
	}
	chosen := p.choose()
	if chosen == nil {
		return
	}
	m := Match[E]{Keys: decodeKeys(key), At: moment(e.at)}
	for i, c := range chosen {
		m.Events = append(m.Events, Taken[E]{Stage: s.plan.steps[i].stage, At: moment(c.at),
			Event: c.event})
	}
	s.judge.emit(m)
}

// choose returns a different event for each stage: the latest possible for the first, then for the
// second and so on; nil where there are none.
func (p *sample[E]) choose() []candidate[E] {
	lists := make([][]candidate[E], len(p.stages))
	copy(lists, p.stages)
	if !assignable(lists) {
		return nil
	}
	chosen := make([]candidate[E], len(lists))
	for i, list := range p.stages {
		for _, c := range slices.Backward(list) {
			lists[i] = []candidate[E]{c}
			if assignable(lists) {
				chosen[i] = c
				break
			}
		}
	}
	return chosen
}

// assignable reports whether each list can have an event of its own: a matching in a bipartite
// graph, by augmenting paths.
func assignable[E any](lists [][]candidate[E]) bool {
	taken := map[int]int{} // event → list
	var assign func(i int, tried map[int]bool) bool
	assign = func(i int, tried map[int]bool) bool {
		for _, c := range lists[i] {
			if tried[c.number] {
				continue
			}
			tried[c.number] = true
			owner, isTaken := taken[c.number]
			if !isTaken || assign(owner, tried) {
				taken[c.number] = i
				return true
			}
		}
		return false
	}
	for i := range lists {
		if !assign(i, map[int]bool{}) {
			return false
		}
	}
	return true
}
