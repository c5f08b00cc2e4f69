package detect

import (
	"fmt"

	"esrule/internal/detect/sequence"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Compiled is what a rule asks, ready to judge.
type Compiled struct {
	// Matchers are those of the body's queries, in their order.
	Matchers []*match.Matcher
	// Sequence joins what they accept, in Order; nil where each event is judged alone.
	Sequence *sequence.Plan
	Order    Order

	exceptions []exception
}

// Compile compiles a rule's body and its exceptions, and adds what they read to fields. patterns
// are those that the rule is run over: a rule over the program's own signals judges them too. The
// error is [cond.Errors]: what no mapping could mend, or what this version does not evaluate.
func Compile(r *rule.Rule, patterns []string, fields *event.Fields) (Compiled, error) {
	c, err := compileBody(r, patterns, fields)
	if err != nil {
		return Compiled{}, err
	}
	c.exceptions, err = compileExceptions(r, fields)
	return c, err
}

func compileBody(r *rule.Rule, patterns []string, fields *event.Fields) (Compiled, error) {
	options := match.Options{ExcludeSignals: !r.ReadsSignals(patterns)}
	switch body := r.Body.(type) {
	case *rule.EventQuery:
		if errors := eql.CheckTypes(body.Query); len(errors) > 0 {
			return Compiled{}, errors
		}
		m, err := match.Compile(body.Query, fields, options)
		return Compiled{Matchers: []*match.Matcher{m}}, err
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
