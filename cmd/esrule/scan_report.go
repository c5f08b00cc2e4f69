package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/report"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
)

// scanReport is the page about a scan, or nothing where none was asked for.
type scanReport struct{ writer *report.Writer }

// newScanReport begins the page; files are those that are scanned, none of which it may take the
// place of.
func newScanReport(path string, files []string) (scanReport, error) {
	if path == "" {
		return scanReport{}, nil
	}
	if info, err := os.Stat(path); err == nil {
		for _, name := range files {
			if scanned, err := os.Stat(name); err == nil && os.SameFile(info, scanned) {
				return scanReport{}, withExit(exitUsage,
					fmt.Errorf(
						"write the report to %s: it is one of the files to scan: name another",
						path))
			}
		}
	}
	w, err := report.Create(path)
	if err != nil {
		return scanReport{}, withExit(exitUsage, err)
	}
	return scanReport{w}, nil
}

// explained takes the signals of the scan. Where the page cannot be written any more, the scan goes
// on, and finish tells.
func (r scanReport) explained() func(signal.Signal, *match.Explanation) {
	if r.writer == nil {
		return nil
	}
	return func(s signal.Signal, x *match.Explanation) {
		_ = r.writer.Add(report.Signal{Document: s.Document, Decided: x})
	}
}

// finish writes the page of whatever was read, also where the scan was ended before its end.
func (r scanReport) finish(now time.Time, skipped []rule.Skipped, s scan.Summary) error {
	if r.writer == nil {
		return nil
	}
	page := report.Report{
		Command: "scan", Version: readBuildInfo().Version, Generated: now, Skipped: skipped,
		Notes: []string{
			"Exported events carry no mapping: each value was compared as the rule's constant " +
				"suggests. The rules' index patterns and look-back times were not applied.",
		},
	}
	if as := s.ComparedAsText(); as != "" {
		page.Notes = append(page.Notes, as)
	}
	for _, one := range s.ByRule {
		page.Rules = append(page.Rules, one.Rule)
	}
	for _, in := range s.ByInput {
		if in.Whole || in.Events > 0 {
			page.Covered = append(page.Covered,
				report.Coverage{What: in.Name, Events: int64(in.Events),
					Judged: int64(in.Events - in.Strange)})
		}
		page.NotCovered = append(page.NotCovered, gapsOf(in)...)
	}
	return r.writer.Finish(page)
}

// gapsOf says what of an input was not judged.
func gapsOf(in scan.InputCount) (gaps []report.Gap) {
	if !in.Whole {
		g := report.Gap{What: in.Name,
			Reason: "The scan was ended before its turn came. Scan it again."}
		if in.Events > 0 {
			g = report.Gap{What: "the rest of " + in.Name,
				Reason: "The scan was ended before this file was read to its end. Scan it again."}
		}
		if in.Err != nil {
			g.Reason = fmt.Sprintf("The file could not be read whole: %s.",
				strings.TrimPrefix(in.Err.Error(), in.Name+": "))
		}
		gaps = append(gaps, g)
	}
	if why := in.Unjudged(); why != "" {
		gaps = append(gaps, report.Gap{What: "events in " + in.Name, Reason: why})
	}
	if in.BadLines > 0 {
		why := in.FirstBad
		if line, ok := errors.AsType[scan.LineError](why); ok {
			why = fmt.Errorf("line %d: %w", line.Line, line.Err)
		}
		gaps = append(gaps, report.Gap{
			What:   fmt.Sprintf("bad lines in %s: %d", in.Name, in.BadLines),
			Reason: fmt.Sprintf("They hold no event. The first of them: %v.", why),
		})
	}
	return gaps
}

// discard drops a page that was not finished.
func (r scanReport) discard() {
	if r.writer != nil {
		r.writer.Discard()
	}
}
