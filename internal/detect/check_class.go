package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/rule"
)

// judgeClass says what keeps the rule from firing on indices of one mapping.
func (d *Detection) judgeClass(check *PatternCheck, class search.Class, hints map[string]string,
	late time.Duration) {
	where := class.Indices[0]
	if n := len(class.Indices) - 1; n > 0 {
		where += fmt.Sprintf(" and %d more", n)
	}
	found := func(code finding.Code, text string, args ...any) {
		check.Add(finding.Finding{Code: code, Index: class.Indices[0],
			Text: where + ": " + fmt.Sprintf(text, args...)})
	}
	if reason := d.unjudgeable(class); reason != "" {
		found(finding.CannotJudge, "%s", reason)
		return
	}
	if asked := askedFields(class.Mapping, d.reading()); len(asked) > 0 {
		found(finding.AskedOfIndex, "the index is asked about each event that is read, since only "+
			"its analyzers know the words of %s", strings.Join(asked, ", "))
	}
	check.classes = append(check.classes, class)
	d.noteExceptions(check, class.Mapping)
	filter := d.alone().filter(class.Mapping)
	check.CanFire = check.CanFire || !filter.IsNothing()
	lacks := d.unmappedIn(class.Mapping)
	switch {
	case filter.IsNothing() && len(lacks) == 0:
		found(finding.NeverFires, "the rule can never fire: no event satisfies its condition")
	case filter.IsNothing():
		found(finding.NeverFires, "the rule can never fire: not mapped: %s", missing(lacks, hints))
	case len(lacks) > 0:
		found(finding.UnmappedField, "not mapped, so missing in every event: %s",
			missing(lacks, hints))
	}
	if filter.IsEverything() {
		found(finding.ReadsEverything, "the rule has no condition that an index answers cheaply: "+
			"every event of a window is read")
	}
	if f := class.Mapping.Fields[timestamp]; !f.IsDate() {
		found(finding.TimestampNotDate, "@timestamp is not mapped as a date: whether an event "+
			"lies in a window is not certain, and one may be missed")
	}
	if o := d.Rule.TimestampOverride; o != "" && class.Mapping.Fields[o].Type == event.Unmapped {
		found(finding.OverrideUnmapped, "%s is not mapped: events are searched by @timestamp; %s",
			o, lateness(d.Rule, late))
	}
}

// Unmapped stands for a mapping where no index has the field.
const Unmapped = "unmapped"

// mappingsOf names how the classes map a field.
func mappingsOf(classes []search.Class, path string) string {
	names := map[string]bool{}
	for _, f := range mappings(classes, path) {
		name := Unmapped
		if f.Type != event.Unmapped {
			name = f.Name
		}
		names[name] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
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
		return mappings([]search.Class{{Mapping: m}}, path)[0].Type != event.Unmapped
	})
}
