package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"esrule/internal/detect"
)

// printTogether writes what several events come to for a rule that joins them.
func printTogether(w io.Writer, t detect.Together) {
	outcome := "are no match of"
	if t.Matches {
		outcome = "match"
	}
	fmt.Fprintf(w, "The %d events %s rule %q (%s).\n", len(t.Events), outcome, t.Name, t.RuleID)
	if t.Why != "" {
		fmt.Fprintf(w, "Why: %s.\n", t.Why)
	}
	fmt.Fprintln(w, "\nThe events in the order of time:")
	for _, e := range t.Events {
		takes := "takes no stage"
		if len(e.Stages) > 0 {
			takes = "can take " + strings.Join(e.Stages, ", ")
		}
		at := "without a time"
		if !e.At.IsZero() {
			at = e.At.UTC().Format(time.RFC3339Nano)
		}
		fmt.Fprintf(w, "  event %d, %s: %s\n", e.Number, at, takes)
		for _, by := range e.Excepted {
			fmt.Fprintf(w, "    The exception %q (%s) accepts it.\n", by.Name, by.From)
		}
		for _, note := range e.Notes {
			fmt.Fprintf(w, "    Note: %s\n", note)
		}
	}
	for i, found := range t.Found {
		fmt.Fprintf(w, "\nMatch %d%s:\n", i+1, byKeys(found))
		printStages(w, found)
	}
	if t.Nearest != nil {
		fmt.Fprintf(w, "\nThe nearest%s:\n", byKeys(*t.Nearest))
		printStages(w, *t.Nearest)
	}
}

func byKeys(f detect.FoundTogether) string {
	if len(f.Keys) == 0 {
		return ""
	}
	return fmt.Sprintf(", by %q", f.Keys)
}

func printStages(w io.Writer, f detect.FoundTogether) {
	for _, e := range f.Events {
		after := ""
		if e.After != "" {
			after = ", " + e.After + " later"
		}
		fmt.Fprintf(w, "  stage %d: event %d%s\n", e.Stage, e.Event, after)
	}
}
