package detect

import (
	"fmt"
	"time"

	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/lint"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
)

// noteExceptions notes which of the rule's exceptions could accept an event of a mapping.
func (d *Detection) noteExceptions(check *PatternCheck, m *event.Mapping) {
	if check.applies == nil {
		check.applies = map[*rule.Exception]bool{}
	}
	for _, x := range d.exceptions {
		could := !prefilter.Build(x.matcher.Condition(), m).Clause.IsNothing()
		check.applies[x.Exception] = check.applies[x.Exception] || could
	}
}

// CheckExceptions returns what keeps exceptions from applying: that no rule has them, that they
// have expired, or that no event of any index that was checked can satisfy them; and what is
// doubtful in the conditions of the others.
func CheckExceptions(all []*rule.Exception, rules []RuleCheck, now time.Time) (l finding.List) {
	could, judged := map[*rule.Exception]bool{}, map[*rule.Exception]bool{}
	for _, r := range rules {
		for _, p := range r.Patterns {
			for x, applies := range p.applies {
				judged[x] = true
				could[x] = could[x] || applies
			}
		}
	}
	for _, x := range all {
		found := func(code finding.Code, why, advice string) {
			l.Add(finding.Finding{Code: code, Text: fmt.Sprintf("exception %s %s", x, why),
				Advice: advice})
		}
		switch {
		case !x.InUse:
			found(finding.ExceptionWithoutRule, "is for no rule that was read",
				"correct the rules' ids or names, or remove it")
		case x.Expired(now):
			found(finding.ExceptionExpired, "does not apply since "+
				x.Expires.UTC().Format(time.RFC3339), "remove it, or write a later date")
		case judged[x] && !could[x]:
			found(finding.ExceptionNeverApplies, "never applies: no event of the indices that "+
				"its rules search can satisfy its condition", "correct the condition, or remove it")
		case x.Query != nil:
			for _, doubt := range findingsOf(lint.Query(x.Query)) {
				found(doubt.Code, "is doubtful: "+doubt.Text, doubt.Advice)
			}
		}
	}
	return l
}
