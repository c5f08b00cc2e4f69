package report_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"esrule/internal/query/rule"
	"esrule/internal/report"
)

func plainDetection(t testing.TB) detection {
	return newDetection(t, "rule-any", "Anything", "medium", `any where true`,
		rule.ThreatEntry{ID: "T1505", Name: "Server Software Component"})
}

func TestReportTakesItsPlaceAtTheEnd(t *testing.T) {
	w, path := create(t)
	if err := os.WriteFile(path, []byte("older"), 0o644); err != nil {
		t.Fatal(err)
	}
	add(t, w, plainDetection(t).signal(t, []byte(`{"host":{"name":"h"}}`)))
	if b, err := os.ReadFile(path); err != nil || string(b) != "older" {
		t.Errorf("before Finish: got %q, %v", b, err)
	}
	finish(t, w, report.Report{Command: "scan", Generated: sampleNow})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600: it holds event data", info.Mode())
	}
	if b, _ := os.ReadFile(path); !strings.HasPrefix(string(b), "<!DOCTYPE html>") ||
		!strings.HasSuffix(string(b), "</html>\n") {
		t.Errorf("not a whole page: %.80q", b)
	}
	alone(t, path)
	if err := w.Add(report.Signal{}); err == nil {
		t.Error("Add behind Finish: want an error")
	}
	if err := w.Finish(report.Report{}); err == nil {
		t.Error("Finish behind Finish: want an error")
	}
}

// alone checks that no temporary file is left beside the report.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

func TestDiscardedReportLeavesNothing(t *testing.T) {
	w, path := create(t)
	add(t, w, plainDetection(t).signal(t, []byte(`{}`)))
	w.Discard()
	w.Discard()
	alone(t, path)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want no file", err)
	}
}

func TestReportThatCannotBeWritten(t *testing.T) {
	folder := t.TempDir()
	f := func(path, want string) {
		t.Helper()
		w, err := report.Create(path)
		if err == nil {
			w.Discard()
		}
		if err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), ".esrule-report") {
			t.Errorf("%s: got %v, want an error with %q", path, err, want)
		}
	}
	f(filepath.Join(folder, "none", "r.html"), "no such file or directory")
	f(folder, "is no regular file")
	if runtime.GOOS != "windows" {
		f(os.DevNull, "is no regular file")
	}
}

func TestFinishThatFailsLeavesNothing(t *testing.T) {
	w, path := create(t)
	if err := os.Mkdir(path, 0o700); err != nil { // it was not there at Create
		t.Fatal(err)
	}
	if err := w.Finish(report.Report{Command: "scan", Generated: sampleNow}); err == nil ||
		!strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names %s", err, path)
	}
	alone(t, path)
}

func TestSignalsFromManyGoroutines(t *testing.T) {
	w, path := create(t)
	var all sync.WaitGroup
	for g := range 8 {
		one := plainDetection(t).signal(t,
			fmt.Appendf(nil, `{"@timestamp":1700000000000,"host":{"name":"h%d"}}`, g))
		all.Go(func() {
			for range 200 {
				if err := w.Add(one); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	finish(t, w, report.Report{Command: "backfill", Generated: sampleNow})
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "<title>esrule backfill: 1,600 signals</title>") {
		t.Error("not all signals are counted")
	}
}

func TestUnreadableSignalIsNamed(t *testing.T) {
	w, path := create(t)
	for _, document := range []string{`{`, `[]`,
		`{"kibana.alert.esrule.reduced":"400","event.original":1}`} {
		add(t, w, report.Signal{Document: []byte(document)})
	}
	finish(t, w, report.Report{Command: "scan", Generated: sampleNow})
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 of the signals could not be read", "no event.original"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestMemoryStaysFlat: what is kept while signals are added does not grow with them.
func TestMemoryStaysFlat(t *testing.T) {
	w, _ := create(t)
	d := plainDetection(t)
	one := d.signal(t, encoded(t, object{"@timestamp": "2026-03-02T10:00:00Z",
		"host": object{"name": "h"}, "message": strings.Repeat("0123456789abcdef", 512)}))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	grow := func(n int) uint64 {
		for range n {
			add(t, w, one)
		}
		return heap()
	}
	first := grow(500)
	last := grow(2_500) // 20 MB of documents
	if last > first+2<<20 {
		t.Errorf("%d bytes after 500 signals, %d after 3,000", first, last)
	}
}

// BenchmarkAdd is what a report costs a signal of ordinary size.
func BenchmarkAdd(b *testing.B) {
	w, _ := create(b)
	d := newDetection(b, "rule", "Rule", "high",
		`file where file.path : ("?:\\inetpub\\*", "D:\\*") and not process.name == "x" and user.name != null`, rule.ThreatEntry{ID: "T1505", Name: "Server Software Component"})
	fields := object{}
	for i := range 60 {
		fields[fmt.Sprintf("field%d", i)] = fmt.Sprintf("the value of field %d", i)
	}
	one := d.signal(b, encoded(b, object{
		"@timestamp": "2026-03-02T10:00:00Z", "event": object{"category": "file"},
		"host": object{"name": "h"}, "user": object{"name": "u"},
		"process": object{"name": "p.exe"}, "file": object{"path": `C:\inetpub\x`},
		"labels": fields,
	}))
	b.SetBytes(int64(len(one.Document)))
	b.ReportAllocs()
	for b.Loop() {
		add(b, w, one)
	}
}
