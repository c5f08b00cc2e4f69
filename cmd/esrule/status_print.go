package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// statusPrinter is how the status is written.
type statusPrinter struct {
	format string
	all    bool // every rule is shown
}

// fewRules is how many rules are shown without a summary, and how many of more that have something
// to say.
const fewRules = 10

func (p statusPrinter) print(out io.Writer, all statusReport) error {
	if p.format == "json" {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	w := tabwriter.NewWriter(plain{out}, 0, 0, 2, ' ', 0)
	shown, more := all.Rules, 0
	if len(all.Rules) > fewRules {
		printSummary(w, all)
		if !p.all {
			shown, more = all.remarkable()
		}
		if len(shown) > 0 {
			fmt.Fprintln(w)
		}
	}
	for i, s := range shown {
		if i > 0 {
			fmt.Fprintln(w)
		}
		printRuleStatus(w, s)
	}
	if more > 0 {
		fmt.Fprintf(w, "\n%d more rules are not covered or cost more than their share: "+
			"esrule status --all shows every rule.\n", more)
	}
	for _, s := range all.Backfills {
		printBackfillStatus(w, s)
	}
	if all.DeadLetters > 0 {
		fmt.Fprintf(w, "\n%d dead letters in %s: signals that the signals index refused in every "+
			"form, each with its reason.\n"+
			"Remove the cause, then run a backfill over their time: it writes them.\n",
			all.DeadLetters, all.deadLetterIndex)
	}
	return w.Flush()
}

// remarkable returns the rules that have something to say, those first that lag most, and how many
// more there are. Those that were never run, the summary counts.
func (r statusReport) remarkable() (rules []ruleStatus, more int) {
	for _, s := range r.Rules {
		if s.CoveredUpTo != nil && (!s.Covered || len(s.Costs) > 0) {
			rules = append(rules, s)
		}
	}
	slices.SortStableFunc(rules, func(a, b ruleStatus) int { return cmp.Compare(b.Lag, a.Lag) })
	shown := min(len(rules), fewRules)
	return rules[:shown], len(rules) - shown
}

// runs is what the rules' last runs came to, with what is open by now.
func (r statusReport) runs() (report schedule.Report) {
	for _, s := range r.Rules {
		if s.LastRun == nil {
			continue
		}
		one := schedule.RuleReport{RuleID: rule.ID(s.RuleID), Name: s.Name, Run: *s.LastRun,
			Open: s.Open, Sick: s.Sick}
		// A piece that failed is told by its own reason.
		if s.LastRun.Error != "" && len(s.Sick) == 0 {
			one.Err = errors.New(s.LastRun.Error)
		}
		report.Rules = append(report.Rules, one)
	}
	return report
}

// printSummary says of all rules where they stand, and each cause of what is not covered once.
func printSummary(w *tabwriter.Writer, all statusReport) {
	t := tallyOf(all.Rules)
	fmt.Fprintf(w, "%d rules, %d covered\n", len(all.Rules), t.covered)
	if left := len(all.Rules) - t.covered; left > 0 {
		fmt.Fprintf(w, "  not covered\t%d rules%s\n", left, t.reasons())
	}
	if first := t.last; first != nil {
		lag := time.Duration(first.Lag * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(w, "  furthest behind\t%s (%s): covered up to %s (%s ago)\n", first.Name,
			first.RuleID, first.CoveredUpTo.Format(time.RFC3339), lag)
		fmt.Fprintf(w, "  its late sweep\t%s\n", first.LateSweep)
	}
	runs := all.runs()
	if len(runs.Rules) > 0 {
		sum := runs.Sum()
		fmt.Fprintf(w, "  last run\t%s: searched %s at most, %s\n", t.ranAt.Format(time.RFC3339),
			sum.Searched.Round(time.Second), sum.Counts.Text())
		fmt.Fprintf(w, "  searches\t%s\n", searchesOf(sum))
	}
	if t.changed > 0 {
		fmt.Fprintf(w, "  changed\t%d rules: what was covered before was searched for them as "+
			"they were then\n", t.changed)
	}
	if len(t.setAside) > 0 {
		fmt.Fprintf(w, "  closed\t%s: set aside (ESRULE_SET_ASIDE), not searched until opened\n",
			namesOf(t.setAside))
	}
	for _, trouble := range runs.Troubles() {
		fmt.Fprintf(w, "\n%s\n", describeTrouble(trouble))
	}
}

// searchesOf says how many rules shared how many searches.
func searchesOf(s schedule.Sum) string {
	if s.Together+s.Alone == 0 {
		return "none: no index of the rules' patterns was searched"
	}
	text := fmt.Sprintf("%d rules together by %d searches, %d alone by %d", s.Together, s.Shared,
		s.Alone, s.Searches-s.Shared)
	if s.WholeWindow > 0 {
		text += fmt.Sprintf("; for %d rules every event of a window was read", s.WholeWindow)
	}
	return text
}

// tally counts rules by where they stand.
type tally struct {
	covered, neverRun, gaps, open, sick, failed, late, changed int
	last                                                       *ruleStatus // the furthest behind
	ranAt                                                      time.Time   // the last of the runs
	setAside                                                   []string
}

func tallyOf(rules []ruleStatus) (t tally) {
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for i, s := range rules {
		count(&t.covered, s.Covered)
		count(&t.neverRun, s.CoveredUpTo == nil)
		count(&t.gaps, len(s.Gaps) > 0)
		count(&t.open, len(s.Open) > 0)
		count(&t.sick, len(s.Sick) > 0)
		count(&t.failed, s.LastRun != nil && s.LastRun.Error != "")
		count(&t.late, s.Late)
		count(&t.changed, s.ChangedAt != nil)
		if s.CoveredUpTo != nil && (t.last == nil || s.Lag > t.last.Lag) {
			t.last = &rules[i]
		}
		if s.LastRun != nil && s.LastRun.At.After(t.ranAt) {
			t.ranAt = s.LastRun.At
		}
		t.setAside = append(t.setAside, s.SetAside...)
	}
	slices.Sort(t.setAside)
	t.setAside = slices.Compact(t.setAside)
	return t
}

// reasons says how many rules are not covered for which kind of reason; one rule may have several.
func (t tally) reasons() string {
	var all []string
	for _, one := range []struct {
		n    int
		what string
	}{
		{t.neverRun, "never run"}, {t.gaps, "with a gap"}, {t.open, "waiting for an index"},
		{t.sick, "with pieces that failed"}, {t.failed, "whose last run failed"},
		{t.late, "covered up to longer ago than --max-lag"},
	} {
		if one.n > 0 {
			all = append(all, fmt.Sprint(one.n, " ", one.what))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, ", ")
}

func printRuleStatus(w *tabwriter.Writer, s ruleStatus) {
	fmt.Fprintf(w, "%s\n  rule id\t%s\n", s.Name, s.RuleID)
	if s.CoveredUpTo == nil {
		fmt.Fprintf(w, "  covered\tnothing yet: the rule was never run\n")
		return
	}
	lag := time.Duration(s.Lag * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(w, "  covered up to\t%s (%s ago)\n", s.CoveredUpTo.Format(time.RFC3339), lag)
	if s.Late {
		fmt.Fprintf(w, "  late\tlonger ago than --max-lag: is esrule still running?\n")
	}
	for _, gap := range s.Gaps {
		fmt.Fprintf(w, "  gap\t%s, %s: covered by the next run\n", gap, lengthOf(gap))
	}
	for _, open := range s.Open {
		fmt.Fprintf(w, "  open\t%s for %s since %s, tried again %d times, next try %s: %s\n",
			nameOf(open.Index), open.What(),
			open.Since.Format(time.RFC3339), open.Tries, open.Next.Format(time.RFC3339),
			open.Reason)
	}
	for _, p := range s.Sick {
		fmt.Fprintf(w, "  failed\t%s since %s, tried again %d times, next try %s: %s\n", p.What(),
			p.Since.Format(time.RFC3339), p.Tries, p.Next.Format(time.RFC3339), p.Reason)
	}
	if len(s.SetAside) > 0 {
		fmt.Fprintf(w, "  closed\t%s: set aside (ESRULE_SET_ASIDE), not searched until opened\n",
			namesOf(s.SetAside))
	}
	fmt.Fprintf(w, "  late sweep\t%s\n", s.LateSweep)
	if run := s.LastRun; run != nil {
		fmt.Fprintf(w, "  last run\t%s, %s: searched %s in %d indices, %s\n",
			run.At.Format(time.RFC3339), run.Duration.Round(time.Millisecond),
			run.Searched.Round(time.Second), run.Indices, run.Counts.Text())
		if run.Together > 1 {
			fmt.Fprintf(w, "  searched\ttogether with %d other rules\n", run.Together-1)
		}
		if run.WholeWindow != "" {
			fmt.Fprintf(w, "  whole window\t%s\n", run.WholeWindow)
		}
		if run.Error != "" {
			fmt.Fprintf(w, "  failed\t%s\n", run.Error)
		}
	}
	for _, cost := range s.Costs {
		fmt.Fprintf(w, "  costs\t%s\n", cost)
	}
	if s.ChangedAt != nil {
		fmt.Fprintf(w, "  changed\t%s: what was covered before was searched for the rule as it "+
			"was then\n", s.ChangedAt.Format(time.RFC3339))
	}
}
