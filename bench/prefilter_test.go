package bench

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
	"esrule/internal/span"
	"esrule/rules"
)

const (
	defaultEvents = 1_000_000
	rounds        = 15
	seed          = 1
)

// BenchmarkPrefilter measures the search for the shipped rule's candidates beside the same rule
// with all its patterns pushed down, as Elasticsearch's EQL would search for it, and beside the
// time range alone.
//
// Its figures are medians over rounds, and each round runs every search once, so that what else the
// machine does hits all alike. It does so once, whatever b.N.
//
// The server remembers which documents a filter found, where that filter came twice among the last
// few hundred. Runs right behind each other make a rule's patterns such filters; polls five minutes
// apart, with other searches in between, do not. So the comparison is made without that memory, and
// the other one stands beside it, by the name warm.
func BenchmarkPrefilter(b *testing.B) {
	s := newSetting(b)
	minutes := func(round int) span.Interval {
		from := firstDay().Add(12*time.Hour + time.Duration(round)*9*time.Minute)
		return span.New(from, from.Add(9*time.Minute))
	}
	wholeDay := func(round int) span.Interval {
		from := firstDay().Add(time.Duration(round) * time.Second)
		return span.New(from, from.Add(day))
	}
	b.Run("9m", func(b *testing.B) { s.measure(b, false, minutes) })
	b.Run("24h", func(b *testing.B) { s.measure(b, false, wholeDay) })
	b.Run("9m-warm", func(b *testing.B) { s.measure(b, true, minutes) })
	b.Run("24h-warm", func(b *testing.B) { s.measure(b, true, wholeDay) })
}

// setting is what all windows have in common.
type setting struct {
	server    server
	index     string
	pit       string
	events    int
	segments  int
	detection *detect.Detection
	mapping   *event.Mapping
}

func newSetting(b *testing.B) *setting {
	b.Helper()
	s := &setting{server: server{client: estest.For(b).Client}, events: eventsWanted(b)}
	s.index = indexName(seed, s.events)
	fmt.Fprintf(os.Stderr, "bench: %d events in index %s; writing them takes a minute or more\n",
		s.events, s.index)
	if err := s.server.load(b.Context(), s.index, newGenerator(seed, s.events)); err != nil {
		b.Fatal(err)
	}
	s.detection = shipped(b, s.index)
	classes, err := search.NewCluster(s.server.client, search.Options{}).Mappings(b.Context(),
		[]string{s.index}, s.detection.Mapped())
	if err != nil || len(classes) != 1 {
		b.Fatalf("read the mapping of %s: %v, %d classes", s.index, err, len(classes))
	}
	s.mapping = classes[0].Mapping
	return s
}

func eventsWanted(b *testing.B) int {
	text := os.Getenv("BENCH_EVENTS")
	if text == "" {
		return defaultEvents
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("BENCH_EVENTS: %q is not a number of events", text)
	}
	return n
}

func shipped(t testing.TB, index string) *detect.Detection {
	t.Helper()
	set, err := rule.LoadFS(rules.FS(), "rules")
	if err != nil {
		t.Fatal(err)
	}
	place := slices.IndexFunc(set.Rules, func(r *rule.Rule) bool {
		return r.ID == "6cd1779c-560f-4b68-a8f1-11009b27fe63"
	})
	if place < 0 {
		t.Fatal("the shipped rule is not among the built-in ones")
	}
	d, err := detect.New(set.Rules[place], []string{index})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The searches of a round.
const (
	timeRange = "time range, first page"
	preFilter = "pre-filter"
	pushed    = "pushed down"
)

func (s *setting) searches(b *testing.B, window span.Interval) []measured {
	b.Helper()
	when := prefilter.Between(s.mapping, s.detection.Timestamps(), window.From, window.To)
	filter := prefilter.Build(s.detection.Matchers[0].Condition(), s.mapping)
	rule, err := pushdown.Translate(s.detection.Matchers[0].Condition(), s.mapping)
	if err != nil {
		b.Fatal(err)
	}
	return []measured{
		{name: timeRange, query: when, firstPage: true},
		{name: preFilter, query: dsl.And(when, filter.Clause)},
		{name: pushed, query: pushdown.Query{"bool": pushdown.Query{"must": []any{rule},
			"filter": []any{when}}}},
	}
}

// samples are the answers of one kind of search, over all rounds.
type samples struct {
	whole, cluster, places []time.Duration
	read, signals          int
}

// measure runs the rounds, with or without the server's memory of filters. Each has a window of its
// own, as polls have.
func (s *setting) measure(b *testing.B, warm bool, window func(round int) span.Interval) {
	b.Helper()
	s.prepare(b, warm)
	taken := map[string]*samples{timeRange: {}, preFilter: {}, pushed: {}}
	for round := range rounds + 1 {
		searches := s.searches(b, window(round))
		answers := map[string]answer{}
		for i := range searches {
			m := searches[(i+round)%len(searches)] // none runs behind the same one each time
			places, events := s.runBoth(b, m, round%2 == 0)
			answers[m.name] = events
			if round > 0 { // the first only warms up
				taken[m.name].add(events, places)
			}
		}
		candidates, found := s.matching(answers[preFilter]), ids(answers[pushed])
		if !maps.Equal(candidates, found) {
			b.Fatalf("window %s: the matcher accepts %d candidates, the rule pushed down finds "+
				"%d events; different are %s",
				window(round), len(candidates), len(found), difference(candidates, found))
		}
		if round > 0 {
			taken[preFilter].signals += len(candidates)
			taken[pushed].signals += len(found)
		}
	}
	s.report(b, taken)
}

// prepare opens the point in time that all rounds read.
func (s *setting) prepare(b *testing.B, warm bool) {
	b.Helper()
	if err := s.server.setQueryCache(b.Context(), s.index, warm); err != nil {
		b.Fatal(err)
	}
	var err error
	if s.segments, err = s.server.settle(b.Context(), s.index); err != nil {
		b.Fatal(err)
	}
	if s.pit, err = s.server.openPointInTime(b.Context(), s.index); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.server.closePointInTime(context.WithoutCancel(b.Context()), s.pit); err != nil {
			b.Error(err)
		}
	})
}

func (t *samples) add(a, places answer) {
	t.whole = append(t.whole, a.whole)
	t.cluster = append(t.cluster, a.cluster)
	t.places = append(t.places, places.whole)
	t.read += len(a.hits)
}

// runBoth asks for the places of what is found and for the events, in either order: the second has
// it easier.
func (s *setting) runBoth(b *testing.B, m measured, eventsFirst bool) (places, events answer) {
	b.Helper()
	withEvents := m
	withEvents.source = true
	if eventsFirst {
		events = s.run(b, withEvents)
	}
	places = s.run(b, m)
	if !eventsFirst {
		events = s.run(b, withEvents)
	}
	return places, events
}

func (s *setting) run(b *testing.B, m measured) answer {
	b.Helper()
	a, err := s.server.run(b.Context(), s.pit, m)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// matching gives the candidates that the matcher accepts.
func (s *setting) matching(a answer) map[string]bool {
	accepted := map[string]bool{}
	e := match.NewEvaluation(s.detection.Fields, time.Now())
	for _, hit := range a.hits {
		err := e.Read(s.mapping, event.Document{Source: hit.Get("_source").MarshalTo(nil)})
		if err == nil && s.detection.Matchers[0].Match(e) {
			accepted[string(hit.GetStringBytes("_id"))] = true
		}
	}
	return accepted
}

func ids(a answer) map[string]bool {
	found := map[string]bool{}
	for _, hit := range a.hits {
		found[string(hit.GetStringBytes("_id"))] = true
	}
	return found
}

func difference(a, b map[string]bool) []string {
	var different []string
	for id := range a {
		if !b[id] {
			different = append(different, id)
		}
	}
	for id := range b {
		if !a[id] {
			different = append(different, id)
		}
	}
	return different
}

func (s *setting) report(b *testing.B, taken map[string]*samples) {
	var table strings.Builder
	fmt.Fprintf(&table, "%d events, %d segments; median of %d (fastest to slowest) in ms; events "+
		"a search\n", s.events, s.segments, rounds)
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "search\twith events\ton the cluster\tno events\tread\tsignals")
	for _, name := range []string{timeRange, preFilter, pushed} {
		t := taken[name]
		signals := "-"
		if name != timeRange {
			signals = average(t.signals)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, spread(t.whole), spread(t.cluster),
			spread(t.places), average(t.read), signals)
	}
	a, c := taken[preFilter], taken[pushed]
	fmt.Fprintf(w, "pushed down / pre-filter\t%.1f\t%.1f\t%.1f\t\t\n", ratio(c.whole, a.whole),
		ratio(c.cluster, a.cluster), ratio(c.places, a.places))
	_ = w.Flush() // into memory
	b.Log(table.String())
	b.ReportMetric(0, "ns/op") // the whole run; it says nothing
	b.ReportMetric(milliseconds(median(taken[timeRange].whole)), "range-ms")
	b.ReportMetric(milliseconds(median(a.whole)), "prefilter-ms")
	b.ReportMetric(milliseconds(median(c.whole)), "pushed-ms")
	b.ReportMetric(ratio(c.whole, a.whole), "pushed/prefilter")
	b.ReportMetric(float64(a.read)/rounds, "candidates")
	b.ReportMetric(float64(a.signals)/rounds, "signals")
}

func average(total int) string { return fmt.Sprintf("%.1f", float64(total)/rounds) }

func spread(times []time.Duration) string {
	return fmt.Sprintf("%.1f (%.1f to %.1f)", milliseconds(median(times)),
		milliseconds(slices.Min(times)), milliseconds(slices.Max(times)))
}

func ratio(a, b []time.Duration) float64 {
	return float64(median(a)) / float64(median(b))
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
