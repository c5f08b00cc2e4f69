package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/state"
	"esrule/internal/schedule/backfill"
)

// backfillStatus is where one backfill stands. It has no part in whether status ends well: one that
// somebody gave up is no reason to wake anybody.
type backfillStatus struct {
	ID         string               `json:"id"`
	Request    backfill.Request     `json:"request"`
	Rules      int                  `json:"rules"`
	MadeAt     time.Time            `json:"made_at"`
	Slices     int                  `json:"slices"`
	Done       int                  `json:"done"`
	Failed     int                  `json:"failed"`
	Counts     detect.Counts        `json:"counts"`
	Failures   []backfill.Uncovered `json:"failures,omitempty"`
	Unsearched []detect.Failure     `json:"unsearched,omitempty"`
	// GoOn is the command that goes on with it; empty where it is done. The rules are those of the
	// command.
	GoOn string `json:"go_on,omitempty"`
}

// backfills reads the plans that there are, the newest first.
func (a *app) backfills(ctx context.Context, cfg config.Config,
	c *elastic.Client) ([]backfillStatus, error) {
	store := backfill.NewStore(state.NewStore(c.Requests, cfg.StateIndex), a.now)
	plans, err := store.List(ctx)
	if err != nil {
		return nil, err
	}
	var all []backfillStatus
	for _, p := range plans {
		t, err := store.Totals(ctx, p)
		if err != nil {
			return nil, err
		}
		s := backfillStatus{
			ID: p.ID, Request: p.Request, Rules: p.Rules(), MadeAt: p.MadeAt, Slices: t.Slices,
			Done: t.Done, Failed: t.Failed,
			Counts: t.Counts, Failures: t.Failures, Unsearched: p.Unsearched(),
		}
		if !t.Whole() {
			s.GoOn = p.Request.Command()
		}
		all = append(all, s)
	}
	return all, nil
}

func printBackfillStatus(w *tabwriter.Writer, s backfillStatus) {
	r := s.Request.Range
	fmt.Fprintf(w, "\nBackfill %s\n  range\t%s to %s, %d rules\n", s.ID,
		r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), s.Rules)
	fmt.Fprintf(w, "  slices\t%d of %d covered, %d failed\n", s.Done, s.Slices, s.Failed)
	fmt.Fprintf(w, "  found\t%s\n", s.Counts.Text())
	for _, f := range s.Failures {
		fmt.Fprintf(w, "  failed\t%s for %s: %s\n", nameOf(f.Index), spans(f.Time), f.Reason)
	}
	for _, f := range s.Unsearched {
		fmt.Fprintf(w, "  not searched\t%s: %s\n", nameOf(f.Index), f.Reason)
	}
	if s.GoOn != "" {
		fmt.Fprintf(w, "  go on with\t%s\n", s.GoOn)
	}
}
