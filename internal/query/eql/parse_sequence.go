package eql

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"esrule/internal/query/cond"
)

const (
	stageAdvice = `A stage is written in brackets: [category where condition].`
	spanAdvice  = "Write the longest time that a sequence may take: with maxspan=5m (units: ms, " +
		"s, m, h, d)."
	runsAdvice = "Write how often the stage is repeated, from 1 to 100: […] with runs=3."

	maxRuns = 100
)

// sequence = "sequence" ( by keys )? ( with maxspan "=" time )? stage+ ( until stage )? pipe*.
func (p *parser) sequence() *Sequence {
	p.staged = true
	word := p.advance()
	s := &Sequence{Keys: p.keys(), MaxSpan: p.maxspan()}
	if p.tok.kind == tokBy {
		p.unexpected("a stage", "The keys come before with: sequence by … with maxspan=….")
		p.keys()
	}
	s.Stages = p.stages(tokUntil)
	if p.take(tokUntil) {
		s.Until = p.until()
	}
	s.Pipes = p.pipes()
	p.checkSequence(word.span, s)
	return s
}

// sample = "sample" ( by keys )? stage+.
func (p *parser) sample() *Sample {
	p.staged = true
	word := p.advance()
	s := &Sample{Keys: p.keys()}
	if p.tok.kind == tokWith {
		p.unexpected("a stage", "A sample has no maxspan: its events may be of any time.")
		p.skipToStage()
	}
	s.Stages = p.stages(tokEOF)
	if p.tok.kind == tokPipe {
		p.unsupported(p.tok.span, "sample", "pipes after a sample are not supported",
			"Take the pipe away.")
		p.pipes()
	}
	p.checkSample(word.span, s)
	return s
}

// stages reads all stages up to a pipe, the token given or the end.
func (p *parser) stages(last tokenKind) []Stage {
	var stages []Stage
	for p.tok.kind != tokEOF && p.tok.kind != tokPipe && p.tok.kind != last {
		if p.tok.kind == tokOpenBracket || p.tok.kind == tokMissingEvent {
			stages = append(stages, p.stage())
			continue
		}
		p.unexpected("a stage", stageAdvice)
		p.advance()
		p.skipToStage()
	}
	if len(stages) == 0 && len(p.errors) == 0 {
		p.unexpected("a stage", stageAdvice)
	}
	return stages
}

// until = stage.
func (p *parser) until() *Stage {
	if p.tok.kind != tokOpenBracket && p.tok.kind != tokMissingEvent {
		p.unexpected("a stage after `until`", stageAdvice)
		p.skipToStage()
	}
	var until Stage
	if p.tok.kind == tokOpenBracket || p.tok.kind == tokMissingEvent {
		until = p.stage()
	}
	if p.tok.kind != tokEOF && p.tok.kind != tokPipe {
		p.unexpected("the end of the query", "One stage follows until, and nothing follows that.")
		for p.tok.kind != tokEOF && p.tok.kind != tokPipe {
			p.advance()
		}
	}
	if until.Query == nil {
		return nil
	}
	return &until
}

// skipToStage goes to the next stage, pipe, until or the end.
func (p *parser) skipToStage() {
	for {
		switch p.tok.kind {
		case tokOpenBracket, tokMissingEvent, tokUntil, tokPipe, tokEOF:
			return
		}
		p.advance()
	}
}

// stage = ( "[" | "![" ) query "]" ( by keys )? ( with runs "=" number )?
func (p *parser) stage() Stage {
	open := p.advance()
	s := Stage{Missing: open.kind == tokMissingEvent, Query: p.query(), Runs: 1}
	if !p.take(tokCloseBracket) {
		p.fail(open.span, cond.CodeSyntax, strconv.Quote(open.text)+" is not closed",
			"Write the ] where the stage ends.")
	}
	s.Keys = p.keys()
	if p.take(tokWith) {
		s.Runs = p.runs()
	}
	if p.tok.kind == tokBy {
		p.unexpected("a stage", "The keys come before with: […] by field with runs=….")
		s.Keys = p.keys()
	}
	s.Span = p.from(open.span.Start)
	return s
}

// keys = by field ( "," field )*.
func (p *parser) keys() []*cond.Field {
	if !p.take(tokBy) {
		return nil
	}
	var keys []*cond.Field
	for {
		if key := p.key(); key != nil {
			keys = append(keys, key)
		}
		if !p.take(tokComma) {
			return keys
		}
	}
}

// key reads a field. What else Elasticsearch's grammar allows there, it refuses later.
func (p *parser) key() *cond.Field {
	const advice = "Events are joined by fields: by host.id, process.entity_id."
	switch p.tok.kind {
	case tokIdentifier, tokQuoted, tokOptional, tokTilde, tokString, tokInteger, tokDecimal:
	default:
		p.unexpected("a field", advice)
		return nil
	}
	before := len(p.errors)
	e := p.primary()
	field, ok := e.(*cond.Field)
	if !ok && len(p.errors) == before {
		p.fail(e.Range(), cond.CodeSyntax, "a key must be a field", advice)
	}
	return field
}

// maxspan = with maxspan "=" number unit.
func (p *parser) maxspan() time.Duration {
	if !p.take(tokWith) {
		return 0
	}
	if !p.setting(p.tok.kind == tokMaxspan, "maxspan", spanAdvice) {
		return 0
	}
	number, unit := p.tok, p.ahead
	if number.kind != tokInteger {
		p.unexpected("a whole number", spanAdvice)
		p.skipToStage()
		return 0
	}
	p.advance()
	if unit.kind != tokIdentifier {
		p.fail(number.span, cond.CodeSyntax, "maxspan has no unit of time",
			fmt.Sprintf("Write %ss for seconds (units: ms, s, m, h, d).", clip(number.text)))
		return 0
	}
	p.advance()
	length, ok := units()[unit.text]
	count, err := strconv.ParseInt(number.text, 10, 64)
	switch {
	case !ok:
		p.fail(unit.span, cond.CodeSyntax, "unknown unit of time "+name(unit.text),
			"The units are ms, s, m, h and d.")
	case err != nil || count > int64(math.MaxInt64/length):
		p.fail(number.span, cond.CodeLimit, "maxspan is longer than 292 years", spanAdvice)
	case count == 0:
		p.fail(number.span, cond.CodeSyntax, "maxspan is 0", spanAdvice)
	default:
		return time.Duration(count) * length
	}
	return 0
}

func units() map[string]time.Duration {
	return map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute,
		"h": time.Hour, "d": 24 * time.Hour}
}

// runs = runs "=" number.
func (p *parser) runs() int {
	isRuns := p.tok.kind == tokIdentifier && p.tok.text == "runs"
	if !p.setting(isRuns, "runs", runsAdvice) {
		return 1
	}
	number := p.tok
	count, err := strconv.Atoi(number.text)
	switch {
	case number.kind != tokInteger:
		p.unexpected("a whole number", runsAdvice)
		p.skipToStage()
		return 1
	case err != nil || count < 1 || count > maxRuns:
		p.fail(number.span, cond.CodeLimit, "runs is "+clip(number.text), runsAdvice)
		count = 1
	}
	p.advance()
	return count
}

// setting reads the name of a setting after with, and the = after it.
func (p *parser) setting(isThere bool, want, advice string) bool {
	switch {
	case !isThere && p.tok.kind == tokMaxspan:
		p.unexpected(name(want)+" after `with`",
			"maxspan comes before the first stage: sequence by … with maxspan=….")
	case !isThere:
		p.unexpected(name(want)+" after `with`", advice)
	case p.ahead.kind != tokAssign:
		p.advance()
		p.unexpected(`"=" after `+name(want), advice)
	default:
		p.advance()
		p.advance()
		return true
	}
	p.skipToStage()
	return false
}

// checkSequence reports what the grammar of a sequence allows and its meaning does not.
func (p *parser) checkSequence(at cond.Span, s *Sequence) {
	events, found := 0, 0
	for _, stage := range s.Stages {
		events += stage.Runs
		if !stage.Missing {
			found++
		} else if s.MaxSpan == 0 {
			p.fail(stage.Span, cond.CodeSyntax, "a missing event needs maxspan",
				"Say how long it is waited for: sequence by … with maxspan=….")
		}
	}
	switch {
	case len(s.Stages) == 0: // reported
	case events < 2 && len(p.errors) == 0:
		p.fail(at, cond.CodeSyntax, "a sequence needs two stages or more, found 1",
			"A single event is searched for with category where condition.")
	case found == 0:
		p.fail(at, cond.CodeSyntax, "all events of the sequence are missing ones",
			"Write at least one stage without the !.")
	}
	stages := s.Stages
	if until := s.Until; until != nil {
		p.plain(*until, "until")
		stages = append(stages[:len(stages):len(stages)], *until)
	}
	p.checkKeys(stages)
}

// checkSample does the same for a sample.
func (p *parser) checkSample(at cond.Span, s *Sample) {
	for _, stage := range s.Stages {
		p.plain(stage, "a sample")
		if len(s.Keys)+len(stage.Keys) == 0 {
			p.fail(at, cond.CodeSyntax, "a sample needs a key",
				"Write what its events have in common: sample by host.id.")
		}
	}
	p.checkKeys(s.Stages)
}

// plain reports what only the stages of a sequence may have.
func (p *parser) plain(s Stage, where string) {
	if s.Missing {
		p.fail(s.Span, cond.CodeSyntax, where+" has no missing events", "Take the ! away.")
	}
	if s.Runs > 1 {
		p.fail(s.Span, cond.CodeSyntax, where+" has no runs", "Take it away.")
	}
}

// checkKeys reports the stages that have another number of keys than the first.
func (p *parser) checkKeys(stages []Stage) {
	for _, stage := range stages {
		if want, got := len(stages[0].Keys), len(stage.Keys); got != want {
			p.fail(stage.Span, cond.CodeSyntax, fmt.Sprintf("this stage has %s of its own, the "+
				"first has %d", keyCount(got), want),
				"Write as many after each stage: […] by host.id.")
		}
	}
}

func keyCount(n int) string {
	if n == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", n)
}
