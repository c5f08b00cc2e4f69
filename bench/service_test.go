package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"esrule/internal/estest"
)

// A service polls so often here, so that the bench ends within minutes. A poll reads the overlap
// too, so its window is that much longer, and its beginning and end weigh more than at the default
// of five minutes.
const (
	serviceEvery = time.Minute
	servicePolls = 3
)

// BenchmarkService measures what one poll of a service costs that has begun: the built binary's
// `run` with all published rules of single events in EQL, beside a bare loop that reads every event
// of the same window once. The first run, with what only it does, is not in it, and is in
// [BenchmarkPoll].
func BenchmarkService(b *testing.B) {
	all := eventRules(b, 0, "rules", "rules-other")
	p := newPoll(b, "service", estest.CorpusTemplate(b, "rally_security-winlogbeat.json"),
		quietEvents(b, all))
	f := func(name, rules string) { b.Run(name, func(b *testing.B) { p.serve(b, name, rules) }) }
	f("published", eventRules(b, 0, "rules"))
	f("all", all)
}

func (p *poll) serve(b *testing.B, name, rules string) {
	env, _ := p.environment(rules, p.cluster.URL)
	p.start(b, env, "setup")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // the service takes it
	s := &polling{url: "http://" + address + "/metrics"}
	cmd := exec.Command(p.binary, "run")
	cmd.Env = append(env, "ESRULE_SCHEDULE=@every "+serviceEvery.String(),
		"ESRULE_METRICS_ADDRESS="+address)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- estest.PeakMemory(cmd.Process.Pid, ended) }()
	b.Cleanup(func() { _ = cmd.Process.Kill() })
	var took, bare, cpu []time.Duration
	events := 0
	s.await(b, 1)
	time.Sleep(serviceEvery / 2) // ask between two polls
	for i := range servicePolls {
		before := *s
		time.Sleep(serviceEvery - serviceEvery/20)
		s.await(b, i+2)
		took = append(took, s.took-before.took)
		cpu = append(cpu, s.cpu-before.cpu)
		once, read := p.bare(b, serviceEvery+pollOverlap)
		bare, events = append(bare, once), read
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	close(ended)
	mebibytes := float64(<-peak) / (1 << 20)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took).Seconds(), "s/poll")
	b.ReportMetric(median(took).Seconds()/median(bare).Seconds(), "times-bare")
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "bench service %s: median of %d polls, the most memory of all\n",
		name, servicePolls)
	fmt.Fprintln(w, "events in the window\tbare loop s\tpoll s\tprocessor s of esrule\tpeak MiB")
	fmt.Fprintf(w, "%d\t%.2f\t%.2f\t%.2f\t%.1f\n", events, median(bare).Seconds(),
		median(took).Seconds(), median(cpu).Seconds(), mebibytes)
	_ = w.Flush()
}

// polling is what a service's metrics say of its polls.
type polling struct {
	url       string
	took, cpu time.Duration // of all polls so far, and of the process
}

var pollMetrics = regexp.MustCompile(
	`(?m)^(esrule_run_duration_seconds_sum|esrule_run_duration_seconds_count|` +
		`process_cpu_seconds_total) (\S+)$`)

// await waits until the service has polled so often.
func (s *polling) await(b *testing.B, polls int) {
	b.Helper()
	for until := time.Now().Add(2*serviceEvery + time.Minute); time.Now().Before(until); {
		time.Sleep(serviceEvery / 20) // answers take the service's time too
		answer, err := http.Get(s.url)
		if err != nil {
			continue // it is not there yet
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		of := map[string]float64{}
		for _, found := range pollMetrics.FindAllSubmatch(text, -1) {
			of[string(found[1])], _ = strconv.ParseFloat(string(found[2]), 64)
		}
		seconds := func(name string) time.Duration {
			return time.Duration(of[name] * float64(time.Second))
		}
		s.took, s.cpu = seconds("esrule_run_duration_seconds_sum"),
			seconds("process_cpu_seconds_total")
		if int(of["esrule_run_duration_seconds_count"]) >= polls {
			return
		}
	}
	b.Fatalf("%d polls did not come", polls)
}
