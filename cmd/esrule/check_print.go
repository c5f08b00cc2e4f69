package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"esrule/internal/detect"
	"esrule/internal/finding"
)

func (a *app) printChecked(c *checked, format string) error {
	if format == "json" {
		e := json.NewEncoder(a.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(c)
	}
	out := plain{a.stdout}
	for _, r := range c.Rules {
		if err := printRuleCheck(out, r); err != nil {
			return err
		}
	}
	for _, s := range c.Skipped {
		fmt.Fprintf(out, "skipped: %s (%s, %s): %s\n", s.Name, s.File, s.Kind, s.Reason)
	}
	if len(c.Unread) > 0 {
		fmt.Fprintf(out, "not read: %s\n  %s\n", namesOf(c.Unread),
			strings.Join(append([]string{readFormat}, formatAdvice(c.Unread)...), "\n  "))
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(out, "doubtful: %s\n", warning)
	}
	for _, problem := range c.Problems {
		fmt.Fprintf(out, "problem: %s\n", problem)
	}
	for _, note := range c.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	fmt.Fprintf(out, "%d rules checked, %d skipped%s, %d problems\n", len(c.Rules), len(c.Skipped),
		kinds(c.SkippedKinds), c.problems())
	if c.NotChosen > 0 {
		fmt.Fprintf(out, "%d rules are left out by choice\n", c.NotChosen)
	}
	if !c.Cluster {
		fmt.Fprintln(out, "No cluster is configured: whether the rules can fire was not asked "+
			"(set ESRULE_ELASTICSEARCH_URL).")
	}
	return errors.Join(printKinds(out, c.Kinds), printSources(out, c))
}

// printSources writes the table of what can fire on the cluster.
func printSources(out io.Writer, c *checked) error {
	if c.EveryRule == nil {
		return nil
	}
	meanings := map[finding.Code]string{}
	for _, k := range finding.All() {
		meanings[k.Code] = k.Meaning
	}
	fmt.Fprintf(out, "\nWhat can fire on this cluster, by index pattern (events of the last %s):\n",
		detect.CheckedDays)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "events\trules\tcan fire\tcannot\t  pattern")
	row := func(events, name string, s detect.Source) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t  %s\n", events, s.Rules, s.CanFire, s.Cannot, name)
	}
	for _, s := range c.Sources {
		row(strconv.FormatInt(s.Events, 10), s.Pattern, s)
	}
	row("", "every rule, over all its patterns", *c.EveryRule)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range append(slices.Clone(c.Sources), *c.EveryRule) {
		for _, code := range slices.Sorted(maps.Keys(s.Why)) {
			name := cmp.Or(s.Pattern, "every rule")
			fmt.Fprintf(out, "  %s: %d cannot: %s (%s)\n", name, s.Why[code], meanings[code], code)
		}
	}
	return nil
}

// kinds writes how many of each kind there are, the most first.
func kinds(counts map[string]int) string {
	if len(counts) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return " (" + strings.Join(names, ", ") + ")"
}

func printRuleCheck(out io.Writer, r detect.RuleCheck) error {
	fmt.Fprintf(out, "%s (%s)\n", r.Name, r.RuleID)
	for _, one := range r.Doubts {
		fmt.Fprintf(out, "  problem: %s\n", strings.ReplaceAll(one.Error(), "\n", "\n    "))
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(out, "  problem: %s\n", strings.ReplaceAll(problem, "\n", "\n    "))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "  note: %s\n", note)
	}
	for _, p := range r.Patterns {
		fmt.Fprintf(out, "  %s: %d indices; in the last %s %d events, of which the rule reads %d\n",
			p.Pattern, len(p.Indices), detect.CheckedDays, p.Events, p.Candidates)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, f := range p.Fields {
			fmt.Fprintf(w, "    %s\t%s\tin %d events\n", f.Path, f.Mapping, f.Events)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, problem := range p.Problems {
			fmt.Fprintf(out, "    problem: %s\n", strings.ReplaceAll(problem, "\n", "\n      "))
		}
		for _, note := range p.Notes {
			fmt.Fprintf(out, "    note: %s\n", strings.ReplaceAll(note, "\n", "\n      "))
		}
	}
	return nil
}
