package backfill

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A page that takes much longer than pages do as a rule is followed by a rest as long as it took
// beyond.
func TestRest(t *testing.T) {
	p := NewPace(0)
	f := func(waited, want time.Duration) {
		t.Helper()
		if got := p.rest(waited); got < want-20*time.Millisecond || got > want {
			t.Errorf("behind a page of %s: got a rest of %s, want %s", waited, got, want)
		}
	}
	f(100*time.Millisecond, 0)
	f(120*time.Millisecond, 0)
	f(400*time.Millisecond, 0)
	f(2*time.Second, 1900*time.Millisecond)
	f(100*time.Millisecond, 0)
	f(5*time.Minute, longestRest)
}

// A cluster that is slow for good is not waited for as if it were in trouble for ever.
func TestRestLearns(t *testing.T) {
	p := NewPace(0)
	p.rest(100 * time.Millisecond)
	pages := 0
	for p.rest(2*time.Second) > 0 {
		if pages++; pages > 1000 {
			t.Fatal("still resting behind 1,000 pages that all took as long")
		}
	}
	if pages < 10 {
		t.Errorf("rested behind %d pages only", pages)
	}
}

// All workers together read no more than so many documents a second, also where a page holds more
// than that.
func TestMaxRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(1000)
		began := time.Now()
		for range 4 {
			if err := p.wait(t.Context(), 2500, time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("10,000 documents at 1,000 a second: took %s, want 9 to 10 s", took)
		}
	})
}

// Whoever asks for an end need not wait for a rest to be over.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(1)
		p.rest(time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.wait(ctx, 1, 20*time.Second); err == nil {
			t.Error("no error from a rest that was ended")
		}
		if err := p.wait(ctx, 100, time.Millisecond); err == nil {
			t.Error("no error from a limit that was ended")
		}
	})
}
