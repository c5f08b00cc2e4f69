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
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink"
	"esrule/rules"
)

// BenchmarkScan measures the scan of exported events, in one run beside its limit: fastjson, which parses
// the same lines and does nothing else. The ways take turns, so that noise meets all of them.
func BenchmarkScan(b *testing.B) {
	generated := generatedLines(b, 100_000)
	shipped := loadRules(b, func() (*rule.Set, error) { return rule.LoadFS(rules.FS(), "built-in") })
	took := inTurns(b, []way{
		{"fastjson-alone", generated, func() { parseLines(b, generated) }},
		{"one-rule-one-core", generated, func() { scanLines(b, shipped, generated, 1) }},
		{"one-rule-two-cores", generated, func() { scanLines(b, shipped, generated, 2) }},
	})
	b.Logf("one rule on one core reaches %.0f %% of fastjson alone; two cores are %.2f times one",
		100*ratio(took[0], took[1]), ratio(took[1], took[2]))
}

// BenchmarkScanPublishedRules measures all published single-event rules at once on the recorded events.
func BenchmarkScanPublishedRules(b *testing.B) {
	recorded := recordedLines(b)
	all := loadRules(b, func() (*rule.Set, error) { return rule.Load(filepath.Join(estest.Corpus(b), "rules")) })
	inTurns(b, []way{
		{"fastjson-alone", recorded, func() { parseLines(b, recorded) }},
		{fmt.Sprintf("%d-rules-one-core", all.Len()), recorded, func() { scanLines(b, all, recorded, 1) }},
	})
}

// inTurns goes each way in each round, reports the medians and gives the times by way and round.
func inTurns(b *testing.B, ways []way) [][]time.Duration {
	b.Helper()
	const rounds = 9
	took := make([][]time.Duration, len(ways))
	for range rounds {
		for i, w := range ways {
			began := time.Now()
			w.run()
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i, w := range ways {
		seconds := median(took[i]).Seconds()
		megabytes := float64(len(w.lines)) / 1e6 / seconds
		b.Logf("%-20s %7.0f MB/s %9.0f events/s", w.name, megabytes, float64(bytes.Count(w.lines, []byte{'\n'}))/seconds)
		b.ReportMetric(megabytes, w.name+"-MB/s")
	}
	return took
}

// way is one thing to do with lines.
type way struct {
	name  string
	lines []byte
	run   func()
}

func parseLines(b *testing.B, lines []byte) {
	var p fastjson.Parser
	for line := range bytes.Lines(lines) {
		if _, err := p.ParseBytes(line); err != nil {
			b.Fatal(err)
		}
	}
}

// scanLines has the given number of cores for everything: reading, judging, giving out, collecting garbage.
func scanLines(b *testing.B, r *scan.Rules, lines []byte, cores int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	input := scan.Input{Name: "lines", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(lines)), nil }}
	_, err := scan.Run(b.Context(), r, []scan.Input{input}, scan.Options{
		Workers: cores,
		Signal:  func(*rule.Rule, sink.Signal) error { return nil },
		Bad:     func(err error) { b.Fatal(err) },
	})
	if err != nil {
		b.Fatal(err)
	}
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
func recordedLines(b *testing.B) []byte {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(estest.Corpus(b), "events", "*.ndjson*"))
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
