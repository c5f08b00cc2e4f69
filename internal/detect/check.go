package detect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
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
	// Problems and Notes are those of the rule as a whole.
	Problems []string `json:"problems,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// PatternCheck says it of one index pattern.
type PatternCheck struct {
	Pattern string   `json:"pattern"`
	Indices []string `json:"indices"`
	// Events is the number of documents of the last CheckedTime.
	Events int64 `json:"events"`
	// Candidates is how many of them the pre-filter lets through: what a day of the rule costs.
	Candidates int64 `json:"candidates"`
	// Timeless is the number of documents, of whatever time, that have none of the rule's
	// timestamps.
	Timeless int64        `json:"without_timestamp,omitempty"`
	Fields   []FieldCheck `json:"fields,omitempty"`
	// Problems keep the rule from firing here, or from seeing everything. Notes are worth knowing.
	Problems []string `json:"problems,omitempty"`
	Notes    []string `json:"notes,omitempty"`
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
	Count(ctx context.Context, patterns []string, query any) (search.Count, error)
	OpenPointInTime(ctx context.Context, patterns []string) (*search.PointInTime, error)
	Closed(ctx context.Context, patterns []string) ([]string, error)
	ExcludedNames(ctx context.Context, patterns []string) ([]string, error)
	Unanswered(ctx context.Context, patterns []string) ([]search.Failure, []string, error)
}

// Check says for each pattern whether the rule can fire there. late is how late an event may come
// that only its @timestamp places.
func (d *Detection) Check(ctx context.Context, c Counter, now time.Time,
	late time.Duration) (RuleCheck, error) {
	check := RuleCheck{RuleID: d.Rule.ID, Name: d.Rule.Name}
	if why := indexpattern.CheckList(d.Patterns); why != "" {
		check.Notes = append(check.Notes, why)
	}
	names, err := c.ExcludedNames(ctx, d.Patterns)
	if err != nil {
		return check, err
	}
	for _, name := range names {
		check.Notes = append(check.Notes, indexpattern.TakesNothingOut(name))
	}
	for _, p := range indexpattern.Adding(d.Patterns) {
		one, err := d.checkPattern(ctx, c, p, now, late)
		if err != nil {
			return check, err
		}
		check.Patterns = append(check.Patterns, one)
	}
	if !slices.ContainsFunc(check.Patterns, func(p PatternCheck) bool {
		return len(p.Indices) > 0
	}) {
		check.Problems = append(check.Problems,
			"no index matches any of its patterns: the rule cannot fire here")
	}
	return check, nil
}

func (d *Detection) checkPattern(ctx context.Context, c Counter, pattern string, now time.Time,
	late time.Duration) (PatternCheck, error) {
	check := PatternCheck{Pattern: pattern}
	if why := indexpattern.NotSearched(pattern); why != "" {
		check.Problems = append(check.Problems, "not searched: "+why)
		return check, nil
	}
	patterns := indexpattern.Alone(d.Patterns, pattern)
	missing, err := c.Privileges(ctx, []string{pattern})
	if err != nil {
		return check, err
	}
	for _, m := range missing {
		check.Problems = append(check.Problems,
			fmt.Sprintf("the privilege %s is missing: what may not be read is not searched",
				m.Privilege))
	}
	patterns, open, err := Searchable(ctx, c, patterns)
	if err != nil {
		return check, err
	}
	for _, f := range open {
		if indexpattern.IsRemote(f.Index) {
			check.Problems = append(check.Problems, "not searched now: "+f.Reason)
		}
	}
	if len(patterns) == 0 {
		return check, nil
	}
	if err := checkOpening(ctx, c, &check, patterns); err != nil {
		return check, err
	}
	if check.Indices, err = c.Indices(ctx, patterns); err != nil {
		return check, err
	}
	if err := checkClosed(ctx, c, &check, patterns); err != nil {
		return check, err
	}
	if len(check.Indices) == 0 {
		check.Notes = append(check.Notes, "no index matches the pattern: nothing is searched "+
			"here until one does")
		return check, nil
	}
	classes, err := d.Classes(ctx, c, patterns)
	if err != nil {
		return check, err
	}
	if err := d.countEvents(ctx, c, &check, classes,
		span.Interval{From: now.Add(-CheckedTime)}); err != nil {
		return check, err
	}
	hints, err := d.multiFields(ctx, c, patterns, classes)
	if err != nil {
		return check, err
	}
	for _, class := range classes {
		d.judgeClass(&check, class, hints, late)
	}
	if err := d.countTimeless(ctx, c, &check); err != nil {
		return check, err
	}
	if check.Events == 0 {
		check.Notes = append(check.Notes, fmt.Sprintf("no event in the last %s: is the source "+
			"still sending?", CheckedDays))
	}
	return check, nil
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
			check.Problems = append(check.Problems, f.Index+" is not searched: "+f.Reason)
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
	check.Problems = append(check.Problems, silent(all.Failures)...)
	candidates, err := c.Count(ctx, patterns, d.plan(classes, d.Timestamps(), day, nil).request)
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

// Unmapped stands for a mapping where no index has the field.
const Unmapped = "unmapped"

// mappingsOf names how the classes map a field.
func mappingsOf(classes []search.Class, path string) string {
	names := map[string]bool{}
	for _, class := range classes {
		name := Unmapped
		if f, ok := class.Mapping.Fields[path]; ok && f.Type != event.Unmapped {
			name = f.Name
		}
		names[name] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

// judgeClass says what keeps the rule from firing on indices of one mapping.
func (d *Detection) judgeClass(check *PatternCheck, class search.Class, hints map[string]string,
	late time.Duration) {
	where := class.Indices[0]
	if n := len(class.Indices) - 1; n > 0 {
		where += fmt.Sprintf(" and %d more", n)
	}
	if reason := unjudgeable(class.Mapping); reason != "" {
		check.Problems = append(check.Problems, where+": "+reason)
		return
	}
	filter := prefilter.Build(d.Matcher.Condition(), class.Mapping)
	lacks := d.unmappedIn(class.Mapping)
	switch {
	case filter.Clause.IsNothing() && len(lacks) == 0:
		check.Problems = append(check.Problems, where+
			": the rule can never fire: no event satisfies its condition")
	case filter.Clause.IsNothing():
		check.Problems = append(check.Problems,
			fmt.Sprintf("%s: the rule can never fire: not mapped: %s", where,
				missing(lacks, hints)))
	case len(lacks) > 0:
		check.Notes = append(check.Notes,
			fmt.Sprintf("%s: not mapped, so missing in every event: %s", where,
				missing(lacks, hints)))
	}
	if filter.Clause.IsEverything() {
		check.Notes = append(check.Notes, where+
			": the rule has no condition that an index answers cheaply: every event of a window is read")
	}
	if f := class.Mapping.Fields["@timestamp"]; !f.IsDate() {
		check.Problems = append(check.Problems, where+
			": @timestamp is not mapped as a date: whether an event lies in a window is not "+
			"certain, and one may be missed")
	}
	if o := d.Rule.TimestampOverride; o != "" && class.Mapping.Fields[o].Type == event.Unmapped {
		check.Notes = append(check.Notes, fmt.Sprintf("%s: %s is not mapped: events are searched "+
			"by @timestamp; %s", where, o, lateness(d.Rule, late)))
	}
}

// lateness says what becomes of an event that comes late and says nothing of it.
func lateness(r *rule.Rule, late time.Duration) string {
	if late == 0 {
		return fmt.Sprintf("one that arrives more than %s late is missed, since ESRULE_LATE=0 "+
			"switches the late sweep off", Overlap(r))
	}
	return fmt.Sprintf("one that arrives more than %s late is found within the hour by the late "+
		"sweep, one later than %s (ESRULE_LATE) is missed", Overlap(r), model.Duration(late))
}

func (d *Detection) unmappedIn(m *event.Mapping) []string {
	return slices.DeleteFunc(d.named(), func(path string) bool {
		return m.Fields[path].Type != event.Unmapped
	})
}

// checkClosed names the closed indices of a pattern.
func checkClosed(ctx context.Context, c Counter, check *PatternCheck, patterns []string) error {
	closed, err := c.Closed(ctx, patterns)
	if err != nil || len(closed) == 0 {
		return err
	}
	check.Notes = append(check.Notes, fmt.Sprintf(
		`closed, so not searched until opened: %s (%d in all): open them, leave them out with "-name" after the pattern, or name them in ESRULE_SET_ASIDE`,
		strings.Join(closed[:min(len(closed), shownClosed)], ", "), len(closed)))
	return nil
}

// shownClosed is how many closed indices check names.
const shownClosed = 5
