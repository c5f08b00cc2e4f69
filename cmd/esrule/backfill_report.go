package main

import (
	"context"
	"fmt"

	"esrule/internal/detect"
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
	writer *report.Writer
	review *detect.Review
}

func (h *history) newPage() (*historyPage, error) {
	p := &historyPage{history: h, review: detect.NewReview(h.reader, h.rules.detections, h.began)}
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
// on, and finish reports that.
func (p *historyPage) take(s signal.Signal) {
	if p.writer != nil {
		p.add(context.Background(), s.Document)
	}
}

func (p *historyPage) add(ctx context.Context, document []byte) {
	_ = p.writer.Add(report.Signal{Document: document, Decided: p.review.Explain(ctx, document)})
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
	}
	for _, d := range p.rules.detections {
		r.Rules = append(r.Rules, d.Rule)
	}
	r.AddBackfill(plan, totals, covered, changes)
	if p.flags.dryRun {
		r.Notes = append(r.Notes, "A dry run: none of these signals was written to the cluster, "+
			"and those that were there before are not told apart.")
		return p.writer.Finish(r)
	}
	r.Notes = append(r.Notes, "Shown is every signal of these rules whose event lies in the "+
		"range, whichever run wrote it.")
	if err := p.survey.Signals(ctx, p.cfg.SignalsIndex, plan, totals, func(document []byte) {
		p.add(ctx, document)
	}); err != nil {
		r.NotCovered = append(r.NotCovered, report.Gap{What: "signals in " + p.cfg.SignalsIndex,
			Reason: fmt.Sprintf("They could not all be read for this page: %v. Run the same "+
				"command again.", err)})
	}
	return p.writer.Finish(r)
}
