package schedule

import (
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

const (
	// longestPiece is how much of a long gap is searched at once, until pieces have shown to be
	// cheap or dear. After each piece the ledger is written, and the live window has its turn where
	// it is due.
	longestPiece = time.Hour
	// leastPiece is how short a piece of a gap becomes where pieces are dear.
	leastPiece = 15 * time.Minute
)

// reading is the window that is searched to cover an interval.
func reading(r *rule.Rule, i span.Interval) span.Interval {
	return span.Interval{From: i.From.Add(-detect.Overlap(r)), To: i.To}
}

// turn is what a run has just searched.
type turn uint8

const (
	nothingYet turn = iota
	liveWindow
	gap
)

// nextPiece returns what a run covers next: the live window where it is due, then the gaps from the
// oldest end. The live window is due at the start of a run and whenever an interval of the rule has
// passed since, but never twice in a row: where one takes longer than the interval, the gaps have
// their turn between, and a run ends. After the first it reaches back to the one before, however
// long the turn was: else each would leave a gap, and a run of long turns would not end. What
// failed as a whole has turns of its own. length is how long the piece of a gap is. ok is false
// where nothing is left.
func nextPiece(l *Ledger, r *rule.Rule, now time.Time, before turn,
	length time.Duration) (piece span.Interval, ok bool) {
	gaps := l.Gaps(now).Minus(l.sickTime()...)
	if len(gaps) == 0 {
		return span.Interval{}, false
	}
	live := gaps[len(gaps)-1]
	if live.To.Equal(now) {
		most := liveLength(r)
		if before == gap {
			most = max(most, length)
		}
		if before == nothingYet || before == gap && live.Length() >= r.Interval {
			return span.New(span.Later(live.From, now.Add(-most)), now), true
		}
		gaps = gaps[:len(gaps)-1]
	}
	if len(gaps) == 0 {
		return span.Interval{}, false
	}
	oldest := gaps[0]
	return span.New(oldest.From, span.Earlier(oldest.To, oldest.From.Add(length))), true
}

// liveLength is how much of the newest time counts as live.
func liveLength(r *rule.Rule) time.Duration { return max(r.From, 2*r.Interval) }
