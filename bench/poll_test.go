package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// pollRounds is how often each set of rules is run.
const pollRounds = 3

// The events lie around now: a run reads back nine minutes, which are five that are new and four in
// which events may come late, and the rest of the hour is what it must not read. Some are still to
// come, so that a later round finds as many in its nine minutes as the first.
const (
	pollHour    = time.Hour
	pollAhead   = 30 * time.Minute
	pollNew     = 5 * time.Minute
	pollOverlap = 4 * time.Minute
	pollWindow  = pollNew + pollOverlap
)

// BenchmarkPoll measures what one instance carries: the built binary's `run --once` over the last
// nine minutes, as a poll every five minutes reads them, for ever more rules, up to all of the
// corpus that judge single events. Beside each run, a bare loop reads every event of the window
// once. The state is new for each run, and set up before the clock starts. One more run goes
// through a counter of requests. It does so once, whatever b.N.
func BenchmarkPoll(b *testing.B) {
	all := eventRules(b, 0, "rules", "rules-other")
	p := newPoll(b, "quiet", estest.CorpusTemplate(b, "rally_security-winlogbeat.json"),
		quietEvents(b, all))
	f := func(p *poll, name, folder string, alone bool) {
		b.Run(name, func(b *testing.B) { p.measure(b, name, folder, alone) })
	}
	for _, n := range []int{1, 10, 100} {
		f(p, fmt.Sprint("quiet/rules=", n), eventRules(b, n, "rules"), n == 100)
	}
	published := eventRules(b, 0, "rules")
	f(p, "quiet/published", published, true)
	f(p, "quiet/all", all, false)
	f(p, "quiet/sequences", rulesOfKind(b, 0, is[*rule.SequenceQuery], "rules"), false)
	f(p, "quiet/new-terms", rulesOfKind(b, 0, is[*rule.NewTermsQuery], "rules-other"), false)
	busy := newPoll(b, "busy", estest.CorpusTemplate(b, "rally_security-winlogbeat.json"),
		busyEvents(b))
	f(busy, "busy/copies=500", copies(b, 500), false)
	f(busy, "busy/published", published, false)
}

// busyEvents are file events, and starts of processes, which match much of what is published.
func busyEvents(b *testing.B) func(time.Time) ([]byte, error) {
	b.Helper()
	g := newGenerator(seed, eventsWanted(b))
	n := 0
	return func(at time.Time) ([]byte, error) {
		n++
		g.begin, g.over = at, 0
		event, err := g.event()
		if err == nil && n%2 == 0 {
			event, err = asProcessStart(event)
		}
		return event, err
	}
}

// poll is an index of events around now, and the program that polls it.
type poll struct {
	server  server
	cluster *estest.Cluster
	counter *counter
	binary  string
	index   string
	events  int
	runs    int
}

func newPoll(b *testing.B, name string, mapping json.RawMessage,
	event func(at time.Time) ([]byte, error)) *poll {
	b.Helper()
	c := estest.For(b)
	p := &poll{server: server{client: c.Client}, cluster: c, events: eventsWanted(b),
		index: c.Index("poll-" + name), counter: newCounter(b, c.URL)}
	fmt.Fprintf(os.Stderr, "bench: %d events around now in index %s; writing them takes a minute "+
		"or more\n", p.events, p.index)
	c.Create(p.index, mapping)
	begin := time.Now().Add(pollAhead - pollHour)
	const atOnce = 20_000
	for written := 0; written < p.events; written += atOnce {
		var lines bytes.Buffer
		for i := written; i < min(written+atOnce, p.events); i++ {
			text, err := event(begin.Add(pollHour * time.Duration(i) / time.Duration(p.events)))
			if err != nil {
				b.Fatal(err)
			}
			lines.Write(text)
			lines.WriteByte('\n')
		}
		c.Load(p.index, &lines)
	}
	if _, err := p.server.settle(b.Context(), p.index); err != nil {
		b.Fatal(err)
	}
	var err error
	if p.binary, err = estest.BuildProgram(b.Context(), b.TempDir()); err != nil {
		b.Fatal(err)
	}
	return p
}

// polled is what one run of the program came to.
type polled struct {
	took, cpu         time.Duration
	peak              int64 // bytes; 0 where the system does not tell
	rules, candidates int
	matched, read     int
}

func (p *poll) measure(b *testing.B, name, rules string, alone bool) {
	var took, cpu, bare []time.Duration
	var last polled
	var peak int64
	for range pollRounds {
		before, read := p.bare(b, pollWindow)
		last = p.run(b, rules, p.cluster.URL)
		took, cpu, peak = append(took, last.took), append(cpu, last.cpu), max(peak, last.peak)
		bare, last.read = append(bare, before), read
	}
	p.counter.since()
	p.run(b, rules, p.counter.URL)
	requests, server := p.counter.since()
	each := "not measured"
	if alone {
		each = p.alone(b, rules).Round(time.Millisecond).String()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took).Seconds(), "s/run")
	b.ReportMetric(median(took).Seconds()/median(bare).Seconds(), "times-bare")
	b.ReportMetric(median(cpu).Seconds(), "cpu-s")
	b.ReportMetric(float64(requests), "requests")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "bench %s: median of %d runs, the most memory of all\n", name, pollRounds)
	fmt.Fprintln(w, "rules\tevents in the window\tbare loop s\trun s\tprocessor s of "+
		"esrule\trequests\tserver's took\teach rule alone\tcandidates\tmatched\tpeak MiB")
	fmt.Fprintf(w, "%d\t%d\t%.2f\t%.2f\t%.2f\t%d\t%s\t%s\t%d\t%d\t%.1f\n", last.rules, last.read,
		median(bare).Seconds(), median(took).Seconds(), median(cpu).Seconds(), requests, server,
		each, last.candidates, last.matched, float64(peak)/(1<<20))
	_ = w.Flush()
}

func lately(length time.Duration) span.Interval {
	now := time.Now()
	return span.New(now.Add(-length), now)
}

// bare reads every event of the last while once, and does nothing with it.
func (p *poll) bare(b *testing.B, length time.Duration) (took time.Duration, events int) {
	b.Helper()
	began, window := time.Now(), lately(length)
	pit, err := search.NewCluster(p.server.client, search.Options{}).
		OpenPointInTime(b.Context(), []string{p.index})
	if err != nil {
		b.Fatal(err)
	}
	request := search.Request{Query: dsl.Between("@timestamp", window.From, window.To)}
	for page, err := range pit.Pages(b.Context(), request) {
		if err != nil {
			b.Fatal(err)
		}
		for range page.Hits(nil) {
			events++
		}
	}
	if err := pit.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began), events
}

// discarded takes signals for written.
type discarded struct{}

func (discarded) Write(_ context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	verdicts := make([]sink.Verdict, len(signals))
	for i := range verdicts {
		verdicts[i].Fate = sink.Created
	}
	return verdicts, nil
}

// alone returns what the searches of each rule for itself take the server.
func (p *poll) alone(b *testing.B, folder string) time.Duration {
	b.Helper()
	set, err := rule.Load(folder)
	if err != nil {
		b.Fatal(err)
	}
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{p.counter.URL}, Username: p.cluster.Username,
		Password: p.cluster.Password})
	if err != nil {
		b.Fatal(err)
	}
	coverer := &detect.Coverer{Cluster: search.NewCluster(client, search.Options{}),
		Signals: discarded{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	window := lately(pollWindow)
	for _, r := range set.Rules {
		d, err := detect.New(r, []string{p.index})
		if err != nil {
			b.Fatal(err)
		}
		_, err = coverer.Cover(b.Context(), d, detect.Target{Patterns: d.Patterns, Window: window,
			Timestamps: d.Timestamps(), Now: time.Now(), Began: time.Now()},
			signal.Execution{Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
	}
	_, took := p.counter.since()
	return took
}

// run is one poll by the built binary, with indices of its own that are there already.
func (p *poll) run(b *testing.B, rules, url string) polled {
	b.Helper()
	env, out := p.environment(rules, url)
	p.start(b, env, "setup")
	p.counter.since()
	began := time.Now()
	cmd, peak, said := p.start(b, env, "run", "--once")
	one := polled{took: time.Since(began),
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peak}
	p.readLedgers(b, out+"-state", &one)
	if one.rules == 0 {
		b.Fatalf("esrule run --once ran no rule:\n%s", said)
	}
	return one
}

// environment is the program's for rules, with indices of its own, whose names begin with out.
func (p *poll) environment(rules, url string) (env []string, out string) {
	p.runs++
	out = p.cluster.Index(fmt.Sprint("polled-", p.index[len(p.index)-4:], p.runs))
	env = []string{
		"ESRULE_ELASTICSEARCH_URL=" + url, "ESRULE_INDEX=" + p.index, "ESRULE_RULES=" + rules,
		"ESRULE_START=" + pollNew.String(),
		"ESRULE_SIGNALS_INDEX=" + out + "-signals", "ESRULE_STATE_INDEX=" + out + "-state",
		"ESRULE_DEAD_LETTER_INDEX=" + out + "-dead",
	}
	if p.cluster.Username != "" {
		env = append(env, "ESRULE_ELASTICSEARCH_USERNAME="+p.cluster.Username,
			"ESRULE_ELASTICSEARCH_PASSWORD="+p.cluster.Password)
	}
	return env, out
}

// readLedgers adds what the ledgers say of the run.
func (p *poll) readLedgers(b *testing.B, state string, into *polled) {
	b.Helper()
	p.cluster.Refresh(state)
	var found struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Kind    string
					LastRun struct{ Candidates, Matched int } `json:"last_run"`
				} `json:"_source"`
			}
		}
	}
	if err := p.server.do(b.Context(), "GET", state+"/_search?size=5000", "", &found); err != nil {
		b.Fatal(err)
	}
	for _, hit := range found.Hits.Hits {
		if hit.Source.Kind == "ledger" {
			into.rules++
			into.candidates += hit.Source.LastRun.Candidates
			into.matched += hit.Source.LastRun.Matched
		}
	}
}

// start runs the program to its end, and gives the most memory that it held at once, in bytes.
func (p *poll) start(b *testing.B, env []string,
	args ...string) (cmd *exec.Cmd, peak int64, said string) {
	b.Helper()
	cmd = exec.Command(p.binary, args...)
	cmd.Env = env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended, watched := make(chan struct{}), make(chan int64)
	go func() { watched <- estest.PeakMemory(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	peak = <-watched
	if err != nil {
		b.Fatalf("esrule %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return cmd, peak, stderr.String()
}
