package elastic

import (
	"net/http"
	"strings"
	"time"
)

// patience is how long a request waits for an address that is alive, before another is asked as
// well.
type patience struct {
	// answer is for an answer to begin. A search may take a minute on a shard.
	answer time.Duration
	// again is the same for an address that left a request unanswered before.
	again time.Duration
	// body is for the next byte of an answer that has begun.
	body time.Duration
}

var usual = patience{answer: 75 * time.Second, again: 15 * time.Second, body: 20 * time.Second}

const (
	// stallsToLeave is after how many stalls in a row an address is left, for firstLeave, twice as
	// long each further time.
	stallsToLeave = 2
	firstLeave    = 2 * time.Minute
	longestLeave  = 15 * time.Minute
)

// stalls is the account of requests that an address took and left unanswered while it answered
// others: a node may answer questions and no search, or small answers and no large one. The
// question whether it is alive says nothing about that.
type stalls struct {
	inARow int
	kind   string    // of the last request
	bytes  int64     // that came of the answer to it
	until  time.Time // when the address is tried again
}

// kindOf is a request's method and what it asks for, such as "POST _search".
func kindOf(req *http.Request) string {
	for _, part := range strings.Split(req.URL.Path, "/") {
		if strings.HasPrefix(part, "_") {
			return req.Method + " " + part
		}
	}
	return req.Method
}

// stalled notes that an address left a request unanswered, after so many bytes of the answer. The
// log names the address: the rule that happened to ask is not to blame.
func (all *addresses) stalled(a *address, kind string, bytes int64, waited time.Duration) {
	a.mu.Lock()
	s := &a.stalls
	s.inARow++
	s.kind, s.bytes = kind, bytes
	leave := time.Duration(0)
	if s.inARow >= stallsToLeave {
		leave = min(firstLeave<<min(s.inARow-stallsToLeave, 8), longestLeave)
		s.until = time.Now().Add(leave)
	}
	a.mu.Unlock()
	all.log.Warn("an address of the cluster is alive and leaves a request unanswered; another is asked",
		"address", a.String(), "request", kind, "answer_bytes", bytes, "waited",
		waited.Round(time.Second),
		"left_for", leave)
}

// served notes that an answer was read to its end. It ends the stalls where it is more of an
// answer, to the same kind of request, than the one that stalled.
func (all *addresses) served(a *address, kind string, bytes int64) {
	a.mu.Lock()
	well := a.stalls.inARow > 0 && a.stalls.kind == kind && bytes > a.stalls.bytes
	if well {
		a.stalls = stalls{}
	}
	a.mu.Unlock()
	if well {
		all.log.Info("an address of the cluster answers such requests again",
			"address", a.String(), "request", kind)
	}
}

// isLeft reports whether an address is not asked for a while, since it left requests unanswered.
func (a *address) isLeft() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.stalls.until)
}

// hasStalled reports whether the last request of the kind that an address left unanswered was not
// followed by an answer.
func (a *address) hasStalled() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stalls.inARow > 0
}
