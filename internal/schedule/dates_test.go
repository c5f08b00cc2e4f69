package schedule_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// dated is how an index maps and writes the time of an event and of its file.
type dated struct {
	name string
	// time and file are the mappings of @timestamp and file.created; more is further properties,
	// behind a comma.
	time, file, more string
	// at is where an event has its time, "@timestamp" where it is empty; written writes it.
	at      string
	written func(time.Time) string
	// created is what an event holds in file.created: 1 March 2026.
	created string
	runtime string
}

func (d dated) mapping() string {
	properties := []string{`"event":{"properties":{"category":{"type":"keyword"}}}`,
		`"process":{"properties":{"name":{"type":"keyword"}}}`}
	properties = append(properties, `"@timestamp":`+d.time)
	if d.file != "" {
		properties = append(properties, `"file":{"properties":{"created":`+d.file+d.more+`}}`)
	}
	return `{"dynamic":false,"runtime":{` + d.runtime + `},"properties":{` +
		strings.Join(properties, ",") + d.other() + `}}`
}

func (d dated) other() string {
	if d.at == "" {
		return ""
	}
	return `,"at":{"type":"date","format":"yyyy/MM/dd HH:mm:ss"}`
}

func layout(layout string) func(time.Time) string {
	return func(t time.Time) string { return fmt.Sprintf("%q", t.Format(layout)) }
}

// TestDatesOfEveryMapping holds, for indices of one rule that map its dates in different ways, that
// each event is compared as its index has it, and that its signal says when it happened.
func TestDatesOfEveryMapping(t *testing.T) {
	const iso, slashes = `{"type":"date"}`, `{"type":"date","format":"yyyy/MM/dd HH:mm:ss"}`
	worlds := []dated{
		{name: "iso", time: iso, file: iso, written: layout(time.RFC3339), created: `"2026-03-01"`},
		{name: "seconds", time: `{"type":"date","format":"epoch_second"}`, file: slashes,
			written: func(t time.Time) string { return fmt.Sprint(t.Unix()) },
			created: `"2026/03/01 00:00:00"`},
		{name: "slashes", time: slashes,
			file:    `{"type":"date","format":"basic_date||dd.MM.yyyy","ignore_malformed":true}`,
			written: layout("2006/01/02 15:04:05"), created: `["no date","20260301"]`},
		{name: "alias", time: `{"type":"alias","path":"at"}`, at: "at",
			file:    `{"type":"alias","path":"file.born"}`,
			more:    `,"born":{"type":"date","format":"strict_date_time_no_millis"}`,
			written: layout("2006/01/02 15:04:05"), created: ``},
		{name: "nanos", time: `{"type":"date_nanos","format":"strict_date_time"}`,
			file:    `{"type":"date_nanos","format":"dd.MM.yyyy"}`,
			written: layout(time.RFC3339), created: `"01.03.2026"`},
		{name: "word", time: iso, file: `{"type":"keyword"}`, written: layout(time.RFC3339),
			created: `"2026-03-01"`},
		{name: "columns", time: iso, file: `{"type":"date","format":"MMM d yyyy","index":false}`,
			written: layout(time.RFC3339), created: `"Mar 1 2026"`},
		{name: "tree", time: iso, file: `{"type":"date","format":"MMM d yyyy","doc_values":false}`,
			written: layout(time.RFC3339), created: `"Mar 1 2026"`},
		{name: "runtime", time: iso, runtime: `"file.created":{"type":"date","format":"d/M/yyyy"}`,
			written: layout(time.RFC3339), created: `"1/3/2026"`},
	}
	w := newWorld(t)
	w.clock = w.clock.Truncate(time.Second)
	when := map[string]string{}
	for i, d := range worlds {
		index := w.Index("events-" + d.name)
		w.Create(index, `{"settings":{"number_of_replicas":0,"number_of_shards":1},"mappings":`+
			d.mapping()+`}`)
		at := w.clock.Add(-time.Duration(i+1) * 20 * time.Second)
		when[index] = at.UTC().Format("2006-01-02T15:04:05.000Z")
		field, file := "@timestamp", `"created":`+d.created
		if d.at != "" {
			field, file = d.at, `"born":"2026-03-01T00:00:00Z"`
		}
		for _, name := range []string{"bad.exe", "good.exe"} {
			w.Bulk(index, fmt.Sprintf(
				`{%q:%s,"event":{"category":"process"},"process":{"name":%q},"file":{%s}}`, field,
				d.written(at), name, file))
		}
	}
	f := func(condition string, all bool) {
		t.Helper()
		w.asks(`process where process.name : "bad*" and ` + condition)
		w.rule.ID += "-"
		report := w.run()
		if report.Err != nil || len(report.Open) > 0 {
			t.Errorf("%s: %v %v", condition, report.Err, report.Open)
		}
		got := w.originalTimes(string(w.rule.ID))
		want := map[string]string{}
		if all {
			want = when
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: got signals with the times\n%v, want\n%v\n%s", condition, got, want,
				w.log.String())
		}
	}
	f(`true`, true)
	f(`file.created > "2026-02-28"`, true)
	f(`not file.created > "2026-03-01"`, true)
	f(`file.created != null`, true)
	f(`file.created > "2026-03-01"`, false)
}

// TestConstantsInAnIndexsOwnFormat holds that a constant is read as each index reads it.
func TestConstantsInAnIndexsOwnFormat(t *testing.T) {
	w := newWorld(t)
	add := func(name, format, created string) {
		index := w.Index("events-" + name)
		w.Create(index, fmt.Sprintf(
			`{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{"@timestamp":{"type":"date"},
			"event":{"properties":{"category":{"type":"keyword"}}},"file":{"properties":{"created":{"type":"date","format":%q}}}}}}`, format))
		w.Bulk(index, fmt.Sprintf(
			`{"@timestamp":%q,"event":{"category":"process"},"file":{"created":%q,"name":%q}}`,
			w.clock.Add(-time.Minute).Format(time.RFC3339), created, name))
	}
	add("day", "dd/MM/yyyy", "02/01/2026")
	add("month", "MM/dd/yyyy", "02/01/2026")
	f := func(condition string, want ...string) {
		t.Helper()
		w.asks(`process where ` + condition)
		w.rule.ID += "-"
		if report := w.run(); report.Err != nil || len(report.Open) > 0 {
			t.Errorf("%s: %v %v", condition, report.Err, report.Open)
		}
		got := w.originalTimes(string(w.rule.ID))
		for _, name := range want {
			if got[w.Index("events-"+name)] == "" {
				t.Errorf("%s: no signal from %s", condition, name)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got signals from %v, want %q", condition, got, want)
		}
	}
	f(`file.created == "02/01/2026"`, "day", "month")
	f(`file.created == "01/02/2026"`)
	f(`file.created < "01/02/2026"`, "day") // 2 January < 1 February; 1 February > 2 January
	f(`file.created > "01/02/2026"`, "month")
	f(`file.created in ("02/01/2026", "x")`, "day", "month")
	f(`file.created == "2026-01-02"`, "day")
	f(`file.created == "02/01/2026||/M"`, "day", "month")
	f(`file.created >= "02/01/2026||+1M"`)
	f(`file.created < "now-1d" and file.created > "now-100y"`, "day", "month")
	f(`file.created != "yesterday"`, "day", "month")
}

// originalTimes are what the signals of a rule say of when their events happened, by index.
func (w *world) originalTimes(rule string) map[string]string {
	w.t.Helper()
	times := map[string]string{}
	for _, hit := range w.Hits(w.indices.Signals) {
		var signal struct {
			Rule      string `json:"kibana.alert.rule.uuid"`
			Time      string `json:"kibana.alert.original_time"`
			Ancestors []struct {
				Index string `json:"index"`
			} `json:"kibana.alert.ancestors"`
		}
		if err := json.Unmarshal(hit.Source, &signal); err != nil {
			w.t.Fatal(err)
		}
		if signal.Rule == rule {
			times[signal.Ancestors[0].Index] = signal.Time
		}
	}
	return times
}
