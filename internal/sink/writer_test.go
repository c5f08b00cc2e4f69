package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/sink/indices"
	"esrule/internal/sink/signal"
)

// set gives a test its own three indices on the real server.
func set(t *testing.T) (*estest.Cluster, indices.Names) {
	t.Helper()
	c := estest.For(t)
	i := names(c)
	if _, err := i.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	return c, i
}

func options(i indices.Names) Options {
	return Options{
		SignalsIndex: i.Signals, DeadLetterIndex: i.DeadLetter,
		MaxElapsed: time.Minute, RetryPause: time.Millisecond,
	}
}

// numbered gives n different events' signals.
func numbered(t *testing.T, n int) []signal.Signal {
	t.Helper()
	signals := make([]signal.Signal, n)
	for i := range signals {
		signals[i] = signalOf(t,
			fmt.Sprintf(`{"@timestamp":%d,"event":{"category":["file"]},"file":{"name":"f%d"}}`,
				1772445600000+i, i))
	}
	return signals
}

func write(t *testing.T, w *Writer, signals []signal.Signal, want fates) {
	t.Helper()
	got, err := counted(w.Write(t.Context(), signals))
	if err != nil || got != want {
		t.Errorf("write %d signals: got %+v, %v, want %+v", len(signals), got, err, want)
	}
}

func TestWriteCreatesOnce(t *testing.T) {
	c, i := set(t)
	w := NewWriter(c.Client, options(i))
	signals := numbered(t, 7)
	write(t, w, signals[:5], fates{Created: 5})
	write(t, w, signals, fates{Created: 2, Duplicate: 5})
	write(t, w, append(signals[:1:1], signals[0]), fates{Duplicate: 2})
	write(t, w, nil, fates{})

	c.Refresh(i.Signals)
	hits := c.Hits(i.Signals)
	if len(hits) != 7 {
		t.Errorf("got %d documents, want 7", len(hits))
	}
	for _, h := range hits {
		for _, s := range signals {
			if h.ID == string(s.ID) && !bytes.Equal(h.Source, s.Document) {
				t.Errorf("%s: got %s, want %s", h.ID, h.Source, s.Document)
			}
		}
	}
}

// TestSignalIsFound: what people search by is indexed.
func TestSignalIsFound(t *testing.T) {
	c, i := set(t)
	write(t, NewWriter(c.Client, options(i)),
		[]signal.Signal{signalOf(t, exampleEvent(t, "endpoint"))}, fates{Created: 1})
	c.Refresh(i.Signals)
	f := func(field string, value any) {
		t.Helper()
		var got struct{ Count int }
		answer := c.Do(http.MethodPost, i.Signals+"/_count",
			map[string]any{"query": map[string]any{"term": map[string]any{field: value}}})
		if err := json.Unmarshal(answer, &got); err != nil || got.Count != 1 {
			t.Errorf("%s: %v: got %s, want 1", field, value, answer)
		}
	}
	f("kibana.alert.rule.rule_id", string(testRule))
	f("kibana.alert.workflow_status", "open")
	f("kibana.alert.severity", "medium")
	f("kibana.alert.risk_score", 47)
	f("kibana.alert.original_time", "2026-03-02T10:00:00.123Z")
	f("kibana.alert.original_event.kind", "event")
	f("kibana.alert.original_event.sequence", 32114)
	f("kibana.alert.rule.threat.technique.subtechnique.id", "T1505.003")
	f("kibana.alert.rule.parameters.language", "eql")
	f("kibana.alert.reason.text", "services.exe")
	f("kibana.alert.ancestors.index", "idx")
	f("event.kind", "signal")
	f("host.ip", "fe80::1")
	f("process.parent.name", "services.exe")
	f("process.parent.name.text", "services.exe")
	f("file.path", `D:\c.aspx`)
	f("user.domain", "NT AUTHORITY")
}

func deep(n int) string {
	return `{"@timestamp":1,"deep":` + strings.Repeat(`{"a":`, n) + `"bottom"` +
		strings.Repeat(`}`, n) + `}`
}

// TestOddEvents: every event becomes a signal, in full where the mapping bends to it, reduced where
// it breaks it.
func TestOddEvents(t *testing.T) {
	c, i := set(t)
	w := NewWriter(c.Client, options(i))
	f := func(event string, want fates) {
		t.Helper()
		s := signalOf(t, event)
		got, err := counted(w.Write(t.Context(), []signal.Signal{s}))
		if err != nil || got != want {
			t.Errorf("%.80s: got %+v, %v, want %+v", event, got, err, want)
			return
		}
		write(t, w, []signal.Signal{s}, fates{Duplicate: 1})
		var stored struct {
			Source map[string]json.RawMessage `json:"_source"`
		}
		if err := json.Unmarshal(c.Do(http.MethodGet, i.Signals+"/_doc/"+string(s.ID), nil),
			&stored); err != nil {
			t.Fatal(err)
		}
		if _, reduced := stored.Source["kibana.alert.esrule.reduced"]; reduced != (want[Reduced] == 1) {
			t.Errorf("%.80s: reduced: got %v, want %v", event, reduced, !reduced)
		}
		if want[Reduced] == 0 {
			return
		}
		var original string
		if err := json.Unmarshal(stored.Source["event.original"], &original); err != nil ||
			original != event {
			t.Errorf("%.80s: event.original: got %.80s, %v", event, original, err)
		}
		for _, key := range []string{"kibana.alert.rule.name", "kibana.alert.reason",
			"kibana.alert.uuid", "kibana.alert.status"} {
			if stored.Source[key] == nil {
				t.Errorf("%.80s: no %s in the reduced signal", event, key)
			}
		}
	}
	full, reduced := fates{Created: 1}, fates{Reduced: 1}
	long := strings.Repeat("x", 40_000)
	f(`{"@timestamp":2,"process":{"name":"`+long+`"}}`, full)
	f(`{"@timestamp":3,"message":"`+long+`","event":{"original":"`+long+`"},"file":{"path":"`+long+
		`"}}`, full)
	f(`{"@timestamp":4,"host":{"ip":["garbage","10.0.0.1"]}}`, full)
	f(`{"@timestamp":5,"process":{"pid":"none"},"file":{"size":1e400,"created":"never"},"dll":{"code_signature":{"trusted":"no"}}}`, full)
	f(`{"@timestamp":"never"}`, full)
	f(`{"@timestamp":7,"event":{"category":["file",null]},"unknown":{"":1,"..":{}},"process":null}`,
		full)
	f(`{"@timestamp":8,"process.name":"a","process":{"name":"b"}}`, full)
	f(`{"@timestamp":99999999999999999}`, full)
	f(deep(990), full)

	f(`{"@timestamp":10,"process":"x"}`, reduced)
	f(`{"@timestamp":11,"event":"x"}`, reduced)
	f(`{"@timestamp":12,"event":{"action":{"a":1},"category":"file"}}`, reduced)
	f(`{"@timestamp":13,"process":{"name":{"a":1}},"event":{"category":["`+long+`"],"id":7}}`,
		reduced)
	f(`{"@timestamp":14,"file":{"path":[{"a":1}]}}`, reduced)
	f(`{"@timestamp":15,"a":1,"a":2}`, reduced)
	f(`{"@timestamp":16,"":1}`, reduced)
	f(`{"@timestamp":17,"a..b":1}`, reduced)
	f(`{"@timestamp":18,"_id":"x"}`, reduced)
	f(`{"@timestamp":19,"host":{"ip":{"v4":"10.0.0.1"}}}`, reduced)
	f(`{"@timestamp":20,"n":`+strings.Repeat("1", 1500)+`}`, reduced)
	f(deep(1001), reduced)
	f(deep(9_000), reduced)
}

// TestDeadLetter: an index that takes signals, and one signal in no form, loses none.
func TestDeadLetter(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	// It takes the events of documents that are named by a number.
	c.Create(i.Signals, `{"mappings":{"properties":{
		"kibana.alert.ancestors":{"properties":{"id":{"type":"long"}}}}}}`)
	report, err := i.Ensure(t.Context(), c.Client, nil)
	if err != nil || len(report.Warnings) == 0 || report.Warnings[0].On != "index "+i.Signals {
		t.Fatalf("set-up over a foreign index: got %+v, %v, want a warning", report, err)
	}
	var log bytes.Buffer
	o := options(i)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w := NewWriter(c.Client, o)
	const event = `{"@timestamp":1,"secret":"swordfish"}`
	good := signalFrom(t, "7", `{"@timestamp":3}`)
	signals := []signal.Signal{signalOf(t, event),
		signalOf(t, `{"@timestamp":2,"secret":"swordfish"}`),
		good}
	write(t, w, signals, fates{Created: 1, DeadLettered: 2})
	write(t, w, signals, fates{Duplicate: 3})

	var letter struct {
		Source map[string]string `json:"_source"`
	}
	if err := json.Unmarshal(c.Do(http.MethodGet, i.DeadLetter+"/_doc/"+string(signals[0].ID), nil),
		&letter); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"rule.id": string(testRule), "signal.id": string(signals[0].ID), "event.index": "idx",
		"event.id": "doc", "source": event,
		"@timestamp": "2026-03-02T10:05:02.314Z",
	} {
		if got := letter.Source[key]; got != want {
			t.Errorf("dead letter: %s: got %q, want %q", key, got, want)
		}
	}
	if !strings.Contains(letter.Source["reason"], "document_parsing_exception") {
		t.Errorf("dead letter: reason: got %q", letter.Source["reason"])
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], "signals=2") ||
		!strings.Contains(lines[0], string(signals[0].ID)) {
		t.Errorf("log: got %q, want one line about two signals", lines)
	}
	if strings.Contains(log.String(), "swordfish") {
		t.Errorf("the log quotes the event: %s", log.String())
	}
}

// TestRefusedEverywhere: where the dead letter is refused too, the caller hears of it, and of no
// content.
func TestRefusedEverywhere(t *testing.T) {
	c := estest.For(t)
	i := indices.Names{Signals: c.Index("signals"), DeadLetter: c.Index("dead-letter")}
	for _, index := range []string{i.Signals, i.DeadLetter} {
		c.Create(index, `{"mappings":{"dynamic":"strict","properties":{"@timestamp":{"type":"date"}}}}`)
	}
	got, err := counted(NewWriter(c.Client, options(i)).Write(t.Context(),
		[]signal.Signal{signalOf(t, `{"secret":"swordfish"}`)}))
	if err == nil || got != (fates{}) || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %+v, %v, want an error without the event", got, err)
	}
}

// TestTwoWriters: however many processes write the same signals at once, each is created once.
func TestTwoWriters(t *testing.T) {
	c, i := set(t)
	signals := numbered(t, 300)
	const writers = 4
	results := make([]fates, writers)
	errs := make([]error, writers)
	var all sync.WaitGroup
	for n := range writers {
		o := options(i)
		o.MaxItems = 20 + n
		all.Go(func() {
			results[n], errs[n] = counted(NewWriter(c.Client, o).Write(t.Context(), signals))
		})
	}
	all.Wait()
	var sum fates
	for _, r := range results {
		for fate, n := range r {
			sum[fate] += n
		}
	}
	want := fates{Created: 300, Duplicate: 300 * (writers - 1)}
	if err := errors.Join(errs...); err != nil || sum != want {
		t.Errorf("got %+v, %v, want %+v", sum, err, want)
	}
	c.Refresh(i.Signals)
	if n := c.Count(i.Signals); n != 300 {
		t.Errorf("got %d documents, want 300", n)
	}
}

// TestIndexState: what is wrong with an index is no reason to reduce a signal; it is told, with
// what to do.
func TestIndexState(t *testing.T) {
	c, i := set(t)
	signals := numbered(t, 2)
	f := func(wrong, want string) {
		t.Helper()
		got, err := counted(NewWriter(c.Client, options(i)).Write(t.Context(), signals))
		if got != (fates{}) || err == nil || !strings.Contains(err.Error(), i.Signals) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v, want an error with %q", wrong, got, err, want)
		}
	}
	c.Do(http.MethodPost, i.Signals+"/_close", nil)
	f("closed", "open the index again")
	c.Do(http.MethodPost, i.Signals+"/_open", nil)
	c.Do(http.MethodPut, i.Signals+"/_settings", `{"index.blocks.write":true}`)
	f("blocked", "takes no writes")
	c.Delete(i.Signals)
	f("deleted", "the index is gone")
	c.Create(i.Signals+"-1", `{"aliases":{"`+i.Signals+`":{}}}`)
	f("an alias", "is an alias for "+i.Signals+"-1")
	c.Refresh(i.DeadLetter)
	if n := c.Count(i.DeadLetter); n != 0 {
		t.Errorf("got %d dead letters, want none", n)
	}
}

// TestIndexRefusesAll: where an index refuses every signal for what the index is, no signal is
// given up; after the repair they are written in full.
func TestIndexRefusesAll(t *testing.T) {
	c := estest.For(t)
	signals := numbered(t, 3)
	next := 0
	f := func(wrong, body, want string, repair func(index string)) {
		t.Helper()
		next++
		i := indices.Names{Signals: c.Index(fmt.Sprint("signals-", next)),
			DeadLetter: c.Index(fmt.Sprint("dead-letter-", next))}
		c.Create(i.Signals, body)
		c.Create(i.DeadLetter, nil)
		w := NewWriter(c.Client, options(i))
		got, err := counted(w.Write(t.Context(), signals))
		if got != (fates{}) || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v and the error %v, want %q in it", wrong, got, err, want)
		}
		c.Refresh(i.DeadLetter)
		if n := c.Count(i.DeadLetter); n > 0 {
			t.Errorf("%s: got %d dead letters, want none", wrong, n)
		}
		if repair != nil {
			repair(i.Signals)
			write(t, w, signals, fates{Created: 3})
		}
	}
	set := func(setting string, value any) func(string) {
		return func(index string) {
			c.Do(http.MethodPut, index+"/_settings", map[string]any{setting: value})
		}
	}
	for n, want := range map[int]string{1: "the only signal of this time is refused",
		2: "each of 2 signals is refused"} {
		index := c.Index(fmt.Sprint("strict-", n))
		c.Create(index, `{"mappings":{"dynamic":"strict"}}`)
		_, err := NewWriter(c.Client,
			options(indices.Names{Signals: index, DeadLetter: index})).Write(t.Context(),
			signals[:n])
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "set dynamic to false") {
			t.Errorf("%d signals: got the error %v, want %q in it", n, err, want)
		}
	}
	f("no default pipeline", `{"settings":{"index.default_pipeline":"esrule-nowhere"}}`,
		"create the ingest pipeline, or take it out", set("index.default_pipeline", "_none"))
	f("no final pipeline", `{"settings":{"index.final_pipeline":"esrule-nowhere"}}`,
		"create the ingest pipeline, or take it out", set("index.final_pipeline", "_none"))
	f("too many fields", `{"settings":{"index.mapping.total_fields.limit":3}}`,
		"raise index.mapping.total_fields.limit", set("index.mapping.total_fields.limit", 1000))
	f("strict", `{"mappings":{"dynamic":"strict"}}`, "set dynamic to false", func(index string) {
		c.Do(http.MethodPut, index+"/_mapping", `{"dynamic":false}`)
	})
	f("routing", `{"mappings":{"_routing":{"required":true}}}`, "requires a routing", nil)
	f("another type", `{"mappings":{"properties":{"kibana.alert.rule.name":{"type":"long"}}}}`,
		"see what its mapping", nil)
	f("blocked", `{"settings":{"index.blocks.write":true}}`, "takes no writes",
		set("index.blocks.write", false))
	f("read-only", `{"settings":{"index.blocks.read_only_allow_delete":true}}`, "takes no writes",
		set("index.blocks.read_only_allow_delete", false))
}

// TestIndexTurnsStrict: an index that begins to refuse every signal in the middle of a write gives
// up none of those that it has not taken yet.
func TestIndexTurnsStrict(t *testing.T) {
	c, i := set(t)
	turn := &faults{spoil: func(call int, req *http.Request) (*http.Response, error) {
		if call == 2 && strings.HasSuffix(req.URL.Path, "/_bulk") {
			c.Do(http.MethodPut, i.Signals+"/_mapping", `{"dynamic":"strict"}`)
		}
		return nil, nil
	}}
	o := options(i)
	o.MaxItems = 1
	signals := numbered(t, 3)
	got, err := counted(NewWriter(c.Through(turn), o).Write(t.Context(), signals))
	if err == nil || !strings.Contains(err.Error(), "set dynamic to false") ||
		got != (fates{Created: 1}) {
		t.Errorf("got %+v and the error %v, want one signal and an error", got, err)
	}
	c.Do(http.MethodPut, i.Signals+"/_mapping", `{"dynamic":false}`)
	write(t, NewWriter(c.Client, o), signals, fates{Created: 2, Duplicate: 1})
}

func TestBatches(t *testing.T) {
	f := func(sizes []int, maxItems, maxBytes int, want string) {
		t.Helper()
		empty := entry{}.size()
		var docs []entry
		for _, size := range sizes {
			docs = append(docs, entry{body: make([]byte, size-empty)})
		}
		var got []int
		for _, b := range batches(docs, maxItems, maxBytes) {
			got = append(got, len(b))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%v, at most %d items and %d bytes: got %v, want %s", sizes, maxItems,
				maxBytes, got, want)
		}
	}
	f(nil, 2, 100, "[]")
	f([]int{50, 50, 50}, 9, 100, "[2 1]")
	f([]int{50, 51, 49}, 9, 100, "[1 2]")
	f([]int{50, 500, 50}, 9, 100, "[1 1 1]")
	f([]int{30, 30, 30, 30, 30}, 2, 1000, "[2 2 1]")
}
