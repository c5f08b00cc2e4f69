package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// CheckedTime is how far back Check counts events; CheckedDays says it in words.
const (
	CheckedTime = 24 * time.Hour
	CheckedDays = "24 hours"
)

// RuleCheck says whether a rule can fire on a cluster.
type RuleCheck struct {
	RuleID   rule.ID        `json:"rule_id"`
	Name     string         `json:"name"`
	Patterns []PatternCheck `json:"patterns,omitempty"`
	// Doubts are parts of its query that are probably not what was meant.
	Doubts rule.Errors `json:"doubts,omitempty"`
	// List is what was found on the rule as a whole.
	finding.List
}

// All returns the findings on the rule and on its patterns, each with where it was found.
func (c RuleCheck) All() []finding.Finding {
	all := slices.Clone(c.Findings)
	for _, p := range c.Patterns {
		for _, f := range p.Findings {
			f.Pattern = p.Pattern
			all = append(all, f)
		}
	}
	for i := range all {
		all[i].Rule = string(c.RuleID)
	}
	return all
}

// PatternCheck says it of one index pattern.
type PatternCheck struct {
	Pattern string   `json:"pattern"`
	Indices []string `json:"indices"`
	// CanFire is whether an event of one of the indices can satisfy the rule's condition.
	CanFire bool `json:"can_fire"`
	// Events is the number of documents of the last CheckedTime.
	Events int64 `json:"events"`
	// Candidates is how many of them the pre-filter lets through: what a day of the rule costs.
	Candidates int64 `json:"candidates"`
	// Timeless is the number of documents, of whatever time, that have none of the rule's
	// timestamps.
	Timeless int64        `json:"without_timestamp,omitempty"`
	Fields   []FieldCheck `json:"fields,omitempty"`
	finding.List

	applies map[*rule.Exception]bool // whether an exception could apply to one of its events
	classes []search.Class           // of its indices that can be judged
	never   finding.Code             // why no sequence can be found, though some events fit
}

// found adds a finding on the pattern.
func (p *PatternCheck) found(code finding.Code, text string, args ...any) {
	p.Add(finding.Finding{Code: code, Text: fmt.Sprintf(text, args...)})
}

// FieldCheck is one field of the rule in the indices of a pattern.
type FieldCheck struct {
	Path string `json:"path"`
	// Mapping is the mapping's word for the type, several where indices differ, "unmapped" where
	// none has it.
	Mapping string `json:"mapping"`
	// Mappings are the same in full; a zero one stands for the indices that do not map the field.
	Mappings []event.FieldMapping `json:"-"`
	// Events is how many documents of the last CheckedTime carry the field.
	Events int64 `json:"events"`
}

// Counter is what Check reads beside the mappings. *search.Cluster is one.
type Counter interface {
	Indices(ctx context.Context, patterns []string) ([]string, error)
	Mapper
	Privileges(ctx context.Context, patterns []string) ([]search.MissingPrivilege, error)
	Count(ctx context.Context, patterns []string, query dsl.Clause) (search.Count, error)
	OpenPointInTime(ctx context.Context, patterns []string) (*search.PointInTime, error)
	Closed(ctx context.Context, patterns []string) ([]string, error)
	ExcludedNames(ctx context.Context, patterns []string) ([]string, error)
	Unanswered(ctx context.Context, patterns []string) ([]search.Failure, []string, error)
}

// CheckAlone returns what the rule alone shows, without a cluster.
func (d *Detection) CheckAlone(now time.Time) RuleCheck {
	check := RuleCheck{RuleID: d.Rule.ID, Name: d.Rule.Name}
	d.checkSequence(&check)
	d.checkThreshold(&check)
	d.checkNewTerms(&check)
	d.checkAlerts(&check)
	d.doubt(&check, now)
	return check
}

// Check returns for each pattern whether the rule can fire there. late is how late an event may
// come that only its @timestamp places.
func (d *Detection) Check(ctx context.Context, c Counter, now time.Time,
	late time.Duration) (RuleCheck, error) {
	check := RuleCheck{RuleID: d.Rule.ID, Name: d.Rule.Name}
	if why := indexpattern.CheckList(d.Patterns); why != "" {
		check.Add(finding.Finding{Code: finding.NothingExcluded, Text: why})
	}
	names, err := c.ExcludedNames(ctx, d.Patterns)
	if err != nil {
		return check, err
	}
	for _, name := range names {
		check.Add(finding.Finding{Code: finding.NothingExcluded,
			Text: indexpattern.TakesNothingOut(name)})
	}
	isThere := false
	for _, p := range indexpattern.Adding(d.Patterns) {
		one := PatternCheck{Pattern: p}
		if err := d.checkPattern(ctx, c, &one, now, late); err != nil {
			return check, err
		}
		isThere = isThere || len(one.Indices) > 0
		check.Patterns = append(check.Patterns, one)
	}
	if !isThere {
		check.Add(finding.Finding{Code: finding.NoIndex,
			Text: "no index matches any of its patterns: the rule cannot fire here"})
	}
	if err := d.checkIndicators(ctx, c, &check); err != nil {
		return check, err
	}
	d.checkLateIndicators(&check, late)
	d.checkSequence(&check)
	d.checkThreshold(&check)
	d.checkNewTerms(&check)
	d.checkAlerts(&check)
	if err := d.checkHistory(ctx, c, &check, now); err != nil {
		return check, err
	}
	d.doubt(&check, now)
	return check, nil
}

// checkPattern checks one pattern: whether it may be searched, what it stands for, and whether the
// rule can fire there.
func (d *Detection) checkPattern(ctx context.Context, c Counter, check *PatternCheck,
	now time.Time, late time.Duration) error {
	if why := indexpattern.NotSearched(check.Pattern); why != "" {
		check.found(finding.NotSearched, "not searched: %s", why)
		return nil
	}
	patterns, err := d.checkSearchable(ctx, c, check)
	if err != nil || len(patterns) == 0 {
		return err
	}
	if err := checkOpening(ctx, c, check, patterns); err != nil {
		return err
	}
	if check.Indices, err = c.Indices(ctx, patterns); err != nil {
		return err
	}
	if err := checkClosed(ctx, c, check, patterns); err != nil {
		return err
	}
	if len(check.Indices) == 0 {
		check.found(finding.NoIndexYet, "no index matches the pattern: nothing is searched here "+
			"until one does")
		return nil
	}
	return d.checkEvents(ctx, c, check, patterns, now, late)
}

// checkSearchable returns the patterns that are searched for one of the rule's, and notes what may
// not be read or does not answer.
func (d *Detection) checkSearchable(ctx context.Context, c Counter,
	check *PatternCheck) ([]string, error) {
	missing, err := c.Privileges(ctx, []string{check.Pattern})
	if err != nil {
		return nil, err
	}
	for _, m := range missing {
		check.found(finding.MissingPrivilege,
			"the privilege %s is missing: what may not be read is not searched", m.Privilege)
	}
	patterns, open, err := Searchable(ctx, c, indexpattern.Alone(d.Patterns, check.Pattern))
	if err != nil {
		return nil, err
	}
	for _, f := range open {
		if indexpattern.IsRemote(f.Index) {
			check.found(finding.ClusterUnreachable, "not searched now: %s", f.Reason)
		}
	}
	return patterns, nil
}

// checkEvents counts the events of the last day and judges each class of mappings.
func (d *Detection) checkEvents(ctx context.Context, c Counter, check *PatternCheck,
	patterns []string, now time.Time, late time.Duration) error {
	classes, err := d.Classes(ctx, c, patterns)
	if err != nil {
		return err
	}
	day := span.Interval{From: now.Add(-CheckedTime)}
	if err := d.countEvents(ctx, c, check, classes, day); err != nil {
		return err
	}
	hints, err := d.multiFields(ctx, c, patterns, classes)
	if err != nil {
		return err
	}
	for _, class := range classes {
		d.judgeClass(check, class, hints, late)
	}
	if err := d.countTimeless(ctx, c, check); err != nil {
		return err
	}
	if check.Events == 0 {
		check.Add(finding.Finding{Code: finding.NoRecentEvent,
			Text: "no event in the last " + CheckedDays, Advice: "is the source still sending?"})
	}
	return nil
}

// checkOpening searches a point in time as a run does: Elasticsearch may refuse what it grants
// otherwise.
func checkOpening(ctx context.Context, c Counter, check *PatternCheck, patterns []string) error {
	pit, err := c.OpenPointInTime(ctx, patterns)
	if err != nil {
		return err
	}
	for _, err := range pit.Pages(ctx, search.Request{Query: dsl.Nothing()}) {
		if err != nil {
			return errors.Join(err, pit.Close(ctx))
		}
	}
	for _, f := range pit.Failures() {
		if f.Type == search.Forbidden { // of the others the counting tells
			check.Add(finding.Finding{Code: finding.IndexRefused, Index: f.Index,
				Text: f.Index + " is not searched: " + f.Reason})
		}
	}
	return pit.Close(ctx)
}

func (d *Detection) countEvents(ctx context.Context, c Counter, check *PatternCheck,
	classes []search.Class, day span.Interval) error {
	patterns := indexpattern.Alone(d.Patterns, check.Pattern)
	when := prefilter.Anytime(d.Timestamps(), day.From, day.To)
	all, err := c.Count(ctx, patterns, when)
	if err != nil {
		return err
	}
	check.Events = all.Documents
	check.silent(all.Failures)
	query, _ := d.Query(classes, d.Timestamps(), day, nil)
	candidates, err := c.Count(ctx, patterns, query)
	if err != nil {
		return err
	}
	check.Candidates = candidates.Documents
	for _, path := range d.named() {
		f := FieldCheck{Path: path, Mapping: mappingsOf(classes, path),
			Mappings: mappings(classes, path)}
		if f.Mapping != Unmapped {
			carrying, err := c.Count(ctx, patterns,
				dsl.And(when, dsl.Or(dsl.Exists(path), dsl.Ignored(path))))
			if err != nil {
				return err
			}
			f.Events = carrying.Documents
		}
		check.Fields = append(check.Fields, f)
	}
	return nil
}

// shownClosed is how many closed indices check names.
const shownClosed = 5

// checkClosed names the closed indices of a pattern.
func checkClosed(ctx context.Context, c Counter, check *PatternCheck, patterns []string) error {
	closed, err := c.Closed(ctx, patterns)
	if err != nil || len(closed) == 0 {
		return err
	}
	check.Add(finding.Finding{Code: finding.ClosedIndex, Index: closed[0],
		Text: fmt.Sprintf("closed, so not searched until opened: %s (%d in all)",
			strings.Join(closed[:min(len(closed), shownClosed)], ", "), len(closed)),
		Advice: `open them, leave them out with "-name" after the pattern, or name them in ` +
			"ESRULE_SET_ASIDE"})
	return nil
}
