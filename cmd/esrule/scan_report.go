package main

import (
	"fmt"
	"os"
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
	}
	page.AddScan(s)
	return r.writer.Finish(page)
}

// discard drops a page that was not finished.
func (r scanReport) discard() {
	if r.writer != nil {
		r.writer.Discard()
	}
}
