package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/query/cond"
	"esrule/internal/query/lint"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
)

const checkLong = `Check the configuration and the rules. Where a cluster is configured, say for every rule
and index pattern whether the rule can fire there: which indices the pattern stands for,
how they map each field of the rule, and how many events of the last day carry it.

Nothing is written. Exit code 3 where something was found that keeps a rule from firing.`

const checkExample = `  esrule check
  esrule check --rules rules/
  esrule check --format json`

func newCheckCommand(a *app) *cobra.Command {
	format := newChoice("text", "json")
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Check the rules, and whether they can fire on this cluster",
		Long:    checkLong,
		Example: checkExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.check(cmd.Context(), format.String())
		},
	}
	format.register(cmd, "format", "how the result is written")
	return cmd
}

// checked is what check has to say.
type checked struct {
	Rules []ruleChecked `json:"rules"`
	// Problems are those of the program's own indices.
	Problems []string       `json:"problems,omitempty"`
	Skipped  []rule.Skipped `json:"skipped,omitempty"`
	// SkippedKinds counts the skipped by their kind.
	SkippedKinds map[string]int `json:"skipped_kinds,omitempty"`
	// Unread are files in the rules' folders that look like rules and are not *.toml.
	Unread []string `json:"unread,omitempty"`
	// Errors are those of malformed rules; then nothing else was checked.
	Errors rule.Errors `json:"errors,omitempty"`
	// Cluster is false where none is configured: then only the rules were checked.
	Cluster bool `json:"cluster"`
}

// ruleChecked is what check has to say of one rule.
type ruleChecked struct {
	detect.RuleCheck
	// Doubts are parts of its query that are probably not meant.
	Doubts rule.Errors `json:"doubts,omitempty"`
}

func (r ruleChecked) problems() int {
	n := len(r.Problems) + len(r.Doubts)
	for _, p := range r.Patterns {
		n += len(p.Problems)
	}
	return n
}

func (c checked) problems() int {
	n := len(c.Problems)
	for _, r := range c.Rules {
		n += r.problems()
	}
	return n
}

func (a *app) check(ctx context.Context, format string) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	log := a.logger(cfg)
	set, rules, err := a.checkRules(cfg)
	detections, skipped := rules.detections, rules.skipped
	result := checked{Rules: []ruleChecked{}, Skipped: skipped, Cluster: cfg.HasCluster()}
	if errors.As(err, &result.Errors) && format == "json" {
		return errors.Join(a.printChecked(result, format), err)
	}
	if err != nil {
		return err
	}
	result.Problems = refusedRules(rules.refused)
	result.Unread = ruleLike(set.Unread)
	if len(skipped) > 0 {
		result.SkippedKinds = map[string]int{}
	}
	for _, s := range skipped {
		result.SkippedKinds[s.Kind]++
	}
	if len(detections) == 0 {
		return errors.Join(a.printChecked(result, format), noRules(set, skipped))
	}
	for _, d := range detections {
		result.Rules = append(result.Rules,
			ruleChecked{RuleCheck: detect.RuleCheck{RuleID: d.Rule.ID, Name: d.Rule.Name}})
	}
	if result.Cluster {
		if err := a.checkOnCluster(ctx, cfg, detections, &result, log); err != nil {
			return err
		}
	}
	for i, d := range detections {
		doubt(&result.Rules[i], d)
	}
	if err := a.printChecked(result, format); err != nil {
		return err
	}
	if n := result.problems(); n > 0 {
		return withExit(exitFound, fmt.Errorf("%d problems found", n))
	}
	return nil
}

// checkRules reads and compiles the rules. The error holds all that is wrong with any of them.
func (a *app) checkRules(cfg config.Config) (*rule.Set, ruleSet, error) {
	set, err := a.loadRules(cfg)
	if err != nil {
		return nil, ruleSet{}, err
	}
	compiled, err := compile(set, cfg)
	return set, compiled, err
}

// doubt adds what is doubtful about a rule wherever it runs, and about its operators on fields as
// its patterns map them.
func doubt(check *ruleChecked, d *detect.Detection) {
	var mapped []string
	for _, p := range check.Patterns {
		for _, f := range p.Fields {
			if f.Mapping != detect.Unmapped {
				mapped = append(mapped, f.Path)
			}
		}
	}
	if doubts := lint.Query(d.Rule.Parsed, mapped...); len(doubts) > 0 {
		check.Doubts = d.Rule.Locate(doubts)
	}
	if !prefilter.Selective(prefilter.Build(d.Matcher.Condition(), allKeywords(d.Fields)).Clause) {
		check.Notes = append(check.Notes, "no exact value of a telling field narrows the search: "+
			"every event of its category is read")
	}
	for i := range check.Patterns {
		p := &check.Patterns[i]
		fields := lint.Fields{}
		for _, f := range p.Fields {
			fields[f.Path] = f.Mappings
		}
		never, texts := lint.Types(d.Rule.Parsed,
			cmp.Or(d.Rule.EventCategoryField, match.DefaultCategoryField), fields)
		p.Problems = append(p.Problems, located(d, never)...)
		p.Notes = append(p.Notes, located(d, texts)...)
	}
}

func located(d *detect.Detection, found cond.Errors) []string {
	if len(found) == 0 {
		return nil
	}
	var list []string
	for _, one := range d.Rule.Locate(found) {
		list = append(list, one.Error())
	}
	return list
}

func (a *app) checkOnCluster(ctx context.Context, cfg config.Config, detections []*detect.Detection,
	into *checked, log *slog.Logger) error {
	c, err := a.connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	missing, err := indicesOf(cfg).Missing(ctx, c.Requests)
	if err != nil {
		return err
	}
	for _, m := range missing {
		into.Problems = append(into.Problems, m.String()+
			": the rules cannot run (`esrule setup --role-only` prints the role)")
	}
	warnings, err := indicesOf(cfg).Inspect(ctx, c.Requests)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		into.Problems = append(into.Problems, w.String())
	}
	reader := a.reader(cfg, c, log)
	for i, d := range detections {
		if into.Rules[i].RuleCheck, err = d.Check(ctx, reader, a.now(), cfg.Late); err != nil {
			return fmt.Errorf("check rule %s: %w", d.Rule.ID, err)
		}
	}
	return nil
}

func (a *app) printChecked(c checked, format string) error {
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
	for _, problem := range c.Problems {
		fmt.Fprintf(out, "problem: %s\n", problem)
	}
	fmt.Fprintf(out, "%d rules checked, %d skipped%s, %d problems\n", len(c.Rules), len(c.Skipped),
		kinds(c.SkippedKinds), c.problems())
	if !c.Cluster {
		fmt.Fprintln(out, "No cluster is configured: whether the rules can fire was not asked "+
			"(set ESRULE_ELASTICSEARCH_URL).")
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

func printRuleCheck(out io.Writer, r ruleChecked) error {
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
