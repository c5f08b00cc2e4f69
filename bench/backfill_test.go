package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/prefilter"
	"esrule/internal/schedule/backfill"
	"esrule/internal/span"
)

// backfillRounds is how often each way is taken, in turns, behind one round that only warms the
// server up: until it has compiled what a search needs it takes part of the second core for that.
const backfillRounds = 5

// BenchmarkBackfill measures the built binary on a range in which every event is a candidate,
// beside a bare loop that drains the same slices with as many workers: the same pages and query, in
// the order of `_shard_doc`, and the bodies thrown away. It is the limit: what the program does
// besides (plan, claims, parsing, judging, signals) must fit into what is left. It does so once,
// whatever b.N.
func BenchmarkBackfill(b *testing.B) {
	events := eventsWanted(b)
	f := func(name string, events, oneOf, workers int, python string) {
		b.Run(name, func(b *testing.B) { newDrain(b, events, oneOf, workers, python).measure(b) })
	}
	f("few-signals/workers=1", events, 10_000, 1, os.Getenv("BENCH_ELASTALERT"))
	f("few-signals/workers=2", events, 10_000, 2, "")
	f("a-tenth-of-the-candidates", events/10, 10_000, 2, "")
	f("every-tenth-a-signal", events/10, 10, 2, "")
}

// drain is an index of candidates, and the two ways to read it.
type drain struct {
	server  server
	cluster *estest.Cluster
	binary  string
	index   string
	events  int
	oneOf   int
	workers int
	python  string // runs ElastAlert 2 beside, where there is one
	runs    int
}

func newDrain(b *testing.B, events, oneOf, workers int, python string) *drain {
	b.Helper()
	c := estest.For(b)
	d := &drain{server: server{client: unpacked(b, c)}, cluster: c, events: events, oneOf: oneOf,
		workers: workers, python: python}
	d.index = fmt.Sprintf("esrule-bench-candidates-%d-%d-%d", generation, events, oneOf)
	fmt.Fprintf(os.Stderr, "bench: %d candidates in index %s; writing them takes a minute or more\n", events, d.index)
	if err := d.server.load(b.Context(), d.index, newCandidates(seed, events, oneOf)); err != nil {
		b.Fatal(err)
	}
	if _, err := d.server.settle(b.Context(), d.index); err != nil {
		b.Fatal(err)
	}
	var err error
	if d.binary, err = estest.BuildProgram(b.Context(), b.TempDir()); err != nil {
		b.Fatal(err)
	}
	return d
}

// unpacked is a client whose answers come as the program's do, not compressed.
func unpacked(b *testing.B, c *estest.Cluster) *elasticsearch.Client {
	b.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{c.URL}, Username: c.Username, Password: c.Password,
		Transport: transport,
	})
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// whole is the range that holds every event.
func whole() span.Interval {
	return span.New(firstDay().Add(-time.Hour), firstDay().Add(day+time.Hour))
}

func (d *drain) measure(b *testing.B) {
	var bare, ours []time.Duration
	// of the bare loop's rate, in percent, by round: what slows a round slows both
	var shares []float64
	var peak int64
	for round := range 1 + backfillRounds {
		limit := d.bare(b)
		took, memory := d.run(b)
		peak = max(peak, memory)
		if round > 0 {
			bare, ours, shares = append(bare, limit), append(ours, took),
				append(shares, 100*float64(limit)/float64(took))
		}
	}
	share := middle(shares, func(share float64) float64 { return share })
	perSecond := func(t time.Duration) float64 { return float64(d.events) / t.Seconds() }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(perSecond(median(ours)), "candidates/s")
	b.ReportMetric(share, "%of-bare-loop")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "bench: %d candidates, one of %d a signal, %d workers, %d rounds\tmedian "+
		"s\tcandidates/s\n", d.events, d.oneOf, d.workers, backfillRounds)
	fmt.Fprintf(w, "bare loop\t%.2f\t%.0f\n", median(bare).Seconds(), perSecond(median(bare)))
	fmt.Fprintf(w, "esrule backfill\t%.2f\t%.0f\t%.0f %% of the bare loop (rounds: %.0f to "+
		"%.0f), peak memory %.1f MiB\n",
		median(ours).Seconds(), perSecond(median(ours)), share, slices.Min(shares),
		slices.Max(shares), float64(peak)/(1<<20))
	if d.python != "" {
		theirs := d.elastAlert(b)
		fmt.Fprintf(w, "ElastAlert 2, once\t%.2f\t%.0f\tesrule is %.1f times as fast\n",
			theirs.Seconds(), perSecond(theirs), theirs.Seconds()/median(ours).Seconds())
	}
	_ = w.Flush()
}

// elastAlert drains the index with ElastAlert 2, which d.python has (elastalert_drain.py says how
// to come by it).
func (d *drain) elastAlert(b *testing.B) time.Duration {
	b.Helper()
	address, err := url.Parse(d.cluster.URL)
	if err != nil {
		b.Fatal(err)
	}
	query, err := json.Marshal(dsl.And(dsl.Terms("event.type", []string{"creation"}),
		dsl.Terms("host.os.type", []string{"windows"})))
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(d.python, "-B", "elastalert_drain.py", "--host", address.Hostname(),
		"--port", address.Port(), "--index", d.index,
		"--start", whole().From.Format(time.RFC3339), "--end", whole().To.Format(time.RFC3339),
		"--query", string(query))
	var said strings.Builder
	cmd.Stderr = &said
	output, err := cmd.Output()
	// the indices that it makes
	for _, left := range []string{"", "_error", "_silence", "_status", "_past"} {
		_ = d.server.do(b.Context(), http.MethodDelete, d.index+"-elastalert"+left+
			"?ignore_unavailable=true", "", nil)
	}
	var result struct {
		Seconds            float64
		Documents, Matches int
	}
	if err == nil {
		err = json.Unmarshal(output, &result)
	}
	if err != nil || result.Documents != d.events {
		b.Fatalf("ElastAlert 2: %v, %d documents of %d read\n%s", err, result.Documents, d.events,
			said.String())
	}
	return time.Duration(result.Seconds * float64(time.Second))
}

// run is one backfill by the built binary, with indices of its own: its time, and the most memory
// that it held at once, in bytes.
func (d *drain) run(b *testing.B) (time.Duration, int64) {
	b.Helper()
	d.runs++
	out := d.cluster.Index(fmt.Sprint("backfill", d.runs))
	env := []string{
		"ESRULE_ELASTICSEARCH_URL=" + d.cluster.URL, "ESRULE_INDEX=" + d.index,
		fmt.Sprint("ESRULE_PAGE_SIZE=", laterPages),
		"ESRULE_SIGNALS_INDEX=" + out + "-signals", "ESRULE_STATE_INDEX=" + out + "-state",
		"ESRULE_DEAD_LETTER_INDEX=" + out + "-dead",
	}
	if d.cluster.Username != "" {
		env = append(env, "ESRULE_ELASTICSEARCH_USERNAME="+d.cluster.Username,
			"ESRULE_ELASTICSEARCH_PASSWORD="+d.cluster.Password)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(d.binary, args...)
		cmd.Env = env
		return cmd
	}
	if output, err := command("setup").CombinedOutput(); err != nil {
		b.Fatalf("esrule setup: %v\n%s", err, output)
	}
	cmd := command("backfill", "--from", whole().From.Format(time.RFC3339), "--to",
		whole().To.Format(time.RFC3339), "--workers", fmt.Sprint(d.workers))
	var said strings.Builder
	cmd.Stderr = &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- estest.PeakMemory(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	took := time.Since(began)
	close(ended)
	memory := <-peak
	if err != nil {
		b.Fatalf("esrule backfill: %v\n%s", err, said.String())
	}
	if want := fmt.Sprintf("%d candidates, %d matched", d.events,
		(d.events+d.oneOf-1)/d.oneOf); !strings.Contains(said.String(), want) {
		b.Fatalf("esrule backfill did not find %s:\n%s", want, said.String())
	}
	return took, memory
}

// bare drains the slices that a backfill would make, and keeps nothing.
func (d *drain) bare(b *testing.B) time.Duration {
	b.Helper()
	detection := shipped(b, d.index)
	reader := search.NewCluster(d.server.client, search.Options{})
	survey := backfill.Survey{Cluster: reader, Own: []string{"none"}, Now: time.Now}
	plan, err := survey.Plan(b.Context(), backfill.Request{Range: whole()},
		[]*detect.Detection{detection})
	if err != nil {
		b.Fatal(err)
	}
	classes, err := reader.Mappings(b.Context(), []string{d.index}, detection.Mapped())
	if err != nil {
		b.Fatal(err)
	}
	queries := make(chan dsl.Clause, len(plan.Pieces()))
	for _, p := range plan.Pieces() {
		query, _ := detection.Query(classes, prefilter.Timestamps{Primary: "@timestamp"}, p.Window,
			nil)
		queries <- query
	}
	close(queries)
	began := time.Now()
	var workers sync.WaitGroup
	for range d.workers {
		workers.Go(func() {
			for query := range queries {
				if err := d.server.drain(b.Context(), d.index, query); err != nil {
					b.Error(err)
				}
			}
		})
	}
	workers.Wait()
	return time.Since(began)
}

// laterPages is how many hits the program is told to ask for at most, less than it would take of
// the pages' length alone: so the bare loop can read the same pages, of pageSize hits at first and
// of this many behind.
const laterPages = 2000

// drain reads every page of a query and throws it away, but for the last bytes, which hold where
// the next page begins.
func (s server) drain(ctx context.Context, index string, query any) error {
	pit, err := s.openPointInTime(ctx, index)
	if err != nil {
		return err
	}
	defer func() { _ = s.closePointInTime(ctx, pit) }()
	request := body{
		PIT: map[string]string{"id": pit, "keep_alive": "5m"}, Size: pageSize, Query: query,
		Sort: []string{"_shard_doc"}, Source: true,
	}
	var tail tail
	for {
		text, err := json.Marshal(request)
		if err != nil {
			return err
		}
		if err := s.discard(ctx, text, &tail); err != nil {
			return err
		}
		if request.After = tail.sort(); request.After == nil {
			return nil
		}
		request.Size = laterPages
	}
}

func (s server) discard(ctx context.Context, request []byte, into *tail) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/_search?request_cache=false",
		strings.NewReader(string(request)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Perform(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	into.kept = into.kept[:0]
	_, err = io.CopyBuffer(struct{ io.Writer }{into}, res.Body, make([]byte, 64<<10))
	return err
}

// tail keeps the last bytes of what is written to it.
type tail struct{ kept []byte }

const tailBytes = 64

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(len(p)-tailBytes, 0):]...)
	t.kept = t.kept[max(len(t.kept)-tailBytes, 0):]
	return len(p), nil
}

// sort is the last hit's place, nil where the answer ended without a hit.
func (t *tail) sort() json.RawMessage {
	text := string(t.kept)
	at := strings.LastIndex(text, `"sort":[`)
	if at < 0 {
		return nil
	}
	text = text[at+len(`"sort":`):]
	return json.RawMessage(text[:strings.Index(text, "]")+1])
}
