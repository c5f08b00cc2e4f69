package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/schedule/backfill"
	"esrule/internal/span"
)

// printPlan shows what a backfill is about to do.
func printPlan(out io.Writer, p *backfill.Plan) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	r := p.Request.Range
	fmt.Fprintf(w, "Backfill %s of @timestamp from %s to %s (%s), planned %s\n\n", p.ID,
		r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), lengthOf(r),
		p.MadeAt.Format(time.RFC3339))
	fmt.Fprintln(w, "  pattern\tindices\tdocuments\twithout @timestamp\t")
	for _, s := range p.Sources {
		note := ""
		switch {
		case len(s.Indices) == 0 && len(s.Unsearched) == 0:
			note = "no index matches: nothing is searched here"
		case s.Timeless > 0:
			note = "those without @timestamp cannot be reached by time: they are not searched"
		}
		fmt.Fprintf(w, "  %s\t%d\t%d\t%d\t%s\n", s.Pattern, len(s.Indices), s.Documents,
			s.Timeless, note)
	}
	fmt.Fprintln(w, "\n  rule\tcandidates\tslices\t")
	for _, part := range p.Parts {
		fmt.Fprintf(w, "  %s\t%d\t%d\t\n", part.Title(), part.Candidates, len(part.Weights))
	}
	printFailures(w, "not searched", p.Unsearched())
	var silent []detect.Failure
	for _, s := range p.Sources {
		silent = append(silent, s.Silent...)
	}
	printFailures(w, "not in these numbers, and searched all the same", silent)
	fmt.Fprintln(w)
	return w.Flush()
}

func printFailures(w io.Writer, title string, failures []detect.Failure) {
	if len(failures) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  %s:\n", title)
	for _, alike := range detect.ByReason(failures) {
		for i, index := range alike.Indices {
			alike.Indices[i] = nameOf(index)
		}
		fmt.Fprintf(w, "    %s: %s\n", strings.Join(alike.Indices, ", "), alike.Reason)
	}
}

// tellStart says how the work begins, on what was done before.
func (h *history) tellStart(t backfill.Totals, resumed bool) {
	switch {
	case h.flags.dryRun:
		fmt.Fprintln(h.stderr, "A dry run: signals go to standard output and nothing is written "+
			"to the cluster. If you stop it, it starts over: a dry run keeps no state.")
	case resumed && t.Whole():
		fmt.Fprintln(h.stderr, "All slices of this plan are covered already; --restart searches "+
			"them again.")
	case resumed:
		fmt.Fprintf(h.stderr, "Resuming the plan: %d of %d slices are covered.\n", t.Done, t.Slices)
	}
}

// lineEvery is how often progress is told where there is no terminal.
const lineEvery = 10 * time.Second

// watch shows progress until the function that it gives is called: a bar on a terminal, a line now
// and then elsewhere.
func (h *history) watch(r *backfill.Runner) (done func()) {
	show, every, wipe := h.progressLine, lineEvery, func() {}
	if terminal, ok := isTerminal(h.stderr); ok {
		bar := progressbar.NewOptions64(max(r.Totals().Weight, 1),
			progressbar.OptionSetWriter(terminal), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("candidates"),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		show = func(p backfill.Progress, _ backfill.Progress) {
			bar.Describe(fmt.Sprintf("slice %d/%d, %d signals", p.Done+p.Failed, p.Slices,
				p.Counts.NewSignals()))
			_ = bar.Set64(p.Reached())
		}
		every, wipe = 200*time.Millisecond, func() { _ = bar.Finish(); _ = bar.Clear() }
	}
	first := r.Progress()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				show(r.Progress(), first)
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		wipe()
	}
}

func (h *history) progressLine(p, first backfill.Progress) {
	reached := p.Reached()
	rate := float64(reached-first.Reached()) / max(h.now().Sub(h.began).Seconds(), 0.001)
	left := "unknown"
	if rate > 0 {
		seconds := min(float64(p.Weight-reached)/rate, time.Duration(math.MaxInt64).Seconds()/2)
		left = time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
	}
	h.log.Info("backfill", "slices", fmt.Sprintf("%d/%d", p.Done, p.Slices), "failed", p.Failed,
		"candidates", fmt.Sprintf("%d/%d", reached, p.Weight),
		"rate", fmt.Sprintf("%.0f/s", rate), "left", left,
		"signals", p.Counts.NewSignals())
}

func (h *history) printTotals(t backfill.Totals, changes backfill.Changes) {
	c := t.Counts
	fmt.Fprintf(plain{h.stderr}, "%d of %d slices are covered: %d candidates, %d matched, %d signals "+
		"created, %d alerted before, %d reduced, "+
		"%d without their events, %d dead letters%s; %s\n",
		t.Done, t.Slices, c.Candidates, c.Matched, c.Created, c.Duplicates, c.Reduced,
		c.WithoutEvent, c.DeadLettered, c.ExceptedText(),
		h.now().Sub(h.began).Round(time.Millisecond))
	h.printRules(t)
	for _, index := range changes.Gone {
		fmt.Fprintf(plain{h.stderr}, "  %s was there when the plan was made and is gone, or "+
			"closed: slices covered since did not search it\n", nameOf(index))
	}
	for _, index := range changes.New {
		fmt.Fprintf(plain{h.stderr}, "  %s came after the plan was made: slices covered before "+
			"it came did not search it (--restart does)\n", nameOf(index))
	}
}

// printRules says which of several rules made new signals, those with the most first.
func (h *history) printRules(t backfill.Totals) {
	if len(h.rules.detections) < 2 {
		return
	}
	const most = 20
	var fired []*rule.Rule
	for _, d := range h.rules.detections {
		if n := t.Rules[d.Rule.ID]; n.NewSignals() > 0 {
			fired = append(fired, d.Rule)
		}
	}
	slices.SortStableFunc(fired, func(a, b *rule.Rule) int {
		return t.Rules[b.ID].NewSignals() - t.Rules[a.ID].NewSignals()
	})
	for _, r := range fired[:min(len(fired), most)] {
		fmt.Fprintf(plain{h.stderr}, "  %d signals created: %s\n", t.Rules[r.ID].NewSignals(),
			r.Name)
	}
	if more := len(fired) - most; more > 0 {
		fmt.Fprintf(h.stderr, "  and signals of %d more rules\n", more)
	}
}

// lengthOf writes how long an interval is: in days and hours where it is two days or longer. A
// time.Duration ends at 292 years, and a range may begin in the year 1.
func lengthOf(i span.Interval) string {
	const day = 24 * 60 * 60
	seconds := i.To.Unix() - i.From.Unix()
	if seconds < 2*day {
		return i.Length().Round(time.Second).String()
	}
	text := fmt.Sprintf("%d days", seconds/day)
	if rest := seconds % day; rest > 0 {
		text += " " + (time.Duration(rest) * time.Second).String()
	}
	return text
}

// spans shows a few intervals, and how many more there are.
func spans(list span.Intervals) string {
	const shown = 3
	var texts []string
	for _, i := range list[:min(len(list), shown)] {
		texts = append(texts, i.String())
	}
	if more := len(list) - shown; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}
