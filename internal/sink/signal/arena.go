package signal

// arena hands out pieces of memory that are given back all at once. The zero value is empty.
type arena[T any] struct {
	chunks [][]T
	chunk  int // that pieces are taken from
	used   int // of it
}

// take returns a slice of n values, which hold whatever was in them.
func (a *arena[T]) take(n int) []T {
	const usual = 64
	for a.chunk < len(a.chunks) && a.used+n > len(a.chunks[a.chunk]) {
		a.chunk, a.used = a.chunk+1, 0
	}
	if a.chunk == len(a.chunks) {
		a.chunks = append(a.chunks, make([]T, max(n, usual)))
	}
	a.used += n
	return a.chunks[a.chunk][a.used-n : a.used : a.used]
}

// keep returns a copy of values in the arena's memory, nil of none.
func (a *arena[T]) keep(values []T) []T {
	if len(values) == 0 {
		return nil
	}
	kept := a.take(len(values))
	copy(kept, values)
	return kept
}

// reset takes all pieces back. Memory beyond what usual events need is let go.
func (a *arena[T]) reset() {
	const most = 64
	a.chunks = a.chunks[:min(len(a.chunks), most)]
	a.chunk, a.used = 0, 0
}
