package sequence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// question is a sequence in the terms of the test: a stage is an event with a label.
type question struct {
	shared []string // key fields, an optional one with its ?
	span   int64    // in milliseconds
	open   bool     // the text has no maxspan: the span is the look-back
	stages []stage
	until  *stage
	sample bool
}

type stage struct {
	label   string
	missing bool
	runs    int
	keys    []string
}

// happening is an event in the terms of the test.
type happening struct {
	at     int64 // in milliseconds
	labels []string
	keys   map[string][]string // by field
}

func (h *happening) json() string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"s":["%s"]`, strings.Join(h.labels, `","`))
	for _, field := range keyFields {
		if values, ok := h.keys[field]; ok {
			fmt.Fprintf(&b, `,"%s":[null,"%s"]`, field, strings.Join(values, `","`))
		}
	}
	return b.String() + "}"
}

var keyFields = []string{"k", "l"}

func (q *question) String() string {
	var b strings.Builder
	b.WriteString(map[bool]string{true: "sample", false: "sequence"}[q.sample])
	writeKeys(&b, q.shared)
	if !q.open {
		fmt.Fprintf(&b, " with maxspan=%dms", q.span)
	}
	for _, s := range q.stages {
		b.WriteString(" " + s.String())
	}
	if q.until != nil {
		b.WriteString(" until " + q.until.String())
	}
	return b.String()
}

func (s *stage) String() string {
	var b strings.Builder
	if s.missing {
		b.WriteString("!")
	}
	fmt.Fprintf(&b, `[any where s == "%s"]`, s.label)
	writeKeys(&b, s.keys)
	if s.runs > 1 {
		fmt.Fprintf(&b, " with runs=%d", s.runs)
	}
	return b.String()
}

func writeKeys(b *strings.Builder, keys []string) {
	if len(keys) > 0 {
		b.WriteString(" by " + strings.Join(keys, ", "))
	}
}

func randomQuestion(random *rand.Rand) *question {
	q := &question{span: 1 + random.Int64N(12)}
	if random.IntN(2) == 0 {
		q.shared = append(q.shared, randomKey(random))
	}
	own := random.IntN(2)
	for range 1 + random.IntN(4) {
		q.stages = append(q.stages, randomStage(random, own))
	}
	events, found := 0, 0
	for i := range q.stages {
		q.stages[i].missing = random.IntN(4) == 0
		q.stages[i].runs = 1
		if random.IntN(6) == 0 {
			q.stages[i].runs = 2 + random.IntN(2)
		}
		events += q.stages[i].runs
		if !q.stages[i].missing {
			found++
		}
	}
	if events < 2 || found == 0 {
		return randomQuestion(random)
	}
	if random.IntN(4) == 0 {
		until := randomStage(random, own)
		q.until = &until
	}
	q.open = found == len(q.stages) && random.IntN(5) == 0
	return q
}

func randomSample(random *rand.Rand) *question {
	q := &question{span: 1 + random.Int64N(12), sample: true, open: true}
	shared := random.IntN(2)
	for range shared {
		q.shared = append(q.shared, randomKey(random))
	}
	own := 1 - shared + random.IntN(2)
	for range 2 + random.IntN(3) {
		q.stages = append(q.stages, randomStage(random, own))
	}
	return q
}

func randomStage(random *rand.Rand, own int) stage {
	s := stage{label: string("abc"[random.IntN(3)])}
	for range own {
		s.keys = append(s.keys, randomKey(random))
	}
	return s
}

func randomKey(random *rand.Rand) string {
	return []string{"k", "l", "?k", "?l"}[random.IntN(4)]
}

// randomHappenings makes events in order, some of the same time.
func randomHappenings(random *rand.Rand) []*happening {
	list := make([]*happening, 3+random.IntN(22))
	for i := range list {
		h := &happening{at: random.Int64N(30), keys: map[string][]string{}}
		for _, label := range []string{"a", "b", "c"} {
			if random.IntN(5) < 2 {
				h.labels = append(h.labels, label)
			}
		}
		for _, field := range keyFields {
			for range []int{0, 1, 1, 1, 1, 1, 2, 3}[random.IntN(8)] {
				h.keys[field] = append(h.keys[field], string("xy"[random.IntN(2)]))
			}
		}
		list[i] = h
	}
	slices.SortStableFunc(list, func(a, b *happening) int { return int(a.at - b.at) })
	return list
}

// answer is a sequence that was found: the numbers of its events.
type answer struct {
	at     int64
	events []int
	key    string
}

func (a answer) String() string { return fmt.Sprintf("%d: %v by %s", a.at, a.events, a.key) }

// definition is the slow truth: for each event, what Elasticsearch's EQL returns for it over the
// span before it. Like Elasticsearch it goes through the events once a stage, and looks for missing
// events when all others are found.
func definition(q *question, events []*happening) []answer {
	if q.sample {
		return sampleDefinition(q, events)
	}
	var all []answer
	steps, _ := q.steps()
	for i, e := range events {
		for _, key := range q.keysOf(e, steps[len(steps)-1]) {
			found := q.find(events, i, key)
			if found == nil {
				continue
			}
			if at, ok := q.decide(events, found, key); ok {
				all = append(all, answer{at, found, key})
			}
		}
	}
	return all
}

// steps returns the stages that must be found, repeated by their runs, and for each missing stage
// the number of steps before it.
func (q *question) steps() (found []stage, missing map[int][]stage) {
	missing = map[int][]stage{}
	for _, s := range q.stages {
		if s.missing {
			missing[len(found)] = append(missing[len(found)], s)
			continue
		}
		for range s.runs {
			found = append(found, s)
		}
	}
	return found, missing
}

// keysOf returns the keys with which an event takes a stage; none where it does not.
func (q *question) keysOf(e *happening, s stage) []string {
	if !slices.Contains(e.labels, s.label) {
		return nil
	}
	keys := []string{""}
	for _, field := range slices.Concat(q.shared, s.keys) {
		name, optional := strings.CutPrefix(field, "?")
		values := slices.Compact(slices.Sorted(slices.Values(e.keys[name])))
		if len(values) == 0 && optional {
			values = []string{"-"}
		}
		var next []string
		for _, key := range keys {
			for _, value := range values {
				next = append(next, key+"/"+value)
			}
		}
		keys = next
	}
	return keys
}

func (q *question) takes(e *happening, s stage, key string) bool {
	return slices.Contains(q.keysOf(e, s), key)
}

// find returns the sequence of a key that the event with the number last completes.
func (q *question) find(events []*happening, last int, key string) []int {
	steps, _ := q.steps()
	from := events[last].at - q.span
	var group [][]int // the sequences that reached the stage before
	for at, s := range steps {
		var reached [][]int
		for i := 0; i <= last; i++ {
			if events[i].at < from || !q.takes(events[i], s, key) {
				continue
			}
			if at == 0 {
				reached = append(reached, []int{i})
				continue
			}
			// the latest that ends before the event; it and those before are used up
			n := len(group)
			for n > 0 && group[n-1][at-1] >= i {
				n--
			}
			if n == 0 {
				continue
			}
			before := group[n-1]
			group = group[n:]
			if events[i].at-events[before[0]].at > q.span || q.ended(events, before[at-1], i, key) {
				continue
			}
			reached = append(reached, append(slices.Clone(before), i))
		}
		group = reached
	}
	for _, found := range group {
		if found[len(found)-1] == last {
			return found
		}
	}
	return nil
}

// ended reports whether an event of until is between two events, or is the first of them.
func (q *question) ended(events []*happening, from, to int, key string) bool {
	for i := from; i < to && q.until != nil; i++ {
		if q.takes(events[i], *q.until, key) {
			return true
		}
	}
	return false
}

// decide looks for missing events, and returns when the answer was known.
func (q *question) decide(events []*happening, found []int, key string) (at int64, ok bool) {
	_, missing := q.steps()
	first, last := events[found[0]].at, events[found[len(found)-1]].at
	for i := 1; i < len(found); i++ {
		if q.anyOf(events, missing[i], key, events[found[i-1]].at, events[found[i]].at) != nil {
			return 0, false
		}
	}
	leading, trailing := missing[0], missing[len(found)]
	start := first
	if leading != nil {
		before := q.anyOf(events, leading, key, last-q.span-1, first)
		if before == nil {
			return last, true
		}
		if trailing == nil {
			return 0, false
		}
		start = slices.Max(before)
	}
	if trailing == nil {
		return last, true
	}
	after := q.anyOf(events, trailing, key, last, start+q.span+1)
	return start + q.span, after == nil
}

// anyOf returns the times of the events of missing stages between two times.
func (q *question) anyOf(events []*happening, stages []stage, key string, after,
	before int64) []int64 {
	var times []int64
	for _, s := range stages {
		for _, e := range events {
			if after < e.at && e.at < before && q.takes(e, s, key) {
				times = append(times, e.at)
			}
		}
	}
	return times
}

// sampleDefinition is the slow truth of samples: those that an event makes possible, over the span
// before it. The latest events are chosen, for the first stage first.
func sampleDefinition(q *question, events []*happening) []answer {
	var all []answer
	for i, e := range events {
		keys := map[string]bool{}
		for _, s := range q.stages {
			for _, key := range q.keysOf(e, s) {
				keys[key] = true
			}
		}
		for key := range keys {
			if q.choose(events, i-1, e.at, key, nil) != nil {
				continue
			}
			if chosen := q.choose(events, i, e.at, key, nil); chosen != nil {
				all = append(all, answer{e.at, chosen, key})
			}
		}
	}
	return all
}

// choose returns a different event for each stage, of those up to the last; nil where there are
// none.
func (q *question) choose(events []*happening, last int, now int64, key string,
	before []int) []int {
	if len(before) == len(q.stages) {
		return before
	}
	for i := last; i >= 0 && events[i].at >= now-q.span; i-- {
		if slices.Contains(before, i) || !q.takes(events[i], q.stages[len(before)], key) {
			continue
		}
		if all := q.choose(events, last, now, key, append(slices.Clone(before), i)); all != nil {
			return all
		}
	}
	return nil
}

func moment(ms int64) time.Time { return time.UnixMilli(1_700_000_000_000 + ms).UTC() }
