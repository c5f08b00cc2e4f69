package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
)

const scanLong = `Run the rules over exported events, without a cluster; - is standard input. A file is NDJSON,
a JSON array, pretty-printed JSON or the answer to a search, in UTF-8 or UTF-16, plain or
gzip. A document is a bare event or a hit: {"_index", "_id"} with "_source", "fields" or
both. The action lines of a bulk request are skipped. A rule's index patterns are not
applied.

Each match is one signal document a line on standard output, once per event, in the order
of the input; the summary goes to standard error. A line that is no JSON object is
reported with its file and number, the first 20 of a file and then their number by cause,
and the scan goes on; the exit code is then 1. So it is where documents are not events of
the Elastic Common Schema (no rule finds a field in them, or they hold the event inside a
field), and where a file has no event.category at all while rules ask for one: the end of
the scan says which file, and what to do. An answer to a search that is not whole (shards
failed, it timed out, it has fewer hits than were found) is named too. The pages of one
search count together where they are in one file.

No mapping is known here: a value is compared as the rule's constant suggests, as an
address, a date, a number or a text. The end of the scan names the rules that compared
fields as text which an index may have as another type.

Alerts, which are esrule's own signals or Kibana's, are judged by rules about alerts and by
no other: those whose index patterns name alerts, or whose condition names event.kind or
kibana.alert.*. Export them with "_source". The signals of one scan may be the input of the
next.

Rules of type threat_match match events with indicators: give the documents of their
threat_index with --indicators FILE, exported as events are. Without it they are named as
not judged, with exit code 1.

With --report FILE.html there is also a page for people: what was read and what was not,
when and where signals were, and each with its event and what decided. It needs nothing
but a browser, and is readable by its owner only, since it holds event data.`

const scanExample = `  esrule scan events.ndjson more.ndjson.gz
  esrule scan --rules rules/ export/*.ndjson.gz > signals.ndjson
  esrule scan --indicators ti.ndjson.gz events.ndjson
  esrule scan --report incident.html export/*.ndjson.gz > signals.ndjson
  zstd -dc events.ndjson.zst | esrule scan --format table -`

type scanFlags struct {
	format  string
	workers int
	report  string
	// indicators are files of them
	indicators []string
}

func newScanCommand(a *app) *cobra.Command {
	var f scanFlags
	format := newChoice("ndjson", "table")
	cmd := &cobra.Command{
		Use:     "scan FILE... | -",
		Short:   "Run the rules over exported events, without a cluster",
		Long:    scanLong,
		Example: scanExample,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			f.format = format.String()
			return a.scan(cmd.Context(), files, f)
		},
	}
	format.register(cmd, "how signals are written")
	cmd.Flags().IntVar(&f.workers, "workers", 0,
		"how many cores judge at the same time (default: all)")
	cmd.Flags().StringArrayVar(&f.indicators, "indicators", nil,
		"`FILE` of indicators, which rules of type threat_match match events with; repeatable")
	cmd.Flags().StringVar(&f.report, "report", "",
		"write a page about the signals to this file, HTML without outside references")
	return cmd
}

func (a *app) scan(ctx context.Context, files []string, f scanFlags) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	set, err := a.loadRules(cfg)
	if err != nil {
		return err
	}
	rules := scan.NewRules()
	rules.Alerts = alertsOf(cfg)
	skipped, err := compileEach(set, func(_ int, r *rule.Rule) error { return rules.Add(r) })
	if err != nil {
		return err
	}
	log := a.logger(cfg)
	if err := a.tellSkipped(set, skipped, rules.Len(), log); err != nil {
		return err
	}
	newExceptions(set.Exceptions).tell(a.now(), log)
	defer rules.Close()
	if err := a.readIndicators(ctx, rules, f.indicators); err != nil {
		return err
	}
	page, err := newScanReport(f.report, files)
	if err != nil {
		return err
	}
	defer page.discard()
	bar := a.progress(files)
	out := newSignalPrinter(a.stdout, f.format)
	began := a.now()
	summary, err := scan.Run(ctx, rules, a.scanInputs(files, bar), scan.Options{
		Workers: f.workers,
		Execution: signal.Execution{ID: rand.Text(), Type: signal.Manual,
			Version: readBuildInfo().Version, Now: a.now},
		Signal:    out.print,
		Explained: page.explained(),
		Bad: func(err error) {
			_ = bar.Clear()
			fmt.Fprintln(plain{a.stderr}, "esrule:", err)
		},
	})
	_ = bar.Finish()
	err = errors.Join(err, out.flush(), page.finish(a.now(), skipped, summary))
	a.printScanSummary(summary, len(skipped), a.now().Sub(began))
	if as := summary.ComparedAsText(); as != "" {
		fmt.Fprintln(plain{a.stderr}, "esrule:", printable(as))
	}
	a.printBadLines(summary)
	unjudged := a.printUnjudged(summary)
	for _, not := range summary.NotJudged {
		fmt.Fprintf(plain{a.stderr}, "esrule: %s (%s) was not judged to the end: %s\n",
			printable(not.Rule.Name), not.Rule.ID, printable(not.Err.Error()))
	}
	if err != nil {
		return err
	}
	if n := len(summary.NotJudged); n > 0 {
		return fmt.Errorf("%d rules were not judged to the end, see above", n)
	}
	if bad := summary.BadLines + summary.BadInputs; bad > 0 {
		return fmt.Errorf("%d lines and %d files were not read whole; what they hold was not judged", summary.BadLines, summary.BadInputs)
	}
	if unjudged > 0 {
		return fmt.Errorf("%d files hold events that could not be judged, see above", unjudged)
	}
	return nil
}

// readIndicators reads the indicators of the rules that match events with them.
func (a *app) readIndicators(ctx context.Context, rules *scan.Rules, files []string) error {
	if len(files) == 0 {
		return nil
	}
	bar := a.progress(files)
	none, err := rules.ReadIndicators(ctx, a.scanInputs(files, bar), a.now())
	_ = bar.Finish()
	for _, r := range none {
		fmt.Fprintf(plain{a.stderr}, "esrule: no document of %s is an indicator of %s (%s): it "+
			"matches nothing\n", strings.Join(files, ", "), printable(r.Name), r.ID)
	}
	return err
}

// printBadLines says how many lines of an input are bad, and why, where not all were named.
func (a *app) printBadLines(s scan.Summary) {
	for _, in := range s.ByInput {
		if in.BadLines <= scan.MostBad {
			continue
		}
		var causes []string
		for _, b := range in.Bad {
			causes = append(causes, fmt.Sprintf("%d: %s (the first on line %d)", b.Lines, b.Cause,
				b.First))
		}
		fmt.Fprintf(plain{a.stderr}, "esrule: %s: %d bad lines. %s\n",
			in.Name, in.BadLines, strings.Join(causes, "; "))
	}
}

// printUnjudged says what was read and could not be judged, and in how many files.
func (a *app) printUnjudged(s scan.Summary) (files int) {
	for _, in := range s.ByInput {
		if why := in.Unjudged(); why != "" {
			files++
			fmt.Fprintf(plain{a.stderr}, "esrule: %s: %s\n", in.Name, printable(why))
		} else if alerts := in.AlertsText(); alerts != "" {
			fmt.Fprintf(plain{a.stderr}, "esrule: %s: %s\n", in.Name, alerts)
		}
		if in.Whole && in.Events == 0 && in.BadLines == 0 {
			fmt.Fprintf(plain{a.stderr}, "esrule: %s: it holds no event\n", in.Name)
		}
	}
	return files
}

// scanInputs opens the files one by one as their turn comes, and counts what is read of them.
func (a *app) scanInputs(files []string, bar *progressbar.ProgressBar) []scan.Input {
	var inputs []scan.Input
	for _, name := range files {
		in := scan.Input{Name: name, Open: func() (io.ReadCloser, error) {
			file, err := os.Open(name)
			if err != nil {
				return nil, withoutPath(err)
			}
			return counted{file, bar}, nil
		}}
		if name == "-" {
			stdin := counted{io.NopCloser(a.stdin), bar}
			in = scan.Input{Name: "standard input",
				Open: func() (io.ReadCloser, error) { return stdin, nil }}
		}
		inputs = append(inputs, in)
	}
	return inputs
}

// withoutPath takes the file's name out of an error that is shown behind the name.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// counted moves the progress bar by what is read.
type counted struct {
	io.ReadCloser
	bar *progressbar.ProgressBar
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	_ = c.bar.Add(n)
	return n, err
}

// progress is a bar over the bytes of all files where standard error is a terminal, else one that
// shows nothing.
func (a *app) progress(files []string) *progressbar.ProgressBar {
	terminal, ok := isTerminal(a.stderr)
	if !ok {
		return progressbar.DefaultBytesSilent(-1)
	}
	total := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			total = -1 // unknown: the bar turns instead of filling
			break
		}
		total += info.Size()
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(terminal),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("scanning"))
}

func (a *app) printScanSummary(s scan.Summary, skipped int, took time.Duration) {
	seconds := max(took.Seconds(), 0.001)
	fmt.Fprintf(a.stderr, "%d events, %.1f MB in %d files: %d matches, %d signals, %d bad lines; "+
		"%s, %.0f events/s, %.0f MB/s\n",
		s.Events, float64(s.Bytes)/1e6, s.Inputs, s.Matched, s.Created, s.BadLines,
		took.Round(time.Millisecond),
		float64(s.Events)/seconds, float64(s.Bytes)/1e6/seconds)
	for _, one := range s.ByRule {
		if one.Matched+one.Excepted+one.ChainStopped == 0 {
			continue
		}
		fmt.Fprintf(a.stderr, "  %s (%s): %d matches, %d signals\n", one.Rule.Name, one.Rule.ID,
			one.Matched, one.Created)
		if one.Excepted > 0 {
			fmt.Fprintf(plain{a.stderr}, "    %d events excepted: %s\n", one.Excepted,
				one.Exceptions())
		}
		if one.ChainStopped > 0 {
			fmt.Fprintf(a.stderr, "    %d alerts not judged: they end a chain\n", one.ChainStopped)
		}
	}
	fmt.Fprintf(a.stderr, "  %d rules ran, %d were skipped\n", len(s.ByRule), skipped)
}

// signalPrinter writes signals as they come: documents, or rows of a table.
type signalPrinter struct {
	out   *bufio.Writer
	table *tabwriter.Writer
}

func newSignalPrinter(w io.Writer, format string) *signalPrinter {
	p := &signalPrinter{out: bufio.NewWriter(w)}
	if format == "table" {
		p.table = tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(p.table, "TIME\tSEVERITY\tRULE\tREASON")
	}
	return p
}

func (p *signalPrinter) print(_ *rule.Rule, s signal.Signal) error {
	if p.table == nil {
		if _, err := p.out.Write(s.Document); err != nil {
			return err
		}
		return p.out.WriteByte('\n')
	}
	// not a struct: encoding/json would take an event's KIBANA.alert.reason for the signal's
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(s.Document, &fields); err != nil {
		return fmt.Errorf("read signal %s: %w", s.ID, err)
	}
	text := func(key string) (text string) {
		_ = json.Unmarshal(fields[key], &text) // missing where the event has no time
		return printable(text)
	}
	_, err := fmt.Fprintf(p.table, "%s\t%s\t%s\t%s\n", text("kibana.alert.original_time"),
		text("kibana.alert.severity"), text("kibana.alert.rule.name"), text("kibana.alert.reason"))
	return err
}

func (p *signalPrinter) flush() error {
	if p.table != nil {
		if err := p.table.Flush(); err != nil {
			return err
		}
	}
	return p.out.Flush()
}

// printable replaces what could act on a terminal: event text is hostile input.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
