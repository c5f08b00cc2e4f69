package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fastjson"
	"golang.org/x/sync/errgroup"

	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
	"esrule/rules"
)

// BenchmarkScan measures the scan of exported events, in one run beside its limit: fastjson, which
// parses the same lines and does nothing else, on one core and on two. The ways take turns, so that
// noise meets all of them.
func BenchmarkScan(b *testing.B) {
	generated := generatedLines(b, 100_000)
	shipped := loadRules(b, func() (*rule.Set, error) {
		return rule.LoadFS(rules.FS(), "built-in")
	})
	times := inTurns(b, []way{
		{"fastjson-one-core", generated, func() { parseLines(b, generated, 1) }},
		{"one-rule-one-core", generated, func() { scanLines(b, shipped, generated, 1) }},
		{"fastjson-two-cores", generated, func() { parseLines(b, generated, 2) }},
		{"one-rule-two-cores", generated, func() { scanLines(b, shipped, generated, 2) }},
	})
	clock, processor := gain(times[0], times[1])
	b.Logf("one rule on one core reaches %.0f %% of fastjson alone, by processor time %.0f %%",
		100*clock, 100*processor)
	scan, spent := gain(times[1], times[3])
	alone, _ := gain(times[0], times[2])
	b.Logf("two cores are %.2f times one, and take %.2f times the processor time; fastjson "+
		"alone: %.2f times", scan, 1/spent, alone)
}

// BenchmarkScanPublishedRules measures all published single-event rules at once on the recorded
// events, and all Sigma rules, beside one rule alone: the number of rules must hardly count.
func BenchmarkScanPublishedRules(b *testing.B) {
	recorded := recordedLines(b)
	shipped := loadRules(b, func() (*rule.Set, error) {
		return rule.LoadFS(rules.FS(), "built-in")
	})
	published := eventRules(b, 0, "rules")
	all := loadRules(b, func() (*rule.Set, error) { return rule.Load(published) })
	loadSigma := func() (*rule.Set, error) {
		return rule.Load(filepath.Join(estest.Corpus(b), "sigma"))
	}
	sigma := loadRules(b, loadSigma)
	quiet := loadRules(b, func() (*rule.Set, error) {
		set, err := loadSigma()
		return withoutLoud(b, set, sigma, recorded), err
	})
	times := inTurns(b, []way{
		{"fastjson-one-core", recorded, func() { parseLines(b, recorded, 1) }},
		{"one-rule-one-core", recorded, func() { scanLines(b, shipped, recorded, 1) }},
		{fmt.Sprintf("%d-Sigma-rules-one-core", sigma.Len()), recorded, func() {
			scanLines(b, sigma, recorded, 1)
		}},
		{fmt.Sprintf("%d-quiet-Sigma-rules-one-core", quiet.Len()), recorded, func() {
			scanLines(b, quiet, recorded, 1)
		}},
		{fmt.Sprintf("%d-rules-one-core", all.Len()), recorded, func() {
			scanLines(b, all, recorded, 1)
		}},
		{fmt.Sprintf("%d-rules-two-cores", all.Len()), recorded, func() {
			scanLines(b, all, recorded, 2)
		}},
	})
	for i, n := range []int{sigma.Len(), quiet.Len(), all.Len()} {
		clock, processor := gain(times[1], times[2+i])
		b.Logf("%d rules reach %.0f %% of one rule's rate, by processor time %.0f %%", n, 100*clock,
			100*processor)
	}
}

// way is one thing to do with lines.
type way struct {
	name  string
	lines []byte
	run   func()
}

// took is the time of one run, and what the process had of all processors in it. On a machine that
// does other work too, the second says more.
type took struct{ clock, processor time.Duration }

// inTurns goes each way in each round, reports the medians and gives the times by way and round.
func inTurns(b *testing.B, ways []way) [][]took {
	b.Helper()
	const rounds = 15
	all := make([][]took, len(ways))
	for range rounds {
		for i, w := range ways {
			runtime.GC() // of what the way before left
			began, used := time.Now(), processorTime(b)
			w.run()
			all[i] = append(all[i], took{time.Since(began), processorTime(b) - used})
		}
	}
	for i, w := range ways {
		seconds := middle(all[i], func(t took) float64 { return t.clock.Seconds() })
		cores := middle(all[i], func(t took) float64 {
			return float64(t.processor) / float64(t.clock)
		})
		megabytes := float64(len(w.lines)) / 1e6 / seconds
		events := float64(bytes.Count(w.lines, []byte{'\n'})) / seconds
		b.Logf("%-20s %7.0f MB/s %9.0f events/s; had %.2f cores, so %.0f MB/s a core", w.name,
			megabytes, events, cores, megabytes/cores)
		b.ReportMetric(megabytes, w.name+"-MB/s")
	}
	return all
}

// gain is how many times less the second way took: the median over the rounds, in each of which
// both were gone.
func gain(first, second []took) (clock, processor float64) {
	rounds := make([]int, len(first))
	for i := range rounds {
		rounds[i] = i
	}
	clock = middle(rounds, func(i int) float64 {
		return float64(first[i].clock) / float64(second[i].clock)
	})
	processor = middle(rounds, func(i int) float64 {
		return float64(first[i].processor) / float64(second[i].processor)
	})
	return clock, processor
}

// middle is the median of a figure.
func middle[T any](of []T, figure func(T) float64) float64 {
	figures := make([]float64, len(of))
	for i, one := range of {
		figures[i] = figure(one)
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// processorTime is what the process has had of all processors.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// parseLines gives each core a part of the lines.
func parseLines(b *testing.B, lines []byte, cores int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	var group errgroup.Group
	for core := range cores {
		part := lines[lineAt(lines, core, cores):lineAt(lines, core+1, cores)]
		group.Go(func() error {
			var p fastjson.Parser
			for line := range bytes.Lines(part) {
				if _, err := p.ParseBytes(line); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// lineAt gives the place of the line at which one of several parts begins.
func lineAt(lines []byte, part, parts int) int {
	at := len(lines) * part / parts
	return bytes.LastIndexByte(lines[:at], '\n') + 1
}

// scanLines has the given number of cores for everything: reading, judging, giving out, collecting
// garbage.
func scanLines(b *testing.B, r *scan.Rules, lines []byte, cores int) scan.Summary {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	input := scan.Input{Name: "lines", Open: opens(lines)}
	summary, err := scan.Run(b.Context(), r, []scan.Input{input}, scan.Options{
		Workers: cores,
		Signal:  func(*rule.Rule, signal.Signal) error { return nil },
		Bad:     func(err error) { b.Fatal(err) },
	})
	if err != nil {
		b.Fatal(err)
	}
	return summary
}

func opens(text []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
}

// withoutLoud leaves out the rules that match more than one event in a thousand: with those in, it
// is mostly the making of signals that is measured.
func withoutLoud(b *testing.B, set *rule.Set, all *scan.Rules, lines []byte) *rule.Set {
	b.Helper()
	summary := scanLines(b, all, lines, 1)
	loud := map[rule.ID]bool{}
	var names []string
	for _, one := range summary.ByRule {
		if one.Matched*1000 > summary.Events {
			loud[one.Rule.ID] = true
			names = append(names, fmt.Sprintf("%s %d", one.Rule.Name, one.Matched))
		}
	}
	// in one line: go test shows ten
	b.Logf("matches of the loud rules in %d events: %q", summary.Events, names)
	set.Rules = slices.DeleteFunc(set.Rules, func(r *rule.Rule) bool { return loud[r.ID] })
	return set
}

func loadRules(b *testing.B, load func() (*rule.Set, error)) *scan.Rules {
	b.Helper()
	set, err := load()
	if err != nil {
		b.Fatal(err)
	}
	compiled := scan.NewRules()
	for _, r := range set.Rules {
		_ = compiled.Add(r) // what is not supported is not measured
	}
	return compiled
}

// generatedLines are file events as the pre-filter's benchmark indexes them.
func generatedLines(b *testing.B, n int) []byte {
	b.Helper()
	var lines bytes.Buffer
	g := newGenerator(1, n)
	for range n {
		event, err := g.event()
		if err != nil {
			b.Fatal(err)
		}
		lines.Write(event)
		lines.WriteByte('\n')
	}
	return lines.Bytes()
}

// recordedLines are all recorded events of the corpus.
func recordedLines(b *testing.B) []byte { return recordedIn(b, "*.ndjson*") }

// recordedWindows are those of Windows in the form of Winlogbeat.
func recordedWindows(b *testing.B) []byte {
	return append(recordedIn(b, "*winlogbeat*"), recordedIn(b, "windows_*")...)
}

// recordedIn are the recorded events in the files with names of a pattern.
func recordedIn(b *testing.B, pattern string) []byte {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(estest.Corpus(b), "events", pattern))
	if err != nil {
		b.Fatal(err)
	}
	var lines bytes.Buffer
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		var from io.Reader = bytes.NewReader(content)
		if strings.HasSuffix(name, ".gz") {
			if from, err = gzip.NewReader(from); err != nil {
				b.Fatal(err)
			}
		}
		scanner := bufio.NewScanner(from)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			lines.Write(scanner.Bytes())
			lines.WriteByte('\n')
		}
	}
	return lines.Bytes()
}
