package sequence

import (
	"fmt"
	"time"
)

// Stage is what a statement asks of one event.
type Stage struct {
	Name string // by its number in the text, such as "stage 2", or "until"
	// Keys are the fields by which its event is joined with the others, in the order in which they
	// are compared.
	Keys []KeyField
	// Absent reports whether the statement asks that there is no such event: `![…]` or until.
	Absent bool
}

// KeyField is a field by which events are joined.
type KeyField struct {
	Path     string
	Optional bool // it may be missing
}

// Stages returns the stages in the order of the text, and until as the last: those of
// [Plan.Matchers].
func (p *Plan) Stages() []Stage {
	stages := make([]Stage, len(p.matchers))
	set := func(s step, isAbsent bool) {
		one := Stage{Name: fmt.Sprint("stage ", s.stage+1), Absent: isAbsent}
		for _, k := range p.keyLists[s.keys] {
			one.Keys = append(one.Keys, KeyField{k.path, k.optional})
		}
		stages[s.stage] = one
	}
	for _, s := range p.steps {
		set(s, false)
	}
	for _, a := range p.absent {
		set(a.step, true)
	}
	if p.until != nil {
		set(*p.until, true)
		stages[p.until.stage].Name = "until"
	}
	return stages
}

// MaxSpan returns the maxspan of a sequence, 0 where it has none and of a sample.
func (p *Plan) MaxSpan() time.Duration { return p.maxSpan }
