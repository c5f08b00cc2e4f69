package report

import (
	"fmt"
	"slices"
	"time"
)

// severities in the order in which they are stacked and listed.
var severities = [...]string{"critical", "high", "medium", "low", "other"}

func severityNumber(s string) int {
	if i := slices.Index(severities[:], s); i >= 0 {
		return i
	}
	return len(severities) - 1
}

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// widths are how many seconds a bar of the timeline may stand for, each a multiple of the one
// before.
var widths = [...]int64{
	1, 5, 15, minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour,
	day, 7 * day, 28 * day, 364 * day, 3_640 * day, 364_000 * day,
}

// The bars that are kept while counting, and those that the page shows.
const (
	manyBuckets = 4096
	manyBars    = 90
)

// timeline counts signals by time. When there are too many buckets they become wider, so it stays
// small.
type timeline struct {
	width   int // of widths
	buckets map[int64]*bucket
	untimed int
}

type bucket [len(severities)]int

func newTimeline() *timeline { return &timeline{buckets: map[int64]*bucket{}} }

func (t *timeline) add(at time.Time, severity int) {
	if at.IsZero() {
		t.untimed++
		return
	}
	t.at(at.Unix())[severity]++
	for len(t.buckets) > manyBuckets && t.width < len(widths)-1 {
		t.widen()
	}
}

func (t *timeline) at(second int64) *bucket {
	width := widths[t.width]
	n := second / width
	if second%width < 0 {
		n--
	}
	b := t.buckets[n]
	if b == nil {
		b = &bucket{}
		t.buckets[n] = b
	}
	return b
}

func (t *timeline) widen() {
	old, width := t.buckets, widths[t.width]
	t.buckets = map[int64]*bucket{}
	t.width++
	for n, counts := range old {
		into := t.at(n * width)
		for i, c := range counts {
			into[i] += c
		}
	}
}

// bar is one step of the timeline with its place in a drawing of 1000 by 100 units.
type bar struct {
	Start, End time.Time
	Signals    int
	Counts     []int // by severity
	Pieces     []piece
}

type piece struct {
	Severity         string
	X, Y, Wide, High string
}

// bars gives every step from the first signal to the last, and how many the largest has.
func (t *timeline) bars() (bars []bar, most int) {
	if len(t.buckets) == 0 {
		return nil, 0
	}
	first, last := t.ends()
	for last-first >= manyBars && t.width < len(widths)-1 {
		t.widen()
		first, last = t.ends()
	}
	width := widths[t.width]
	for n := first; n <= last && len(bars) < manyBars; n++ {
		b := bar{Start: time.Unix(n*width, 0).UTC(), End: time.Unix((n+1)*width, 0).UTC(),
			Counts: make([]int, len(severities))}
		if counts := t.buckets[n]; counts != nil {
			copy(b.Counts, counts[:])
		}
		for _, c := range b.Counts {
			b.Signals += c
		}
		most = max(most, b.Signals)
		bars = append(bars, b)
	}
	draw(bars, most)
	return bars, most
}

func (t *timeline) ends() (first, last int64) {
	started := false
	for n := range t.buckets {
		if !started {
			first, last, started = n, n, true
		}
		first, last = min(first, n), max(last, n)
	}
	return first, last
}

// draw stacks the severities, the gravest at the bottom.
func draw(bars []bar, most int) {
	step := 1000 / float64(len(bars))
	wide := min(step*0.82, 24)
	for i := range bars {
		top := 100.0
		for s, c := range bars[i].Counts {
			if c == 0 {
				continue
			}
			high := 100 * float64(c) / float64(most)
			top -= high
			bars[i].Pieces = append(bars[i].Pieces, piece{
				Severity: severities[s], X: units(step*(float64(i)+0.5) - wide/2), Y: units(top),
				Wide: units(wide), High: units(high),
			})
		}
	}
}

func units(f float64) string { return fmt.Sprintf("%.2f", f) }
