package schedule

import (
	"context"

	"esrule/internal/elastic/dsl"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// tellOfFirstRuns says which rules' ledgers are new. Where such a rule has signals of polls, it was
// not its first run: somebody deleted the ledger.
func (r *Runner) tellOfFirstRuns(ctx context.Context, runs []*ruleRun) {
	var fresh []rule.ID
	for _, s := range runs {
		if s.isNew {
			fresh = append(fresh, s.detection.Rule.ID)
		}
	}
	if len(fresh) == 0 {
		return
	}
	r.log.Info("first run of rules", "rule_count", len(fresh), "rules",
		fresh[:min(len(fresh), listed)])
	polled := r.polled(ctx, fresh)
	var gone []rule.ID
	signals := int64(0)
	for _, id := range fresh {
		if n := polled[string(id)]; n > 0 {
			gone = append(gone, id)
			signals += n
		}
	}
	if len(gone) > 0 {
		r.log.Warn("the ledger of a rule is gone while it has signals: what was searched before "+
			"is forgotten. Polling starts anew; run a backfill over the time before. Signals are "+
			"not doubled", "rule_count", len(gone), "rules", gone[:min(len(gone), listed)],
			"signals", signals)
	}
}

// polled counts the signals of each of the rules that polls have found. It serves a warning only:
// where it cannot be asked, there are none.
func (r *Runner) polled(ctx context.Context, rules []rule.ID) map[string]int64 {
	ids := make([]string, len(rules))
	for i, id := range rules {
		ids[i] = string(id)
	}
	const field = "kibana.alert.rule.uuid"
	count, err := r.cluster.CountBy(ctx, []string{r.options.SignalsIndex}, dsl.And(
		dsl.Terms(field, ids),
		dsl.Terms("kibana.alert.rule.execution.type", []string{signal.Scheduled.String()})),
		field, len(ids))
	if err != nil {
		return nil
	}
	return count
}
