package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/report"
	"esrule/internal/schedule/backfill"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// historyPage is the report of a backfill, or nothing where none was asked for. It shows every
// signal of the rules in the range, whichever run or process wrote it: an incident has one history.
// That of a dry run shows those that were printed.
type historyPage struct {
	*history
	writer   *report.Writer
	mappings map[mappingKey]*event.Mapping
}

// mappingKey: classes of mappings are read for the fields of one rule.
type mappingKey struct {
	index string
	rule  rule.ID
}

func (h *history) newPage() (*historyPage, error) {
	p := &historyPage{history: h, mappings: map[mappingKey]*event.Mapping{}}
	if h.flags.report == "" {
		return p, nil
	}
	w, err := report.Create(h.flags.report)
	if err != nil {
		return nil, withExit(exitUsage, err)
	}
	p.writer = w
	return p, nil
}

// take is given the signals of a dry run. Where the page cannot be written any more, the run goes
// on, and finish tells.
func (p *historyPage) take(s signal.Signal) {
	if p.writer != nil {
		p.add(context.Background(), s.Document)
	}
}

func (p *historyPage) add(ctx context.Context, document []byte) {
	_ = p.writer.Add(report.Signal{Document: document, Decided: p.explain(ctx, document)})
}

// discard drops a page that was not finished.
func (p *historyPage) discard() {
	if p.writer != nil {
		p.writer.Discard()
	}
}

// finish writes the page of whatever was covered, also where the backfill was stopped.
func (p *historyPage) finish(ctx context.Context, plan *backfill.Plan, totals backfill.Totals,
	covered map[rule.ID]span.Intervals, changes backfill.Changes) error {
	if p.writer == nil {
		return nil
	}
	r := report.Report{
		Command: "backfill", Version: readBuildInfo().Version, Generated: p.now(),
		Skipped: p.rules.skipped,
		From:    plan.Request.Range.From, To: plan.Request.Range.To,
	}
	for _, d := range p.rules.detections {
		r.Rules = append(r.Rules, d.Rule)
	}
	for _, part := range plan.Rules {
		p.coverage(&r, plan, part, covered[part.RuleID], totals)
	}
	p.limits(&r, plan, changes)
	if p.flags.dryRun {
		r.Notes = append(r.Notes, "A dry run: none of these signals was written to the cluster, "+
			"and those that were there before are not told apart.")
		return p.writer.Finish(r)
	}
	r.Notes = append(r.Notes, "Shown is every signal of these rules whose event lies in the "+
		"range, whichever run wrote it.")
	if err := p.readBack(ctx, plan, totals); err != nil {
		r.NotCovered = append(r.NotCovered, report.Gap{What: "signals in " + p.cfg.SignalsIndex,
			Reason: fmt.Sprintf("They could not all be read for this page: %v. Run the same "+
				"command again.", err)})
	}
	return p.writer.Finish(r)
}

// coverage enters what was searched for one rule, and what was not.
func (p *historyPage) coverage(r *report.Report, plan *backfill.Plan, part backfill.Part,
	covered span.Intervals, totals backfill.Totals) {
	what := strings.Join(part.Patterns, ", ")
	if what == "" {
		return // nothing of it may be read, which limits says
	}
	whole := len(covered) == 1 && covered[0] == plan.Request.Range
	for _, i := range covered {
		c := report.Coverage{What: what, Rule: part.RuleID, From: i.From, To: i.To, Events: -1,
			Judged: -1}
		if whole {
			c.Events, c.Judged = p.documents(plan, part), part.Candidates
		}
		r.Covered = append(r.Covered, c)
	}
	for _, i := range (span.Intervals{plan.Request.Range}).Minus(covered...) {
		r.NotCovered = append(r.NotCovered, report.Gap{What: what, Rule: part.RuleID, From: i.From,
			To: i.To, Reason: reasonFor(i, totals)})
	}
}

// documents is how many events the patterns of a rule held when the plan was made.
func (p *historyPage) documents(plan *backfill.Plan, part backfill.Part) (sum int64) {
	for _, s := range plan.Sources {
		for _, pattern := range part.Patterns {
			if s.Pattern == pattern {
				sum += s.Documents
			}
		}
	}
	return sum
}

// reasonFor says why a span is not covered.
func reasonFor(i span.Interval, totals backfill.Totals) string {
	var reasons []string
	for _, f := range totals.Failures {
		if len(f.Time.Within(i)) > 0 {
			reasons = append(reasons, f.Index+": "+f.Reason)
		}
	}
	if len(reasons) == 0 {
		return "The backfill was stopped before its turn came. The same command goes on with it."
	}
	return strings.Join(reasons, "; ") + ". The same command tries again."
}

// sentence writes a reason, which stands behind a colon elsewhere, to stand alone.
func sentence(reason string) string {
	first, size := utf8.DecodeRuneInString(reason)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(reason[size:], ".") + "."
}

// limits enters what no slice could reach.
func (p *historyPage) limits(r *report.Report, plan *backfill.Plan, changes backfill.Changes) {
	for _, f := range plan.Unsearched() {
		r.NotCovered = append(r.NotCovered, report.Gap{What: f.Index, From: r.From, To: r.To,
			Reason: sentence(f.Reason)})
	}
	for _, s := range plan.Sources {
		if s.Timeless > 0 {
			r.NotCovered = append(r.NotCovered,
				report.Gap{What: s.Pattern,
					Reason: fmt.Sprintf("%d documents have no @timestamp: they lie in no range "+
						"of time and were not searched.", s.Timeless)})
		}
		if len(s.Indices) == 0 && len(s.Unsearched) == 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("No index matched %s when the plan was made.",
				s.Pattern))
		}
	}
	for _, index := range changes.Gone {
		r.NotCovered = append(r.NotCovered,
			report.Gap{What: index, Reason: "It was there when the plan was made and is gone, or " +
				"closed, now: slices covered since did not search it."})
	}
	for _, index := range changes.New {
		r.NotCovered = append(r.NotCovered,
			report.Gap{What: index, Reason: "It came after the plan was made: slices covered " +
				"before did not search it. Run the same with --restart."})
	}
}

// visible is how long to wait until the signals that were written last can be found.
const visible = 10 * time.Second

// readBack reads the signals of the range, once those that this backfill wrote can be found.
func (p *historyPage) readBack(ctx context.Context, plan *backfill.Plan,
	totals backfill.Totals) error {
	ids := make([]string, len(plan.Rules))
	for i, part := range plan.Rules {
		ids[i] = string(part.RuleID)
	}
	searched := plan.Request.Range
	query := dsl.And(dsl.Terms("kibana.alert.rule.uuid", ids),
		dsl.Between("kibana.alert.original_time", searched.From, searched.To))
	signals := []string{p.cfg.SignalsIndex}
	written := int64(totals.Counts.NewSignals())
	for deadline := time.Now().Add(visible); ; time.Sleep(visible / 40) {
		// Others that lie in the range, as the polling job's, say nothing of whether the newest can
		// be found.
		count, err := p.reader.Count(ctx, signals,
			dsl.And(query, dsl.Terms("kibana.alert.rule.execution.uuid", totals.Workers)))
		if err != nil {
			return err
		}
		if count.Documents >= written || time.Now().After(deadline) {
			break
		}
	}
	pit, err := p.reader.OpenPointInTime(ctx, signals)
	if err != nil {
		return err
	}
	defer func() { _ = pit.Close(ctx) }() // an unread one ends by itself
	for page, err := range pit.Pages(ctx, search.Request{Query: query}) {
		if err != nil {
			return err
		}
		for hit := range page.Hits(nil) {
			p.add(ctx, hit.SourceJSON())
		}
	}
	if failures := pit.Failures(); len(failures) > 0 {
		return fmt.Errorf("%s: %s", failures[0].Index, failures[0].Reason)
	}
	return nil
}

// explain judges the event of a signal again, through the mapping of the index it came from where
// that is still there. It gives nil where the event cannot be read back, or would not match now.
func (p *historyPage) explain(ctx context.Context, document []byte) *match.Explanation {
	var alert struct {
		Rule      rule.ID `json:"kibana.alert.rule.uuid"`
		Ancestors []struct {
			Index string `json:"index"`
			ID    string `json:"id"`
		} `json:"kibana.alert.ancestors"`
	}
	text, err := signal.EventOf(document)
	if err != nil || json.Unmarshal(document, &alert) != nil {
		return nil
	}
	for _, d := range p.rules.detections {
		if d.Rule.ID != alert.Rule {
			continue
		}
		var m *event.Mapping
		var fields *fastjson.Value
		if len(alert.Ancestors) == 1 {
			from := sample{Index: alert.Ancestors[0].Index, ID: alert.Ancestors[0].ID}
			m = p.mapping(ctx, from.Index, d)
			fields = p.fields(ctx, from, m, d)
		}
		// Values that the search's `fields` added lie in the signal as if they had been in the
		// event: without a mapping they are read from there.
		for _, mapping := range []*event.Mapping{m, nil} {
			if source, err := parseSource(text, d.Fields, mapping); err == nil {
				e := match.NewEvaluation(d.Fields, p.began)
				e.Reset(mapping, source, fields)
				if x := d.Matcher.Explain(e); x.Holds {
					return x
				}
			}
		}
	}
	return nil
}

// fields asks for those values of an event that only its index has or reads; nil where there are
// none, or no such event any more.
func (p *historyPage) fields(ctx context.Context, from sample, m *event.Mapping,
	d *detect.Detection) *fastjson.Value {
	if m == nil || from.ID == "" {
		return nil
	}
	wanted := search.Want(m, d.Fields.Paths())
	if len(wanted) == 0 {
		return nil
	}
	fields, _, err := indexReader{p.reader}.fields(ctx, from, wanted)
	if err != nil {
		return nil // the page shows the signal without what decided
	}
	return fields
}

// mapping reads what a rule's fields are in an index, once; nil where that is not known.
func (p *historyPage) mapping(ctx context.Context, index string,
	d *detect.Detection) *event.Mapping {
	key := mappingKey{index, d.Rule.ID}
	m, known := p.mappings[key]
	if !known {
		if classes, err := d.Classes(ctx, p.reader, []string{index}); err == nil &&
			len(classes) == 1 {
			m = classes[0].Mapping
		}
		p.mappings[key] = m
	}
	return m
}
