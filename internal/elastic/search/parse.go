package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"esrule/internal/elastic"
)

// errAtHits: the hits come next. It ends a walk over what stands in front of them.
var errAtHits = errors.New("the hits come next")

// parse takes a search's answer, whose memory the page keeps, and goes over the whole of it before
// any hit is given out.
func (p *Page) parse(raw []byte) (answer, error) {
	var list splitter // where the list of hits begins
	hits, found := 0, false
	err := p.walk(raw, func(s *splitter) error {
		list, found = *s, true
		return s.array(func() error {
			hits++
			err := p.readHit(nil)
			p.last = p.hit.parts.sort
			return err
		})
	})
	if err == nil {
		err = p.ends(hits, found)
	}
	if err != nil {
		return answer{}, err
	}
	a := p.head.answer()
	a.hits = hits
	if hits > 0 {
		a.after = bytes.Clone(p.last)
		p.split, p.state, p.last = list, starting, p.start
		p.split.step('[')
	}
	return a, nil
}

// begin takes a search's answer, whose memory the page keeps, up to its hits, which are split as
// they are given out.
func (p *Page) begin(raw []byte) (answer, error) {
	err := p.walk(raw, func(s *splitter) error {
		if !s.step('[') {
			return errNotJSON
		}
		p.state = starting
		return errAtHits
	})
	if errors.Is(err, errAtHits) && p.head.whole(true) == nil {
		p.lazy = true
		return p.head.answer(), nil
	}
	if err == nil || errors.Is(err, errAtHits) { // in an order of its own
		return p.parse(raw)
	}
	return answer{}, err
}

// end goes over what follows the hits of a page that were split as they were given out.
func (p *Page) end() error {
	s := &p.split
	s.step(']')
	err := s.members(false, p.inHits(nil))
	if err == nil {
		err = s.members(false, p.inAnswer(nil))
	}
	if err == nil {
		err = p.ends(p.given, true)
	}
	if errors.Is(err, errNotJSON) {
		err = elastic.Contradicts("what follows its hits is not JSON")
	}
	return err
}

// ends returns an error where an answer that was gone over lacks something, contradicts itself, or
// goes on after its end.
func (p *Page) ends(hits int, found bool) error {
	if err := p.head.whole(found); err != nil {
		return err
	}
	if err := p.total.CheckHits(hits); err != nil {
		return err
	}
	if p.split.peek(); p.split.at < len(p.split.text) {
		return elastic.Contradicts("something follows its end")
	}
	return nil
}

// walk reads the parts of an answer, but for the list of its hits, which is left to hits.
func (p *Page) walk(raw []byte, hits func(*splitter) error) error {
	p.reset(raw)
	err := p.split.object(p.inAnswer(hits))
	p.Took = time.Duration(p.head.Took) * time.Millisecond
	return err
}

// inAnswer reads a member of the answer.
func (p *Page) inAnswer(hits func(*splitter) error) func(key []byte) error {
	into := map[string]any{
		"pit_id": &p.head.ID, "took": &p.head.Took, "timed_out": &p.head.TimedOut,
		"terminated_early": &p.head.Early, "_shards": &p.head.Shards,
		"_clusters": &p.head.Clusters,
	}
	return func(key []byte) error {
		if err := p.once("", key); err != nil {
			return err
		}
		if string(key) == "hits" {
			return p.split.object(p.inHits(hits))
		}
		return p.read(key, into[string(key)])
	}
}

// inHits reads a member of the answer's hits.
func (p *Page) inHits(hits func(*splitter) error) func(key []byte) error {
	return func(key []byte) error {
		if err := p.once("hits.", key); err != nil {
			return err
		}
		switch string(key) {
		case "hits":
			return hits(&p.split)
		case "total":
			return p.read(key, &p.total)
		}
		return p.read(key, nil)
	}
}

// once returns an error where a member came before.
func (p *Page) once(parent string, key []byte) error {
	name := parent + string(key)
	if p.seen[name] {
		return elastic.Contradicts("it has %q twice", name)
	}
	p.seen[name] = true
	return nil
}

// read reads the value that comes next; nil is into nothing.
func (p *Page) read(key []byte, into any) error {
	value, err := p.split.value()
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("read %s of the answer: %w", key, err)
	}
	return nil
}

// reset makes the page one without hits, over the text of an answer.
func (p *Page) reset(raw []byte) {
	p.raw, p.Failures, p.state, p.lazy, p.given, p.after = raw, nil, over, false, 0, nil
	p.split, p.last = splitter{text: raw}, p.start
	p.head, p.total, p.seen = portions{}, nil, map[string]bool{}
}

// isLater reports whether a hit's place comes after another, which may be nil, in the order of
// pages; numbers reports whether the place is a list of whole numbers at all, as it is by
// [PointInTime.order].
func isLater(place, than []byte) (later, numbers bool) {
	later = than == nil
	decided := later
	for first := true; ; first = false {
		number, rest, ok := nextNumber(place, first)
		if !ok {
			return false, false
		}
		if place = rest; !decided {
			before, rest, ok := nextNumber(than, first)
			than, decided, later = rest, !ok || number != before, ok && number > before
		}
		if len(place) == 1 && place[0] == ']' {
			return later, true
		}
	}
}

// nextNumber reads the next number of a list, and returns what of the list follows it.
func nextNumber(list []byte, first bool) (number int64, rest []byte, ok bool) {
	opening := byte(',')
	if first {
		opening = '['
	}
	if len(list) == 0 || list[0] != opening {
		return 0, nil, false
	}
	end := bytes.IndexAny(list[1:], ",]") + 1
	if end == 0 {
		return 0, nil, false
	}
	number, err := strconv.ParseInt(string(bytes.TrimSpace(list[1:end])), 10, 64)
	return number, list[end:], err == nil
}
