package detect

import (
	"fmt"

	"esrule/internal/detect/sequence"
	"esrule/internal/detect/threshold"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Compiled is what a rule asks, ready to judge.
type Compiled struct {
	// Matchers are those of the body's queries, in their order.
	Matchers []*match.Matcher
	// Sequence joins what they accept, in Order, Threshold counts it, and NewTerms keeps what has
	// new values. All are nil where each event is judged alone.
	Sequence  *sequence.Plan
	Threshold *threshold.Plan
	NewTerms  *NewTerms
	Order     Order
	// Threat joins each event with indicators; nil where there are none.
	Threat *Threat

	exceptions []exception
}

// Compile compiles a rule's body and its exceptions, and adds what they read to fields. A rule that
// looks among signals judges them too. The error is [cond.Errors]: what no mapping could mend, or
// what this version does not evaluate.
func Compile(r *rule.Rule, w Where, fields *event.Fields) (Compiled, error) {
	c, err := compileBody(r, w, fields)
	if err != nil {
		return Compiled{}, err
	}
	c.exceptions, err = compileExceptions(r, fields)
	return c, err
}

func compileBody(r *rule.Rule, w Where, fields *event.Fields) (Compiled, error) {
	options := match.Options{ExcludeSignals: w.Signals == "" && !r.ReadsSignals(w.Patterns)}
	switch body := r.Body.(type) {
	case *rule.EventQuery:
		return compileQuery(body, fields, options)
	case *rule.NewTermsQuery:
		c, err := compileQuery(&body.EventQuery, fields, options)
		c.NewTerms = newNewTerms(r, w, body, fields)
		return c, err
	case *rule.ThresholdQuery:
		c, err := compileQuery(&body.EventQuery, fields, options)
		c.Threshold = threshold.Compile(thresholdOf(r, w, body), fields)
		c.Order = newOrder(fields, "")
		return c, err
	case *rule.IndicatorQuery:
		return compileIndicators(r, w, body, fields, options)
	case *rule.SequenceQuery:
		plan, err := sequence.Compile(body.Statement, fields,
			sequence.Options{LookBack: r.From, Match: options})
		if err != nil {
			return Compiled{}, err
		}
		return Compiled{Matchers: plan.Matchers(), Sequence: plan,
			Order: newOrder(fields, body.TiebreakerField)}, nil
	}
	return Compiled{}, fmt.Errorf("rules with a body of type %T are not run", r.Body)
}

func compileQuery(body *rule.EventQuery, fields *event.Fields,
	options match.Options) (Compiled, error) {
	if errors := eql.CheckTypes(body.Query); len(errors) > 0 {
		return Compiled{}, errors
	}
	m, err := match.Compile(body.Query, fields, options)
	return Compiled{Matchers: []*match.Matcher{m}}, err
}

func thresholdOf(r *rule.Rule, w Where, q *rule.ThresholdQuery) threshold.Options {
	o := threshold.Options{Fields: q.Fields, Value: q.Value, Span: r.From, Marked: w.Signals != ""}
	for _, c := range q.Cardinality {
		o.Cardinality = append(o.Cardinality, threshold.Cardinality(c))
	}
	return o
}

// Together reports whether the rule judges several events together.
func (c *Compiled) Together() bool {
	return c.Sequence != nil || c.Threshold != nil || c.NewTerms != nil
}

// Position returns where an event stands among those that the rule judges together; ok is false
// where it has no time that can be read.
func (c *Compiled) Position(e *match.Evaluation) (at Position, ok bool) {
	if c.NewTerms != nil {
		at.At, ok = c.NewTerms.Clock.Time(e)
		return at, ok
	}
	return c.Order.Position(e)
}
