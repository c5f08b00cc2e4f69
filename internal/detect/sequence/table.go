package sequence

import "iter"

// table holds what is pending of each key, and which key was used the longest ago. Its entries are
// in pages, so that a million keys are neither copied nor allocated one by one.
type table[V any] struct {
	byKey          map[string]int32
	bytes          int // of the keys
	pages          [][]entry[V]
	made           int32 // the entries of the pages that were used once; number 0 is none
	free           int32
	oldest, newest int32
}

type entry[V any] struct {
	key          string
	used         int64
	older, newer int32 // a free entry's older is the next free one
	value        V
}

const pageSize = 1 << 10

func newTable[V any]() *table[V] { return &table[V]{byKey: map[string]int32{}} }

func (t *table[V]) len() int { return len(t.byKey) }

func (t *table[V]) entry(i int32) *entry[V] { return &t.pages[i/pageSize][i%pageSize] }

// find returns the number of a key's entry and its value, or 0 and nil.
func (t *table[V]) find(key []byte) (int32, *V) {
	i := t.byKey[string(key)]
	if i == 0 {
		return 0, nil
	}
	return i, &t.entry(i).value
}

// use returns the value of a key, a new one where there is none, and makes it the newest.
func (t *table[V]) use(key []byte, at int64) *V {
	i := t.byKey[string(key)]
	if i == 0 {
		i = t.unused()
		e := t.entry(i)
		e.key = string(key)
		t.byKey[e.key] = i
		t.bytes += len(e.key)
	} else {
		t.unlink(i)
	}
	e := t.entry(i)
	e.used, e.older, e.newer = at, t.newest, 0
	if t.newest != 0 {
		t.entry(t.newest).newer = i
	} else {
		t.oldest = i
	}
	t.newest = i
	return &e.value
}

func (t *table[V]) unused() int32 {
	if i := t.free; i != 0 {
		t.free = t.entry(i).older
		return i
	}
	t.made++
	if int(t.made/pageSize) == len(t.pages) {
		t.pages = append(t.pages, make([]entry[V], pageSize))
	}
	return t.made
}

func (t *table[V]) unlink(i int32) {
	e := t.entry(i)
	if e.older != 0 {
		t.entry(e.older).newer = e.newer
	} else {
		t.oldest = e.newer
	}
	if e.newer != 0 {
		t.entry(e.newer).older = e.older
	} else {
		t.newest = e.older
	}
}

func (t *table[V]) remove(i int32) {
	t.unlink(i)
	e := t.entry(i)
	delete(t.byKey, e.key)
	t.bytes -= len(e.key)
	*e = entry[V]{older: t.free}
	t.free = i
}

// before iterates over the entries that were last used before a moment, the oldest first. The
// caller removes each.
func (t *table[V]) before(at int64) iter.Seq2[int32, *V] {
	return func(yield func(int32, *V) bool) {
		for t.oldest != 0 && t.entry(t.oldest).used < at {
			if !yield(t.oldest, &t.entry(t.oldest).value) {
				return
			}
		}
	}
}
