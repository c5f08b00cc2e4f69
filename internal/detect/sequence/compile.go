package sequence

import (
	"errors"
	"fmt"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// Options are what a rule says beside its statement.
type Options struct {
	// LookBack is the span of a sequence without maxspan, and of a sample.
	LookBack time.Duration
	Match    match.Options
}

// Plan is a compiled sequence or sample. It is safe for concurrent use by many judges.
type Plan struct {
	span     time.Duration
	maxSpan  time.Duration // 0 where the statement has none
	matchers []*match.Matcher
	keyLists [][]keyField
	ofList   []uint64 // the matchers of the queries that have a key list, as in a [Look]

	sample bool
	steps  []step // the events that are found, in order; `with runs` repeats them
	absent []absent
	until  *step
	// leading and trailing: there are missing events before the first event and after the last.
	leading, trailing bool
}

// step is an event that a statement asks for, by the numbers of its stage, query and key list.
type step struct{ stage, query, keys int }

// absent is an event that must not be there: before the event with the number gap, or after the
// last.
type absent struct {
	step
	gap int
}

// Compile compiles a sequence or a sample, and adds its fields to fields. The errors are those of
// event queries ([eql.CheckTypes], [match.Compile]).
func Compile(s eql.Statement, fields *event.Fields, o Options) (*Plan, error) {
	if n := len(s.Queries()); n > mostQueries {
		return nil, fmt.Errorf("%d queries are too many: at most %d are evaluated", n, mostQueries)
	}
	p := &Plan{span: o.LookBack}
	var all cond.Errors
	for _, q := range s.Queries() {
		if wrong := eql.CheckTypes(q); len(wrong) > 0 {
			all = append(all, wrong...)
			continue
		}
		m, err := match.Compile(q, fields, o.Match)
		var wrong cond.Errors
		if errors.As(err, &wrong) {
			all = append(all, wrong...)
		} else if err != nil {
			return nil, err
		}
		p.matchers = append(p.matchers, m)
	}
	if len(all) > 0 {
		return nil, all
	}
	switch s := s.(type) {
	case *eql.Sequence:
		p.compileSequence(s, fields)
	case *eql.Sample:
		p.sample = true
		for i, stage := range s.Stages {
			p.steps = append(p.steps, p.step(i, s.Keys, stage, fields))
		}
	default:
		return nil, errors.New("an event query is neither a sequence nor a sample")
	}
	if p.span <= 0 {
		return nil, errors.New("a sequence without maxspan needs a look-back")
	}
	return p, nil
}

func (p *Plan) compileSequence(s *eql.Sequence, fields *event.Fields) {
	if p.maxSpan = s.MaxSpan; p.maxSpan > 0 {
		p.span = p.maxSpan
	}
	for i, stage := range s.Stages {
		made := p.step(i, s.Keys, stage, fields)
		if stage.Missing {
			p.absent = append(p.absent, absent{made, len(p.steps)})
			continue
		}
		for range stage.Runs {
			p.steps = append(p.steps, made)
		}
	}
	for _, a := range p.absent {
		p.leading = p.leading || a.gap == 0
		p.trailing = p.trailing || a.gap == len(p.steps)
	}
	if s.Until != nil {
		until := p.step(len(s.Stages), s.Keys, *s.Until, fields)
		p.until = &until
	}
}

// step numbers a stage's query and keys: the matchers are in the order of the stages.
func (p *Plan) step(i int, shared []*cond.Field, s eql.Stage, fields *event.Fields) step {
	var keys []keyField
	for _, list := range [][]*cond.Field{shared, s.Keys} {
		for _, f := range list {
			keys = append(keys, keyField{fields.Add(f.Path), f.Path, f.Optional})
		}
	}
	list := p.keyList(keys)
	p.ofList[list] |= 1 << i
	return step{stage: i, query: i, keys: list}
}

// Span is how far before a window its events have to be read.
func (p *Plan) Span() time.Duration { return p.span }

// Negates reports whether the plan asks that some events are not there, so that a sequence may be
// untrue where not all events were seen.
func (p *Plan) Negates() bool { return len(p.absent) > 0 || p.until != nil }

// Waits reports whether the plan ends in missing events: it is decided when their time is over.
func (p *Plan) Waits() bool { return p.trailing }

// Keys returns the paths of the fields by which events are joined.
func (p *Plan) Keys() []string {
	var paths []string
	for _, list := range p.keyLists {
		for _, k := range list {
			paths = append(paths, k.path)
		}
	}
	return paths
}

// Matchers returns the matchers of the stages, in the order of the text, and of until.
func (p *Plan) Matchers() []*match.Matcher { return p.matchers }
