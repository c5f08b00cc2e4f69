package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/finding"
	"esrule/internal/query/rule"
)

const checkLong = `Check the configuration and the rules. Where a cluster is configured, say for every rule
and index pattern whether the rule can fire there: which indices the pattern stands for,
how they map each field of the rule, and how many events of the last day carry it.

Each finding has a code, in the JSON output; docs/check.md lists them.

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
	format.register(cmd, "how the result is written")
	return cmd
}

// checked is what check has to say.
type checked struct {
	Rules []detect.RuleCheck `json:"rules"`
	// List is what was found on the program's own indices, and on rules that do not run.
	finding.List
	// All is everything that was found, on all rules.
	All     []finding.Finding `json:"findings,omitempty"`
	Skipped []rule.Skipped    `json:"skipped,omitempty"`
	// SkippedKinds counts the skipped by their kind.
	SkippedKinds map[string]int `json:"skipped_kinds,omitempty"`
	// Kinds says of each type of rules how many run, and how many are skipped.
	Kinds []kindCount `json:"kinds,omitempty"`
	// Unread are files in the rules' folders that look like rules and are not read.
	Unread []string `json:"unread,omitempty"`
	// NotChosen is how many rules --tag and its like left out.
	NotChosen int `json:"not_chosen,omitempty"`
	// Warnings say what is doubtful in the rules' files.
	Warnings []string `json:"warnings,omitempty"`
	// Errors are those of malformed rules; then nothing else was checked.
	Errors rule.Errors `json:"errors,omitempty"`
	// Sources says for each pattern how many rules can fire there, and EveryRule the same of all.
	Sources   []detect.Source `json:"sources,omitempty"`
	EveryRule *detect.Source  `json:"every_rule,omitempty"`
	// Cluster is false where none is configured: then only the rules were checked.
	Cluster bool `json:"cluster"`

	exceptions []*rule.Exception
}

// addExceptions adds what keeps exceptions from applying.
func (c *checked) addExceptions(now time.Time) {
	for _, f := range detect.CheckExceptions(c.exceptions, c.Rules, now).Findings {
		c.Add(f)
	}
}

// gather lists all findings, and sums up what can fire.
func (c *checked) gather() {
	c.All = slices.Clone(c.Findings)
	for _, r := range c.Rules {
		c.All = append(c.All, r.All()...)
	}
	if c.Cluster && len(c.Rules) > 0 {
		sources, every := detect.Sources(c.Rules)
		c.Sources, c.EveryRule = sources, &every
	}
}

func (c *checked) problems() (n int) {
	for _, f := range c.All {
		if f.Severity == finding.Problem {
			n++
		}
	}
	return n
}

func (a *app) check(ctx context.Context, format string) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	set, rules, err := a.checkRules(cfg)
	if wrong, ok := errors.AsType[rule.Errors](err); ok && format == "json" {
		c := &checked{Rules: []detect.RuleCheck{}, Errors: wrong, Cluster: cfg.HasCluster()}
		return errors.Join(a.printChecked(c, format), err)
	}
	if err != nil {
		return err
	}
	result := newChecked(rules, cfg.HasCluster())
	result.Unread, result.Warnings = ruleLike(set.Unread), set.Warnings
	result.NotChosen = set.NotChosen
	result.exceptions = set.Exceptions
	if len(rules.detections) == 0 {
		result.addExceptions(a.now())
		result.gather()
		return errors.Join(a.printChecked(result, format), noRules(set, rules.skipped))
	}
	if err := a.checkDetections(ctx, cfg, rules.detections, result); err != nil {
		return err
	}
	result.addExceptions(a.now())
	result.gather()
	if err := a.printChecked(result, format); err != nil {
		return err
	}
	if n := result.problems(); n > 0 {
		return withExit(exitFound, fmt.Errorf("%d problems found", n))
	}
	return nil
}

// newChecked begins the result with the rules that do not run.
func newChecked(rules ruleSet, cluster bool) *checked {
	c := &checked{Rules: []detect.RuleCheck{}, Skipped: rules.skipped, Cluster: cluster}
	for _, r := range rules.refused {
		c.Add(finding.Finding{Code: finding.RuleRefused, Rule: string(r.ID), Text: refusedRule(r)})
	}
	for _, s := range rules.skipped {
		if c.SkippedKinds == nil {
			c.SkippedKinds = map[string]int{}
		}
		c.SkippedKinds[s.Kind]++
	}
	c.Kinds = countKinds(rules)
	return c
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

// checkDetections checks the program's indices and each rule, as far as that is possible without a
// cluster where none is configured.
func (a *app) checkDetections(ctx context.Context, cfg config.Config,
	detections []*detect.Detection, into *checked) error {
	if !into.Cluster {
		for _, d := range detections {
			into.Rules = append(into.Rules, d.CheckAlone(a.now()))
		}
		return nil
	}
	log := a.logger(cfg)
	c, err := a.connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := checkOwn(ctx, cfg, c, into); err != nil {
		return err
	}
	reader := a.reader(cfg, c, log)
	for _, d := range detections {
		one, err := d.Check(ctx, reader, a.now(), cfg.Late)
		if err != nil {
			return fmt.Errorf("check rule %s: %w", d.Rule.ID, err)
		}
		into.Rules = append(into.Rules, one)
	}
	return nil
}

// checkOwn checks the program's own indices.
func checkOwn(ctx context.Context, cfg config.Config, c *elastic.Client, into *checked) error {
	missing, err := indicesOf(cfg).Missing(ctx, c.Requests)
	if err != nil {
		return err
	}
	for _, m := range missing {
		into.Add(finding.Finding{Code: finding.OwnPrivilege, Index: m.Index,
			Text: m.String(),
			Advice: "the rules cannot run (`esrule setup --role-only` prints the " +
				"role)"})
	}
	warnings, err := indicesOf(cfg).Inspect(ctx, c.Requests, c.Dialect)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		into.Add(finding.Finding{Code: finding.OwnIndex, Text: w.On + ": " + w.Problem,
			Advice: w.Advice})
	}
	return nil
}
