package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/query/match"
)

const explainLong = `Say why an event matches the rules, or does not: every part of the condition with its
outcome and the event's values beside it, and the pre-filter as query DSL with what it
leaves to the matcher.

The event is a JSON object: a bare _source, or a hit {"_index", "_id", "_source"} as a
search gives it. Where a cluster is configured and the index is known, from the hit or
from --index, the event is read through that index's mapping, as "run" would, and where
the hit has its _id, with the values that only the index has (copy_to, runtime fields,
dates in formats of its own). Otherwise every value is compared as text, and the
pre-filter is the one for an index that maps every field as keyword.`

const explainExample = `  esrule explain --event event.json
  esrule explain --event event.json --index winlogbeat-8.17.0
  esrule explain --event events.ndjson
  curl -s "$ES/winlogbeat-8.17.0/_doc/abc" | esrule explain --event -`

// explainFlags are what the command can be told.
type explainFlags struct {
	event, index, format string
}

func newExplainCommand(a *app) *cobra.Command {
	var f explainFlags
	format := newChoice("text", "json")
	cmd := &cobra.Command{
		Use:     "explain --event FILE",
		Short:   "Say why an event matches or does not",
		Long:    explainLong,
		Example: explainExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.format = format.String()
			return a.explain(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.event, "event", "",
		"the file that holds the event, or several, - for standard input (required)")
	cmd.Flags().StringVar(&f.index, "index", "",
		"the index whose mapping the event is read through (default: the hit's own)")
	format.register(cmd, "how the result is written")
	if err := cmd.MarkFlagRequired("event"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func (a *app) explain(ctx context.Context, f explainFlags) error {
	cfg, log, detections, err := a.prepare()
	if err != nil {
		return err
	}
	samples, err := a.readSamples(f.event)
	if err != nil {
		return withExit(exitUsage, err)
	}
	for i := range samples {
		samples[i].Index = cmp.Or(f.index, samples[i].Index)
	}
	x := explainer{now: a.now()}
	hasIndex := func(s detect.Sample) bool { return s.Index != "" }
	if cfg.HasCluster() && slices.ContainsFunc(samples, hasIndex) {
		c, err := a.connect(ctx, cfg, log)
		if err != nil {
			return err
		}
		x.cluster = a.reader(cfg, c, log)
	}
	for _, d := range detections {
		if err := x.explain(ctx, d, samples); err != nil {
			if _, wrong := errors.AsType[*detect.IndexError](err); wrong {
				return withExit(exitUsage, err)
			}
			return err
		}
	}
	return a.printExplanations(x.all, f.format)
}

// explainer explains rules on events.
type explainer struct {
	cluster *search.Cluster // nil where no index is asked
	now     time.Time
	all     []any // detect.Explanation and detect.Together
}

// explain explains a rule on each of the events; one that joins several, on all together.
func (x *explainer) explain(ctx context.Context, d *detect.Detection,
	samples []detect.Sample) error {
	if d.Sequence != nil && len(samples) > 1 {
		together, err := d.ExplainTogether(ctx, x.cluster, samples, x.now)
		x.all = append(x.all, together)
		return err
	}
	for _, s := range samples {
		explain := func() (detect.Explanation, error) { return d.Explain(s, x.now) }
		if x.cluster != nil && s.Index != "" {
			explain = func() (detect.Explanation, error) {
				return d.ExplainOn(ctx, x.cluster, s, x.now)
			}
		}
		one, err := explain()
		if err != nil {
			return err
		}
		x.all = append(x.all, one)
	}
	return nil
}

// readSamples reads the events from a file, or from standard input.
func (a *app) readSamples(path string) ([]detect.Sample, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(a.stdin)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	samples, err := detect.ReadSamples(text)
	if err != nil {
		return nil, fmt.Errorf("read the event from %s: %w", path, err)
	}
	return samples, nil
}

func (a *app) printExplanations(all []any, format string) error {
	if format == "json" {
		e := json.NewEncoder(a.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	for i, x := range all {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		switch x := x.(type) {
		case detect.Together:
			printTogether(plain{a.stdout}, x)
		case detect.Explanation:
			if err := printExplanation(plain{a.stdout}, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func printExplanation(w io.Writer, x detect.Explanation) error {
	outcome := "does not match"
	switch {
	case x.Matches && x.Stages != nil:
		outcome = "can be one of the events of"
	case x.Matches && x.Terms != nil:
		outcome = "matches, if its values are new, the"
	case x.Matches:
		outcome = "matches"
	case x.Accepted && len(x.Excepted) > 0:
		outcome = "is excepted, and no match of"
	}
	fmt.Fprintf(w, "The event %s rule %q (%s).\nMapping: %s\n", outcome, x.Name, x.RuleID,
		x.Mapping)
	for _, note := range x.Notes {
		fmt.Fprintf(w, "Note: %s\n", note)
	}
	fmt.Fprintln(w)
	if x.Condition != nil {
		printNode(w, x.Condition, 0)
	}
	for _, terms := range x.Terms {
		fmt.Fprintf(w, "\nNew, unless an event that the query accepts had them within %s before: %s\n",
			x.Before, terms)
	}
	for _, one := range x.Indicators {
		fmt.Fprintf(w, "\n%s has the value %s of the indicator %s of %s.\n", one.Field, one.Value,
			one.ID, one.Index)
	}
	for i, stage := range x.Stages {
		fmt.Fprintf(w, "%d. of the events that the rule wants together:\n", i+1)
		printNode(w, stage, 0)
	}
	for _, by := range x.Excepted {
		fmt.Fprintf(w, "\nThe exception %q (%s) accepts the event:\n", by.Name, by.From)
		printNode(w, by.Condition, 0)
	}
	text, err := json.MarshalIndent(x.PreFilter, "  ", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe pre-filter, without the time range:\n  %s\n", text)
	if len(x.LeftOut) > 0 {
		fmt.Fprintln(w, "\nLeft to the matcher:")
	}
	for _, o := range x.LeftOut {
		fmt.Fprintf(w, "  %s\n    %s\n", o.Text, o.Reason)
	}
	return nil
}

// printNode writes one line a node: true or false, the part of the condition, the event's values,
// and a mark where the part decided.
func printNode(w io.Writer, x *match.Explanation, depth int) {
	text := x.Text
	if x.Kind != "leaf" {
		text = x.Kind
	}
	indent := strings.Repeat("  ", depth+1)
	fmt.Fprintf(w, "%s%-5t %s", indent, x.Holds, text)
	if x.Decisive && x.Kind == "leaf" {
		fmt.Fprint(w, "   <- decides")
	}
	fmt.Fprintln(w)
	for _, f := range x.Fields {
		fmt.Fprintf(w, "%s        %s\n", indent, describeField(f))
	}
	for _, c := range x.Computed {
		fmt.Fprintf(w, "        %s  %s gives %s\n", strings.Repeat("  ", depth), c.Text,
			strings.Join(c.Values, ", "))
	}
	for _, operand := range x.Operands {
		printNode(w, operand, depth+1)
	}
}

func describeField(f match.FieldValues) string {
	values := "is missing"
	if len(f.Values) > 0 {
		quoted := make([]string, len(f.Values))
		for i, v := range f.Values {
			quoted[i] = fmt.Sprintf("%q", v)
		}
		values = "is " + strings.Join(quoted, ", ")
	}
	var notes []string
	if f.Mapping != "" {
		notes = append(notes, f.Mapping)
	}
	if f.Ignored > 0 {
		notes = append(notes, "longer than ignore_above: esrule sees it, a search does not")
	}
	if len(f.Coerced) > 0 {
		notes = append(notes, "read "+strings.Join(f.Coerced, ", "))
	}
	if len(f.NotTaken) > 0 {
		notes = append(notes, fmt.Sprintf("the event holds %q, which is no value there",
			f.NotTaken))
	}
	if len(notes) == 0 {
		return f.Path + " " + values
	}
	return fmt.Sprintf("%s %s (%s)", f.Path, values, strings.Join(notes, "; "))
}
