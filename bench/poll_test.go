package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"esrule/internal/estest"
	"esrule/rules"
)

// pollRounds is how often each set of rules is run.
const pollRounds = 3

// The events lie around now: a run reads back nine minutes, and the rest of the hour is what it
// must not read. Some are still to come, so that a later round finds as many in its nine minutes as
// the first.
const (
	pollHour   = time.Hour
	pollAhead  = 20 * time.Minute
	pollWindow = 9 * time.Minute
)

// BenchmarkPoll measures what one instance carries: the built binary's `run --once` over the last
// nine minutes, as a poll every five minutes reads them, for ever more rules, up to all that are
// published, where the corpus is there. The state is new for each run, and set up before the clock
// starts. It does so once, whatever b.N.
func BenchmarkPoll(b *testing.B) {
	events := eventsWanted(b)
	c := estest.For(b)
	p := &poll{server: server{client: c.Client}, cluster: c, events: events, index: c.Index("poll")}
	p.load(b)
	var err error
	if p.binary, err = estest.BuildProgram(b.Context(), b.TempDir()); err != nil {
		b.Fatal(err)
	}
	f := func(name string, rules func(*testing.B) string) {
		b.Run(name, func(b *testing.B) { p.measure(b, rules(b)) })
	}
	f("rules=1", copies(1))
	f("rules=10", copies(10))
	f("rules=100", copies(100))
	f("rules=500", copies(500))
	f("published", func(b *testing.B) string { return filepath.Join(estest.Corpus(b), "rules") })
}

// copies gives a folder with the shipped rule so often, each time with an id and a name of its own.
func copies(n int) func(*testing.B) string {
	return func(b *testing.B) string {
		b.Helper()
		text, err := rules.FS().ReadFile("exchange_um_suspicious_files.toml")
		if err != nil {
			b.Fatal(err)
		}
		id, name := regexp.MustCompile(`(?m)^rule_id = ".*"$`),
			regexp.MustCompile(`(?m)^name = "Microsoft Exchange .*"$`)
		folder := b.TempDir()
		for i := range n {
			one := id.ReplaceAll(text, fmt.Appendf(nil, `rule_id = "00000000-0000-4000-8000-%012d"`,
				i))
			one = name.ReplaceAll(one, fmt.Appendf(nil, `name = "Copy %d"`, i))
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("copy%d.toml", i)), one,
				0o600); err != nil {
				b.Fatal(err)
			}
		}
		return folder
	}
}

// poll is an index of events around now, and the program that polls it.
type poll struct {
	server  server
	cluster *estest.Cluster
	binary  string
	index   string
	events  int
	runs    int
}

// load writes the events: half of them file events, half of them the start of the process, which
// most published rules ask for. Where the corpus is there, the index has a mapping as wide as a
// Beat's.
func (p *poll) load(b *testing.B) {
	b.Helper()
	fmt.Fprintf(os.Stderr, "bench: %d events around now in index %s; writing them takes a minute or more\n", p.events, p.index)
	var body any = mapping
	if folder := filepath.Join("..", "..", "shared", "corpus"); os.Getenv("ESTEST_CORPUS") != "" ||
		exists(folder) {
		body = estest.CorpusTemplate(b, "rally_security-winlogbeat.json")
	}
	p.cluster.Create(p.index, body)
	g := newGenerator(seed, p.events)
	g.begin, g.over = time.Now().Add(pollAhead-pollHour), pollHour
	const atOnce = 20_000
	for written := 0; written < p.events; written += atOnce {
		var lines bytes.Buffer
		for i := range min(atOnce, p.events-written) {
			event, err := g.event()
			if err == nil && i%2 == 1 {
				event, err = asProcessStart(event)
			}
			if err != nil {
				b.Fatal(err)
			}
			lines.Write(event)
			lines.WriteByte('\n')
		}
		p.cluster.Load(p.index, &lines)
	}
	if _, err := p.server.settle(b.Context(), p.index); err != nil {
		b.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// asProcessStart makes of a file event the start of the process that wrote the file, with the file
// as its argument.
func asProcessStart(event []byte) ([]byte, error) {
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	process, file, about := e["process"].(map[string]any), e["file"].(map[string]any),
		e["event"].(map[string]any)
	delete(e, "file")
	process["args"] = []any{process["executable"], file["path"]}
	process["args_count"] = 2
	process["command_line"] = fmt.Sprintf("%s %s", process["executable"], file["path"])
	process["parent"] = map[string]any{"name": "services.exe",
		"executable": `C:\Windows\System32\services.exe`, "pid": 700}
	about["category"], about["type"], about["action"], about["code"] = []string{"process"},
		[]string{"start"}, "start", "1"
	e["message"] = "Process created: " + fmt.Sprint(process["name"])
	return json.Marshal(e)
}

// polled is what one run of the program came to.
type polled struct {
	took, cpu         time.Duration
	peak              int64 // bytes; 0 where the system does not tell
	rules, candidates int
	matched           int
}

func (p *poll) measure(b *testing.B, rules string) {
	var took, cpu []time.Duration
	var last polled
	var peak int64
	for range pollRounds {
		last = p.run(b, rules)
		took, cpu, peak = append(took, last.took), append(cpu, last.cpu), max(peak, last.peak)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took).Seconds(), "s/run")
	b.ReportMetric(milliseconds(median(took))/float64(last.rules), "ms/rule")
	b.ReportMetric(median(cpu).Seconds(), "cpu-s")
	b.ReportMetric(float64(last.candidates), "candidates")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "bench: %d events in the hour, some %d in the window; median of %d runs, the "+
		"most memory of all\n",
		p.events, int(float64(p.events)*pollWindow.Minutes()/pollHour.Minutes()), pollRounds)
	fmt.Fprintln(w, "rules\tseconds a run\tms a rule\tprocessor seconds of "+
		"esrule\tcandidates\tmatched\tpeak MiB")
	fmt.Fprintf(w, "%d\t%.2f\t%.1f\t%.2f\t%d\t%d\t%.1f\n", last.rules, median(took).Seconds(),
		milliseconds(median(took))/float64(last.rules),
		median(cpu).Seconds(), last.candidates, last.matched, float64(peak)/(1<<20))
	_ = w.Flush()
}

// run is one poll by the built binary, with indices of its own that are there already.
func (p *poll) run(b *testing.B, rules string) polled {
	b.Helper()
	p.runs++
	out := p.cluster.Index(fmt.Sprint("polled", p.runs))
	env := []string{
		"ESRULE_ELASTICSEARCH_URL=" + p.cluster.URL, "ESRULE_INDEX=" + p.index, "ESRULE_RULES=" +
			rules, "ESRULE_START=" + pollWindow.String(),
		"ESRULE_SIGNALS_INDEX=" + out + "-signals", "ESRULE_STATE_INDEX=" + out + "-state",
		"ESRULE_DEAD_LETTER_INDEX=" + out + "-dead",
	}
	if p.cluster.Username != "" {
		env = append(env, "ESRULE_ELASTICSEARCH_USERNAME="+p.cluster.Username,
			"ESRULE_ELASTICSEARCH_PASSWORD="+p.cluster.Password)
	}
	p.start(b, env, "setup")
	began := time.Now()
	cmd, peak, said := p.start(b, env, "run", "--once")
	one := polled{took: time.Since(began),
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peak}
	// The line of a run of one rule names the rule and no number of rules.
	for _, line := range regexp.MustCompile(
		`(?m)msg=run (?:rules=(\d+) )?.*\bcandidates=(\d+) matched=(\d+)`).
		FindAllStringSubmatch(said, -1) {
		one.rules = 1
		if line[1] != "" {
			one.rules, _ = strconv.Atoi(line[1]) // digits
		}
		one.candidates, _ = strconv.Atoi(line[2])
		one.matched, _ = strconv.Atoi(line[3])
	}
	if one.rules == 0 {
		b.Fatalf("esrule run --once ran no rule:\n%s", said)
	}
	return one
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
