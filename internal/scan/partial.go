package scan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// answer is an answer to a search, while its hits are given out.
type answer struct {
	line   int // on which its hits begin
	around int // how many containers are around it
	hits   int
	text   []byte // without its hits, and without what is deep behind them
}

// pages is what the answers of an input say of themselves. The pages of one search, in one input,
// are counted together.
type pages struct {
	why   []string // answers that are not whole, the first ones
	more  int      // others
	count map[int64]*searched
	order []int64
}

// searched are the pages whose search found one number of hits.
type searched struct {
	line, hits, last int
	atLeast          bool // the search stopped counting at that number
	ended            bool // a page that is shorter than the one before it was the last
}

// PartialError is an input that was read whole and holds answers that are not.
type PartialError struct{ Why string }

func (e *PartialError) Error() string { return e.Why }

// add notes an answer that was read to its end.
func (p *pages) add(a answer) {
	var said struct {
		TimedOut   bool  `json:"timed_out"`
		Terminated bool  `json:"terminated_early"`
		Partial    bool  `json:"is_partial"`
		Shards     tally `json:"_shards"`
		Clusters   tally `json:"_clusters"`
		Hits       struct {
			Total json.RawMessage `json:"total"`
		} `json:"hits"`
		// What wraps an answer: that of _async_search, and what Kibana shows.
		Response, RawResponse json.RawMessage
	}
	if json.Unmarshal(a.text, &said) != nil {
		p.doubt(a.line, "what it says of itself cannot be read")
		return
	}
	for _, inner := range []json.RawMessage{said.Response, said.RawResponse} {
		if len(inner) > 0 {
			p.add(answer{line: a.line, hits: a.hits, text: inner})
		}
	}
	if said.TimedOut {
		p.doubt(a.line, "it timed out (timed_out: true)")
	}
	if said.Terminated {
		p.doubt(a.line, "it ended before all was searched (terminated_early: true)")
	}
	if said.Partial {
		p.doubt(a.line, "the search was not done (is_partial: true)")
	}
	said.Shards.check(p, a.line, "shards")
	said.Clusters.check(p, a.line, "clusters")
	p.found(a, said.Hits.Total)
}

// tally is how many shards, or clusters, were asked and answered.
type tally struct {
	Total, Successful        *int64
	Failed, Partial, Running int64
}

func (t tally) check(p *pages, line int, what string) {
	answered := t.Total == nil || t.Successful == nil || *t.Successful >= *t.Total
	if t.Failed == 0 && t.Partial == 0 && t.Running == 0 && answered {
		return
	}
	missing := t.Failed
	if t.Total != nil && t.Successful != nil {
		missing = max(missing, *t.Total-*t.Successful)
	}
	p.doubt(line, fmt.Sprintf("%d %s did not answer", max(missing, t.Partial, t.Running), what))
}

// found counts the hits of an answer against those that its search found.
func (p *pages) found(a answer, total json.RawMessage) {
	var n struct {
		Value    int64
		Relation string
	}
	if json.Unmarshal(total, &n.Value) != nil && json.Unmarshal(total, &n) != nil {
		return // not asked for
	}
	if p.count == nil {
		p.count = map[int64]*searched{}
	}
	s := p.count[n.Value]
	if s == nil {
		s = &searched{line: a.line, atLeast: n.Relation == "gte", last: a.hits}
		p.count[n.Value] = s
		p.order = append(p.order, n.Value)
	}
	s.ended = a.hits < s.last
	s.hits, s.last = s.hits+a.hits, a.hits
}

// mostPartial bounds how many answers are named.
const mostPartial = 3

func (p *pages) doubt(line int, why string) {
	if len(p.why) == mostPartial {
		p.more++
		return
	}
	p.why = append(p.why, fmt.Sprintf("that on line %d: %s", line, why))
}

// missing returns what the answers of an input do not hold, nil where they are whole.
func (p *pages) missing() error {
	for _, total := range p.order {
		s := p.count[total]
		if int64(s.hits) >= total && (!s.atLeast || s.ended) {
			continue
		}
		least := ""
		if s.atLeast {
			least = "at least "
		}
		p.doubt(s.line, fmt.Sprintf("its search found %s%d events, of which %d are here; "+
			"export all its pages, into one file", least, total, s.hits))
	}
	p.order = nil
	if len(p.why) == 0 {
		return nil
	}
	why := "it holds answers to searches that are not whole: " + strings.Join(p.why, "; ")
	if p.more > 0 {
		why += fmt.Sprintf("; and %d more", p.more)
	}
	return &PartialError{why}
}
