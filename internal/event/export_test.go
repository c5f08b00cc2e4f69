package event

import "github.com/valyala/fastjson"

// Shallow, Skim and Reset are the ways to read an event one by one, for the tests that hold them
// together.
var Shallow = shallow

// Skim is skimLine.
func (e *Event) Skim(text []byte) (isHit, ok bool) { return e.skimLine(text) }

// Reset makes e the event of what was parsed.
func (e *Event) Reset(m *Mapping, source, extra *fastjson.Value) {
	e.reset(m, source)
	e.extra = extra
}
