package detect

import (
	"fmt"

	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Compile compiles a rule's condition and adds what it reads to fields. patterns are those that the
// rule is run over: a rule over the program's own signals judges them too. The error is
// [cond.Errors]: what no mapping could mend, or what this version does not evaluate.
func Compile(r *rule.Rule, patterns []string, fields *event.Fields) (*match.Matcher, error) {
	body, ok := r.Body.(*rule.EventQuery)
	if !ok {
		return nil, fmt.Errorf("rules with a body of type %T are not run", r.Body)
	}
	if errors := eql.CheckTypes(body.Query); len(errors) > 0 {
		return nil, errors
	}
	return match.Compile(body.Query, fields,
		match.Options{ExcludeSignals: !r.ReadsSignals(patterns)})
}
