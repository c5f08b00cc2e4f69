package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"esrule/demo/samples"
)

func heading(out io.Writer, text string) { fmt.Fprintf(out, "\n== %s\n", text) }

// table writes aligned columns.
func table(out io.Writer, write func(*tabwriter.Writer)) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	write(w)
	_ = w.Flush() // a terminal that is gone needs no table
}

func printRun(out io.Writer, s *stage, o outcome, v *verdict) {
	heading(out, fmt.Sprintf("esrule run --once (%s)", o.took))
	fmt.Fprintf(out, "Rule: %s\n", s.detection.Rule.Name)
	table(out, func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "SOURCE\tINDEX PATTERN\tEVENTS\tCANDIDATES\tSIGNALS\tEXPECTED")
		line := func(c sourceCount, pattern string) {
			fmt.Fprintf(w, "%s\t%s\t%6d\t%10d\t%7d\t%8d\n", c.source, pattern, c.events,
				c.candidates, c.signals, c.wanted)
		}
		for i, c := range v.sources {
			line(c, s.patterns[i])
		}
		line(v.total(), "")
	})
	fmt.Fprintf(out, "Over the last %s the pre-filter let %d candidates through and the matcher "+
		"accepted %d.\n"+
		"Signals written: %d. Matches whose event had its signal already: %d.\n",
		o.Searched.Round(time.Second), o.Candidates, o.Matched, o.Created, o.Duplicates)
}

func printSignals(out io.Writer, s *stage, found []writtenSignal) {
	heading(out, "The signals, read back from "+s.signalsIndex())
	table(out, func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "SOURCE\tFILE\tWRITTEN BY\tBRANCH OF THE RULE")
		for _, e := range s.events {
			for _, f := range found {
				if f.event == e.ID() {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Source, shorten(f.path, 60), f.process,
						branchOf(s.detection, e))
				}
			}
		}
	})
}

// shorten leaves out folders from the middle of a path, as many as it takes.
func shorten(path string, most int) string {
	folders := strings.Split(path, `\`)
	kept := path
	for gone := 1; utf8.RuneCountInString(kept) > most && gone < len(folders)-1; gone++ {
		kept = folders[0] + `\…\` + strings.Join(folders[gone+1:], `\`)
	}
	return kept
}

func printNearMisses(out io.Writer, v *verdict, all bool) {
	heading(out, "Near misses: no signal, and why, as the samples say it")
	shown := 0
	table(out, func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "SOURCE\tREFUSED BY\tWHY NOT")
		for _, source := range samples.Sources() {
			missed := slices.DeleteFunc(slices.Clone(v.nearMisses), func(m nearMiss) bool {
				return m.Source != source
			})
			if !all {
				missed = spread(missed, 3)
			}
			for _, m := range missed {
				by := "pre-filter"
				if m.candidate {
					by = "matcher"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", source, by, m.Why)
			}
			shown += len(missed)
		}
	})
	if hidden := len(v.nearMisses) - shown; hidden > 0 {
		fmt.Fprintf(out, "... and %d more; --all lists them.\n", hidden)
	}
}

// spread picks some of the near misses, evenly: those beside each other miss the same condition.
func spread(missed []nearMiss, some int) []nearMiss {
	if len(missed) <= some {
		return missed
	}
	var picked []nearMiss
	for i := range some {
		picked = append(picked, missed[i*len(missed)/some])
	}
	return picked
}

func printSecondRun(out io.Writer, o outcome, before, after int) {
	heading(out, fmt.Sprintf("esrule run --once, again (%s)", o.took))
	fmt.Fprintf(out, "Looking back over %s, it found %d of the matches again and wrote %d new "+
		"signals: %d before, %d after.\n",
		o.Searched.Round(time.Second), o.Matched, o.Created, before, after)
}

// printExplanation shows what esrule says about one of the matches, given as a search gives it.
func printExplanation(ctx context.Context, out io.Writer, p *program, s *stage,
	found []writtenSignal) error {
	const chosen = "endpoint.aspnet-client-php-umservice"
	event := slices.IndexFunc(s.events, func(e samples.Event) bool { return e.ID() == chosen })
	written := slices.IndexFunc(found, func(f writtenSignal) bool { return f.event == chosen })
	if event < 0 || written < 0 {
		return nil // the verdict says so
	}
	hit, err := json.Marshal(map[string]any{
		"_index": found[written].index, "_id": chosen,
		"_source": json.RawMessage(s.events[event].JSON),
	})
	if err != nil {
		return err
	}
	file := filepath.Join(p.folder, "event.json")
	if err := os.WriteFile(file, hit, 0o600); err != nil {
		return err
	}
	text, err := p.command(ctx, "explain", "--event", file)
	if err != nil {
		return err
	}
	// The rest is the pre-filter as query DSL, a screen of its own.
	why, _, _ := strings.Cut(string(text), "\n\nThe pre-filter")
	heading(out, "esrule explain --event event.json")
	fmt.Fprintln(out, strings.TrimSpace(why))
	return nil
}
