package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/span"
)

// checkIndicators says what keeps a rule from having indicators: that they may not be read, that
// there are none, or that no index maps a field of theirs.
func (d *Detection) checkIndicators(ctx context.Context, c Counter, check *RuleCheck) error {
	if d.Threat == nil {
		return nil
	}
	source := d.Threat.Source
	in := strings.Join(source.Patterns, ",")
	searched, open, err := Searchable(ctx, c, source.Patterns)
	if err != nil {
		return fmt.Errorf("ask what may be read of %s: %w", in, err)
	}
	closed, err := c.Closed(ctx, searched)
	if err != nil {
		return err
	}
	for _, index := range closed {
		open = append(open, Failure{Index: index,
			Reason: `it is closed: open it, or leave it out ` +
				`with "-name" after the pattern`})
	}
	indices, err := c.Indices(ctx, searched)
	if err != nil {
		return err
	}
	var classes []search.Class
	if len(indices) > 0 {
		if classes, err = source.Classes(ctx, c, searched); err != nil {
			return err
		}
	}
	for _, class := range classes {
		if why := source.unjudgeable(class); why != "" {
			for _, index := range class.Indices {
				open = append(open, Failure{Index: index, Reason: why})
			}
		}
	}
	addUnread(check, open)
	if len(open) > 0 {
		return nil
	}
	if len(indices) == 0 {
		check.Add(finding.Finding{Code: finding.NoIndicators, Text: fmt.Sprintf("no index "+
			"matches %s: the rule has no indicators and matches nothing", in)})
		return nil
	}
	return d.countIndicators(ctx, c, check, searched, classes)
}

// checkLateIndicators says for how long a rule looks for indicators that come after an event: as
// long as late sweeps read the event's time again.
func (d *Detection) checkLateIndicators(check *RuleCheck, late time.Duration) {
	if d.Threat == nil {
		return
	}
	check.Add(finding.Finding{Code: finding.LateIndicators, Text: fmt.Sprintf("an indicator that "+
		"comes more than %v after an event (ESRULE_LATE) is not looked for in it", late),
		Advice: "after a feed brought indicators that are of use for older events, run esrule " +
			"backfill over their time (with --restart, where that was done before)"})
}

// addUnread adds which indices of indicators cannot be read.
func addUnread(check *RuleCheck, failures []Failure) {
	for _, alike := range ByReason(failures) {
		check.Add(finding.Finding{Code: finding.IndicatorsUnread,
			Text: fmt.Sprintf("indicators in %s cannot be read, and until they can no event is "+
				"judged: %s", strings.Join(alike.Indices, ", "), alike.Reason)})
	}
}

// countIndicators says whether there are documents that have a field that is compared.
func (d *Detection) countIndicators(ctx context.Context, c Counter, check *RuleCheck,
	searched []string, classes []search.Class) error {
	source := d.Threat.Source
	var unmapped []string
	var having []dsl.Clause
	for _, path := range d.Threat.Plan.IndicatorFields() {
		if mappingsOf(classes, path) == Unmapped {
			unmapped = append(unmapped, path)
		}
		having = append(having, dsl.Exists(path), dsl.Ignored(path))
	}
	in := strings.Join(indexpattern.Adding(source.Patterns), ",")
	if len(unmapped) > 0 {
		check.Add(finding.Finding{Code: finding.IndicatorUnmapped, Text: fmt.Sprintf("%s: not "+
			"mapped, so no indicator has a value there: %s", in, strings.Join(unmapped, ", "))})
	}
	query, _ := source.Query(classes, ByTimestamp(), span.Interval{}, nil)
	mapped := func(m search.Class) bool {
		return slices.ContainsFunc(d.Threat.Plan.IndicatorFields(), func(path string) bool {
			return m.Mapping.Fields[path].Type != event.Unmapped
		})
	}
	counted := search.Count{}
	if slices.ContainsFunc(classes, mapped) {
		var err error
		if counted, err = c.Count(ctx, searched, dsl.And(query, dsl.Or(having...))); err != nil {
			return fmt.Errorf("count the indicators in %s: %w", in, err)
		}
	}
	addUnread(check, silentIndices(counted.Failures))
	if counted.Documents == 0 && len(counted.Failures) == 0 {
		check.Add(finding.Finding{Code: finding.NoIndicators,
			Text: fmt.Sprintf("no document of %s "+
				"is an indicator of the rule: it matches nothing", in),
			Advice: "is the feed still sending, and does threat_query fit it?"})
	}
	return nil
}
