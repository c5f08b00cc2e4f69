package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/schedule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

func TestRunFindsOnceAndOnlyOnce(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	for pid := range 8 { // more than two pages
		w.event(index, 3, "BADGER.exe", pid)
	}
	w.event(index, 3, "good.exe", 100)
	w.event(index, 60, "bad.exe", 101) // before the rule's first look back
	first := w.run()
	if r := first.Run; first.Err != nil || r.Matched != 8 || r.Created != 8 || r.Duplicates != 0 {
		t.Errorf("first run: %+v, %v", r, first.Err)
	}
	w.wantSignals("first run", 8)
	w.clock = time.Now().UTC().Truncate(time.Millisecond)
	if r := w.run().Run; r.Matched != 8 || r.Created != 0 || r.Duplicates != 8 {
		t.Errorf("second run, which overlaps the first: %+v", r)
	}
	w.wantSignals("second run", 8)
	if covered := w.ledger().Covered; len(covered) != 1 {
		t.Errorf("covered by two runs: %v", covered)
	}
}

// A first run looks back as far as it is told, and as far beyond as every search does, whatever the
// rule looks back beyond its interval. So rules that differ in that are searched together.
func TestFirstRunsHaveOneWindow(t *testing.T) {
	w := newWorld(t)
	w.start = 9 * time.Minute
	index := w.index("a")
	w.event(index, 12, "bad.exe", 1)
	w.event(index, 14, "bad.exe", 2)
	far := *w.rule
	far.ID, far.From, far.Interval = "far-rule", 2*time.Hour, time.Hour
	searches := 0.0
	for _, r := range w.runAll(w.rule, &far) {
		if r.Err != nil || r.Run.Matched != 1 {
			t.Errorf("%s: %+v, %v, want one match", r.RuleID, r.Run, r.Err)
		}
		searches += r.Run.Searches
	}
	if searches != 1 {
		t.Errorf("got %v searches, want 1\n%s", searches, w.log.String())
	}
	w.wantSignals("first run of two rules", 2)
}

func TestOutageIsCoveredWhole(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.run()
	began := w.clock
	w.clock = w.clock.Add(-72 * time.Hour) // the events' times are set from here on
	for hour := range 73 {
		w.clock = w.clock.Add(time.Hour)
		w.event(index, 30, "bad.exe", hour)
	}
	// The cluster's clock does not move: the outage lies in the past, so the first run is moved
	// there.
	if _, err := w.store().Update(t.Context(), w.rule.ID, nil, func(l *schedule.Ledger) {
		l.Since = began.Add(-73 * time.Hour)
		l.Covered = span.Intervals{span.New(began.Add(-73*time.Hour), began.Add(-72*time.Hour))}
	}); err != nil {
		t.Fatal(err)
	}
	w.clock = began
	report := w.run()
	if report.Err != nil || report.Run.Created != 72 {
		t.Errorf("run after 72 hours: %+v, %v\n%s", report.Run, report.Err, w.log.String())
	}
	if gaps := w.ledger().Gaps(began); len(gaps) != 0 {
		t.Errorf("gaps: %v", gaps)
	}
}

func TestSickIndexBlindsNoOther(t *testing.T) {
	w := newWorld(t)
	well, sick := w.index("well"), w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	w.event(well, 3, "bad.exe", 1)
	report := w.run()
	if report.Err != nil || report.Run.Created != 1 {
		t.Fatalf("run with a sick index: %+v, %v\n%s", report.Run, report.Err, w.log.String())
	}
	if len(report.Open) != 1 || report.Open[0].Index != sick || report.Open[0].Reason == "" {
		t.Fatalf("open: %+v", report.Open)
	}
	w.Do("PUT", sick+"/_settings", `{"index.routing.allocation.require._name":null}`)
	w.Do("GET", "_cluster/health/"+sick+"?wait_for_status=green&timeout=30s", nil)
	w.event(sick, 3, "bad.exe", 2)
	w.clock = w.clock.Add(time.Second)
	report = w.run()
	if report.Err != nil || len(report.Open) != 0 {
		t.Errorf("run with the index well again: %+v, %v", report.Open, report.Err)
	}
	w.wantSignals("of both indices", 2)
}

func TestDeletedIndexIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	sick := w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	if report := w.run(); len(report.Open) != 1 {
		t.Fatalf("open: %+v", report.Open)
	}
	w.Delete(sick)
	w.clock = w.clock.Add(time.Second)
	if report := w.run(); len(report.Open) != 0 || report.Err != nil {
		t.Errorf("open after the index was deleted: %+v, %v", report.Open, report.Err)
	}
}

func TestClosedIndexStaysOpen(t *testing.T) {
	w := newWorld(t)
	sick := w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	if report := w.run(); len(report.Open) != 1 {
		t.Fatalf("open: %+v", report.Open)
	}
	w.Do("POST", sick+"/_close?wait_for_active_shards=0", nil)
	w.clock = w.clock.Add(time.Second)
	report := w.run()
	if len(report.Open) != 1 || report.Open[0].Index != sick ||
		!strings.Contains(report.Open[0].Reason, "closed") {
		t.Errorf("open after the index was closed: %+v, %v", report.Open, report.Err)
	}
}

func TestRetryKeepsTheFilterOfAnAlias(t *testing.T) {
	w := newWorld(t)
	alias, sick := w.Index("alias"), w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},
		"mappings":`+processMapping+`,"aliases":{"`+alias+`":{"filter":{"term":{"process.pid":1}}}}}`)
	w.rule.Index = []string{alias}
	if report := w.run(); len(report.Open) != 1 || report.Open[0].Index != sick {
		t.Fatalf("open: %+v", report.Open)
	}
	w.Do("PUT", sick+"/_settings", `{"index.routing.allocation.require._name":null}`)
	w.Do("GET", "_cluster/health/"+sick+"?wait_for_status=green&timeout=30s", nil)
	w.event(sick, 3, "bad.exe", 1)
	w.event(sick, 3, "bad.exe", 2)
	w.clock = w.clock.Add(time.Second)
	if report := w.run(); report.Err != nil || len(report.Open) != 0 {
		t.Errorf("open once the index is well: %+v, %v", report.Open, report.Err)
	}
	w.wantSignals("through the filter", 1)
}

// recording keeps the order in which signals are written.
type recording struct {
	detect.Signals
	rules []string
}

func (r *recording) Write(ctx context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	for _, s := range signals {
		var document struct {
			Rule string `json:"kibana.alert.rule.name"`
		}
		if err := json.Unmarshal(s.Document, &document); err != nil {
			return nil, err
		}
		r.rules = append(r.rules, document.Rule)
	}
	return r.Signals.Write(ctx, signals)
}

func TestLiveWindowsComeBeforeBacklogs(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.event(index, 3, "bad.exe", 1)
	w.event(index, 100, "bad.exe", 2)
	second := *w.rule
	second.ID, second.Name = "second", "Second"
	if _, err := w.store().Update(t.Context(), w.rule.ID, func() *schedule.Ledger {
		return schedule.NewLedger(w.rule.ID, w.rule.Name, w.clock.Add(-3*time.Hour))
	}, func(*schedule.Ledger) {}); err != nil {
		t.Fatal(err)
	}
	recorder := &recording{Signals: sink.NewWriter(w.Client,
		sink.Options{SignalsIndex: w.indices.Signals, DeadLetterIndex: w.indices.DeadLetter})}
	w.signals = recorder
	for i, one := range w.runAll(w.rule, &second) {
		if one.Err != nil {
			t.Errorf("rule %d: %v", i, one.Err)
		}
	}
	want := []string{"Bad process", "Second", "Bad process"}
	if diff := cmp.Diff(want, recorder.rules); diff != "" {
		t.Errorf("order of the signals by rule (-want +got):\n%s", diff)
	}
}

func TestIndexWithoutSourceIsNamed(t *testing.T) {
	w := newWorld(t)
	well, blind := w.index("well"), w.Index("events-blind")
	w.Create(blind, `{"mappings":`+
		strings.Replace(processMapping, `{`, `{"_source":{"enabled":false},`, 1)+`}`)
	w.event(well, 3, "bad.exe", 1)
	w.event(blind, 3, "bad.exe", 2)
	report := w.run()
	if report.Err != nil || len(report.Open) != 1 || report.Open[0].Index != blind ||
		!strings.Contains(report.Open[0].Reason, "_source") {
		t.Errorf("open: %+v, %v", report.Open, report.Err)
	}
	w.wantSignals("of the other index", 1)
}

// refusing is a sink that loses the connection.
type refusing struct{}

func (refusing) Write(context.Context, []signal.Signal) ([]sink.Verdict, error) {
	return nil, errors.New("connection reset")
}

func TestUnwrittenSignalsLeaveTheIntervalOpen(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 3, "bad.exe", 1)
	w.signals = refusing{}
	report := w.run()
	if len(report.Failed) != 1 || !strings.Contains(report.Failed[0].Error(), "connection reset") {
		t.Errorf("got %v, %v", report.Failed, report.Err)
	}
	if report.Run.Candidates != 1 || report.Run.Matched != 1 {
		t.Errorf("the run says %+v of one event that matched", report.Run)
	}
	if got := w.ledger().Covered; len(got) != 0 {
		t.Errorf("covered %v although nothing was written", got)
	}
	w.signals = nil
	w.clock = w.clock.Add(20 * time.Minute) // beyond the rule's own look back
	if now := time.Now(); w.clock.After(now) {
		w.clock = now
	}
	w.run()
	w.wantSignals("once the cluster takes them", 1)
}

func TestClassesOfMappings(t *testing.T) {
	w := newWorld(t)
	number := w.Index("events-number")
	w.Create(number, `{"mappings":`+strings.Replace(processMapping, `"name":{"type":"keyword"}`,
		`"name":{"type":"long","ignore_malformed":true}`, 1)+`}`)
	unmapped := w.Index("events-unmapped")
	w.Create(unmapped, `{"mappings":{"dynamic":false,"properties":{"@timestamp":{"type":"date"}}}}`)
	text := w.Index("events-text")
	w.Create(text, `{"mappings":`+strings.Replace(processMapping, `"name":{"type":"keyword"}`,
		`"name":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":4}}}`, 1)+`}`)
	keyword := w.index("keyword")
	for i, index := range []string{number, unmapped, text, keyword} {
		w.event(index, 3, "badly.exe", i)
	}
	report := w.run()
	if report.Err != nil || len(report.Open) != 0 {
		t.Errorf("open %+v, %v", report.Open, report.Err)
	}
	w.wantSignals("of the text and the keyword field", 2)
}

func TestLoneSurrogatesMatchAsIndexed(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	for pid, name := range []string{`bad\ud800`, `\ud800\u0062ad`, `bad\udc00\ud800`,
		`bad\ud83d\ude00`} {
		w.Bulk(index, fmt.Sprintf(
			`{"@timestamp":%q,"event":{"category":"process"},"process":{"name":"%s","pid":%d}}`,
			w.clock.Add(-time.Minute).Format(time.RFC3339Nano), name, pid))
	}
	w.asks(`process where process.name : ("bad?", "?bad", "bad??")`)
	w.run()
	w.wantSignals("one character for each lone half, as for each pair", 4)
}

func TestUnreadMappingKeepsTheIndexOpen(t *testing.T) {
	f := func(why string, others ...string) {
		t.Helper()
		w := newWorld(t)
		text := w.Index("events-text")
		w.Create(text, `{"mappings":`+strings.Replace(processMapping, `"name":{"type":"keyword"}`,
			`"name":{"type":"text","fields":{"keyword":{"type":"keyword"}}}`, 1)+`}`)
		w.event(text, 3, "-/bad.exe", 1) // no term that the index of the others would find it by
		w.asks(`process where process.name : "-/bad.exe"`)
		for _, other := range others {
			w.index(other)
		}
		w.unread = text
		report := w.run()
		if len(report.Open) != 1 || report.Open[0].Index != text {
			t.Errorf("%s: open %+v, %v, want %s", why, report.Open, report.Err, text)
		}
		w.unread = ""
		w.clock = w.clock.Add(time.Second)
		w.run()
		w.wantSignals(why, 1)
	}
	f("alone")
	f("beside one class", "keyword")
}

func TestTwoRunnersKeepOneLedger(t *testing.T) {
	w := newWorld(t)
	store := w.store()
	at := func(minutes int) time.Time {
		return time.Date(2026, 1, 1, 0, minutes, 0, 0, time.UTC)
	}
	var want span.Intervals
	for i := range 8 {
		want = append(want, span.New(at(2*i), at(2*i+1)))
	}
	create := func() *schedule.Ledger { return schedule.NewLedger(w.rule.ID, w.rule.Name, at(0)) }
	done := make(chan error, 8)
	for i := range 8 {
		go func() {
			_, err := store.Update(t.Context(), w.rule.ID, create, func(l *schedule.Ledger) {
				l.Covered = l.Covered.Union(want[i])
			})
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := w.ledger().Covered; !slices.Equal(got, want) {
		t.Errorf("covered: got %s, want %s", got, want)
	}
}

func TestLedgerOfANewerReleaseIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.Do("PUT", w.indices.State+"/_doc/ledger-test-rule",
		`{"kind":"ledger","version":99,"rule_id":"test-rule"}`)
	report := w.run()
	if report.Err == nil || !strings.Contains(report.Err.Error(), "format 99") {
		t.Errorf("got %v", report.Err)
	}
}

func TestPollRunsAtOnceAndEndsCleanly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := make(chan struct{}, 100)
	ended := make(chan struct{})
	go func() {
		schedule.Poll(ctx, every(time.Second), slog.New(slog.DiscardHandler),
			func(context.Context) {
				runs <- struct{}{}
			})
		close(ended)
	}()
	<-runs
	<-runs
	cancel()
	<-ended
}

// every is a timetable shorter than cron's.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }
