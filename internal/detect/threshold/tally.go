package threshold

import "slices"

// tally is what is counted for one key: the events that may become a burst, or a burst.
type tally struct {
	// pending are the events that no burst has, of the last span; none while there is a burst.
	pending  []pending
	distinct []map[string]int // by field of the cardinality: how many events have each value
	count    int
	last     int64
	isBurst  bool
	from     int64 // of the burst
	inWindow bool  // an event of the burst is in the window
}

type pending struct {
	at       int64
	distinct [][]string
}

func newTally(fields int) *tally {
	return &tally{distinct: make([]map[string]int, fields)}
}

// reaches reports whether the events are as many as the plan asks.
func (t *tally) reaches(p *Plan) bool {
	if t.count < p.Value {
		return false
	}
	for i, c := range p.Cardinality {
		if len(t.distinct[i]) < c.Value {
			return false
		}
	}
	return true
}

// add counts an event, and returns by how much the tally has grown.
func (t *tally) add(at int64, distinct [][]string) (grown int) {
	t.count++
	t.last = at
	for i, values := range distinct {
		if t.distinct[i] == nil {
			t.distinct[i] = map[string]int{}
		}
		for _, value := range values {
			if t.distinct[i][value]++; t.distinct[i][value] == 1 {
				grown += weight(value)
			}
		}
	}
	return grown
}

// addPending counts an event until the span is over, and returns by how much the tally has grown.
func (t *tally) addPending(at int64, distinct [][]string) (grown int) {
	t.pending = append(t.pending, pending{at, distinct})
	return 1 + t.add(at, distinct)
}

// forget takes out the events that are not after a time, and returns by how much the tally has
// shrunk.
func (t *tally) forget(until int64) (shrunk int) {
	n := 0
	for n < len(t.pending) && t.pending[n].at <= until {
		for i, values := range t.pending[n].distinct {
			for _, value := range values {
				if t.distinct[i][value]--; t.distinct[i][value] == 0 {
					delete(t.distinct[i], value)
					shrunk += weight(value)
				}
			}
		}
		n++
	}
	t.count -= n
	clear(t.pending[:n])
	t.pending = t.pending[n:]
	return shrunk + n
}

// becomeBurst makes a burst of the pending events, in a window, and returns by how much the tally
// has shrunk.
func (t *tally) becomeBurst(from, to int64) (shrunk int) {
	t.isBurst, t.from = true, t.pending[0].at
	t.inWindow = slices.ContainsFunc(t.pending, func(p pending) bool {
		return from <= p.at && p.at < to
	})
	shrunk = len(t.pending)
	t.pending = nil
	return shrunk
}

// size is what the tally holds beside its key.
func (t *tally) size() int {
	n := len(t.pending)
	for _, values := range t.distinct {
		for value := range values {
			n += weight(value)
		}
	}
	return n
}
