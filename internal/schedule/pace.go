package schedule

import (
	"errors"
	"time"

	"esrule/internal/elastic/search"
)

const (
	// A piece is cheap where it took less than cheapTime and had less than cheapCandidates, and
	// dear where it took longer than dearTime: then the live window waits too long for its turn.
	cheapTime       = 2 * time.Second
	cheapCandidates = 5_000
	dearTime        = time.Minute
)

// errTooDear ends the search of a piece that grew longer than it should have; it is no failure.
var errTooDear = errors.New("the piece takes too long")

// pace is how much time is searched at once: more while it is cheap, less where it was dear.
type pace struct {
	length, first, least, most time.Duration
}

func newPace(first, least time.Duration) pace {
	return pace{length: first, first: first, least: least, most: 24 * first}
}

// after learns from a piece that was covered.
func (p *pace) after(took time.Duration, candidates int) {
	switch {
	case took > dearTime:
		p.length = max(p.length/2, p.least)
	case took < cheapTime && candidates < cheapCandidates:
		p.length = min(p.length*2, p.most)
	}
}

// failed begins anew: the shorter a piece, the less a sick one keeps uncovered.
func (p *pace) failed() { p.length = min(p.length, p.first) }

// limit returns what is to be called for each page of a piece, so that one that grew takes no
// longer than a dear one; nil where the piece did not grow.
func (p *pace) limit(now func() time.Time) func(*search.Page) error {
	if p.length <= p.first {
		return nil
	}
	end := now().Add(dearTime)
	return func(*search.Page) error {
		if now().After(end) {
			return errTooDear
		}
		return nil
	}
}
