package detect_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// frequentCounter is a way to a cluster that counts the requests for frequent values; with
// refusing, it refuses them.
type frequentCounter struct {
	refusing bool
	asked    *atomic.Int64
}

func (c frequentCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && strings.HasSuffix(r.URL.Path, "_search") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte(`"shard_size":5000`)) {
			c.asked.Add(1)
			if c.refusing {
				return nil, errors.New("refused by the test")
			}
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// countingRule returns a rule that counts events by the values of fields.
func countingRule(t *testing.T, id, query, pattern string, value int,
	fields ...string) *detect.Detection {
	t.Helper()
	q, err := kql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(&rule.Rule{Head: rule.Head{ID: rule.ID(id), Name: id, Severity: "low",
		Type: "threshold", Language: "kuery", Index: []string{pattern}, From: 9 * time.Minute,
		Interval: 5 * time.Minute}, Body: &rule.ThresholdQuery{
		EventQuery: rule.EventQuery{Query: q}, Fields: fields, Value: value}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// counted covers the last 20 minutes for rules that count events.
func counted(t *testing.T, client *elasticsearch.Client, now time.Time, pattern string,
	all ...*detect.Detection) (map[string]string, detect.Outcome) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	cluster := search.NewCluster(client, search.Options{PageSize: 2000, Tries: 1, Logger: log})
	target := detect.Target{Patterns: []string{pattern},
		Window:     span.New(now.Add(-20*time.Minute), now.Add(time.Second)),
		Timestamps: all[0].Timestamps(), Now: now, Began: now}
	var compiler detect.Compiler
	var group []*detect.Detection
	for _, d := range all {
		d, err := compiler.New(d.Rule, nil)
		if err != nil {
			t.Fatal(err)
		}
		group = append(group, d)
	}
	g, err := detect.NewGroup(group)
	if err != nil {
		t.Fatal(err)
	}
	var r recorder
	c := &detect.Coverer{Cluster: cluster, Signals: &r, Log: log, Bursts: detect.NewBursts("")}
	execution := signal.Execution{ID: "x", Now: func() time.Time { return now }}
	out, err := c.CoverGroup(t.Context(), g, target,
		slices.Repeat([]signal.Execution{execution}, len(all)))
	if err != nil {
		t.Fatal(err)
	}
	return r.signals, out
}

// Of 100,000 keys two reach the threshold: only the events of these are read, after the first few
// thousand that show that there are many.
func TestKeysThatReachIt(t *testing.T) { onlyKeysThatReachIt(t, estest.For(t)) }

func onlyKeysThatReachIt(t *testing.T, c *estest.Cluster) {
	t.Helper()
	index := c.Index("events")
	c.Create(index, `{"settings":{"number_of_replicas":0,"number_of_shards":2,"refresh_interval":`+
		`"-1"},"mappings":{"dynamic":false,"properties":{"@timestamp":{"type":"date"},`+
		`"user":{"type":"keyword"}}}}`)
	now := time.Now().UTC().Truncate(time.Millisecond)
	var lines strings.Builder
	add := func(user string, ago time.Duration) {
		fmt.Fprintf(&lines, "{\"index\":{\"_index\":%q}}\n{\"@timestamp\":%q,\"user\":%q}\n", index,
			now.Add(-ago).Format(time.RFC3339Nano), user)
	}
	for i := range 100_000 {
		add(fmt.Sprint("user-", i), time.Duration(i%1000)*time.Second)
	}
	for i := range 50 {
		add("one", time.Minute+time.Duration(i)*time.Second)
		add("two", 4*time.Minute+time.Duration(i)*time.Second)
	}
	c.Load(index, strings.NewReader(lines.String()))
	c.Refresh(index)
	d := countingRule(t, "r", "user: *", index, 40, "user")
	signals, out := counted(t, c.Client, now, index, d)
	if len(signals) != 2 || out.Candidates > 7200 || out.Candidates < 100 {
		t.Errorf("got %d signals of %d events that were read, want 2 of 5,001 and 100",
			len(signals),
			out.Candidates)
	}
}

// A key reaches the threshold by events of which the index does not know it too: of one that left a
// long value out, and of one that mapped the field later.
func TestKeysThatTheIndexLacks(t *testing.T) { keysThatTheIndexLacks(t, estest.For(t)) }

// TestKeysOnOtherVersions holds both on the oldest and the newest server.
func TestKeysOnOtherVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Elasticsearch; -short is set")
	}
	versions := estest.OtherVersions()
	for _, version := range []string{versions[0], versions[len(versions)-1]} {
		t.Run(version, func(t *testing.T) {
			server := estest.Own(t, estest.Options{Version: version})
			onlyKeysThatReachIt(t, server)
			keysThatTheIndexLacks(t, server)
		})
	}
}

func keysThatTheIndexLacks(t *testing.T, c *estest.Cluster) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	const all, later, short = "events-all", "events-later", "events-short"
	for name, mapping := range map[string]string{all: `,"user":{"type":"keyword"}`, later: "",
		short: `,"user":{"type":"keyword","ignore_above":3}`} {
		c.Create(c.Index(name), `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,`+
			`"properties":{"@timestamp":{"type":"date"}`+mapping+`}}}`)
	}
	write := func(index string, events int, user string) {
		t.Helper()
		docs := make([]any, events)
		for i := range docs {
			docs[i] = fmt.Sprintf(`{"@timestamp":%q,"user":%q}`, now.Add(-time.Minute).Format(
				time.RFC3339Nano), strings.ReplaceAll(user, "#", fmt.Sprint(i)))
		}
		c.Bulk(c.Index(index), docs...)
	}
	write(later, 1, "someone")
	write(later, 1, "nobody")
	c.Do(http.MethodPut, c.Index(later)+"/_mapping", `{"properties":{"user":{"type":"keyword"}}}`)
	write(short, 1, "someone")
	write(all, 6000, "rare-#")
	write(all, 6, "someone")
	write(all, 3, "nobody")
	d := countingRule(t, "r", "@timestamp: *", c.Index("events-*"), 8, "user")
	signals, out := counted(t, c.Client, now, c.Index("events-*"), d)
	if len(signals) != 1 || out.Candidates > 5100 {
		t.Errorf("got %d signals of %d events that were read, want one of 5,001 and 9",
			len(signals),
			out.Candidates)
	}
}

// Rules that count events have the same signals whether the cluster is asked for the keys that
// could reach the threshold or all events are read, whatever the values, the mappings and the
// thresholds.
func TestKeysChangeNothing(t *testing.T) {
	c := estest.For(t)
	mappings := []string{
		`"k":{"type":"keyword"},"n":{"type":"long"},"ip":{"type":"ip"}`,
		`"k":{"type":"keyword","ignore_above":5},"n":{"type":"integer","ignore_malformed":true}`,
		`"k":{"type":"keyword"},"n":{"type":"long","coerce":false,"ignore_malformed":true}`,
		`"n":{"type":"short","ignore_malformed":true},"ip":{"type":"ip","ignore_malformed":true}`,
		`"k":{"type":"keyword","null_value":"none"}`,
		`"k":{"type":"keyword","normalizer":"lowercase"}`,
		`"k":{"type":"text"},"n":{"type":"keyword"}`,
	}
	var asked atomic.Int64
	asking := c.Through(frequentCounter{false, &asked})
	reading := c.Through(frequentCounter{true, new(atomic.Int64)})
	found, spared := 0, 0
	for seed := range estest.Seeds(t) {
		random := rand.New(rand.NewPCG(seed, 5))
		for round := range 4 {
			now := time.Now().UTC().Truncate(time.Millisecond)
			for i := range 2 {
				mapping := mappings[0]
				if i == 1 {
					mapping = mappings[round%3+random.IntN(2)*(round+1)]
				}
				manyEvents(t, c, random, c.Index(fmt.Sprint("keys-", seed, "-", round, "-", i)),
					mapping, now)
			}
			pattern := c.Index(fmt.Sprint("keys-", seed, "-", round, "-*"))
			var rules []*detect.Detection
			for i, fields := range [][]string{{"k"}, {"n"}, {"k", "n"}, {"ip"}, {"k", "ip"}} {
				query := pickAny(random, "a: 1", "not a: 2", "a: (1 or 2) and not n: 1", "a > 0")
				rules = append(rules, countingRule(t, fmt.Sprint("r", i), fmt.Sprint(query),
					pattern,
					10+random.IntN(60), fields...))
			}
			for _, group := range [][]*detect.Detection{rules, rules[:1], rules[2:3]} {
				got, out := counted(t, asking, now, pattern, group...)
				want, all := counted(t, reading, now, pattern, group...)
				found += len(want)
				if out.Candidates < all.Candidates {
					spared++
				}
				t.Logf("round %d: %d signals of %d events, %d where all were read", round,
					len(want), out.Candidates, all.Candidates)
				if diff := cmp.Diff(slices.Sorted(maps.Keys(want)),
					slices.Sorted(maps.Keys(got))); diff != "" {
					t.Errorf("%s: the signals of all events -, of those with the keys +\n%s",
						group[0].Rule.Name, diff)
				}
				for id := range want {
					if got[id] != "" && !sameJSON(got[id], want[id]) {
						t.Errorf("%s:\n got %s\nwant %s", id, got[id], want[id])
					}
				}
			}
		}
	}
	t.Logf("%d signals, asked %d times, spared %d times", found, asked.Load(), spared)
	if found == 0 || spared == 0 {
		t.Errorf("%d signals, and %d windows were read in part: this shows nothing", found, spared)
	}
}

// manyEvents makes an index with so many events that the cluster is asked, some of them mapped
// later than they were written.
func manyEvents(t *testing.T, c *estest.Cluster, random *rand.Rand, index, mapping string,
	now time.Time) {
	t.Helper()
	c.Create(index, `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,`+
		`"properties":{"@timestamp":{"type":"date"},"a":{"type":"long"}}}}`)
	lack := pickAny(random, 0, 4, 4, 1000).(int) // of 4,000, which lack a value
	batch := func(events int) {
		docs := make([]any, events)
		for i := range docs {
			// few values are frequent, most are rare
			number := func() int {
				if random.IntN(8) == 0 {
					return random.IntN(3)
				}
				return 3 + random.IntN(5000)
			}
			value := func(of string) string { return fmt.Sprintf(of, number()) }
			d := fmt.Sprintf(`{"@timestamp":%q,"a":%d`, now.Add(-time.Duration(
				random.IntN(1500_000))*time.Millisecond).Format(time.RFC3339Nano), random.IntN(3))
			rarely := func() bool { return random.IntN(4000) < lack }
			if !rarely() {
				d += pickAny(random, `,"k":`+value(`"v%d"`), `,"k":`+value(`"v%d"`),
					`,"k":[`+value(`"V%d"`)+`,`+value(`"v%d"`)+`]`).(string)
			} else if random.IntN(2) == 0 { // beyond ignore_above
				d += `,"k":` + value(`["longer",%d]`)
			}
			if rarely() {
				d += `,"n":null`
			} else {
				d += pickAny(random, `,"n":`+value(`%d`), `,"n":`+value(`%d`),
					`,"n":`+value(`"%d"`), `,"n":`+
						value(pickAny(random, `%d`, `%d.5`).(string))).(string)
			}
			n := number()
			docs[i] = d + fmt.Sprintf(`,"ip":"10.0.%d.%d"}`, n/256, n%256)
		}
		c.Bulk(index, docs...)
	}
	if random.IntN(2) == 0 {
		batch(20)
	}
	c.Do(http.MethodPut, index+"/_mapping", `{"properties":{`+mapping+`}}`)
	batch(4000)
}
