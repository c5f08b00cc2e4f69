package report_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/report"
	"esrule/internal/sink/signal"
)

// detection is a rule of these tests, ready to judge.
type detection struct {
	rule    *rule.Rule
	matcher *match.Matcher
	event   *match.Evaluation
}

func newDetection(t testing.TB, id, name, severity, query string,
	technique rule.ThreatEntry) detection {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	r := &rule.Rule{Head: rule.Head{
		ID: rule.ID(id), Name: name, Description: "A rule of these tests.", Severity: severity,
		Threat: []rule.Threat{{Framework: "MITRE ATT&CK",
			Technique: []rule.Technique{{ThreatEntry: technique}}}},
	}, Body: &rule.EventQuery{Query: q}}
	fields := &event.Fields{}
	m, err := match.Compile(q, fields, match.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return detection{r, m, match.NewEvaluation(fields, time.Now())}
}

// signal makes the signal of an event as the commands do.
func (d detection) signal(t testing.TB, source []byte) report.Signal {
	t.Helper()
	s, err := signal.New(signal.Match{Rule: d.rule, Events: []signal.Event{{
		Index: "logs-1", ID: "doc", Source: source}}},
		signal.Execution{
			ID: "run", Type: signal.Manual, Now: func() time.Time { return sampleNow },
		})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.event.Read(nil, event.Document{Source: source}); err != nil {
		t.Fatal(err)
	}
	x := d.matcher.Explain(d.event)
	if !x.Holds {
		t.Fatalf("%s does not match %s", source, d.rule.Body.Text())
	}
	return report.Signal{Document: s.Document, Decided: x}
}

func create(t testing.TB) (*report.Writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	w, err := report.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Discard)
	return w, path
}

func add(t testing.TB, w *report.Writer, s report.Signal) {
	t.Helper()
	if err := w.Add(s); err != nil {
		t.Fatal(err)
	}
}

func finish(t testing.TB, w *report.Writer, r report.Report) {
	t.Helper()
	if err := w.Finish(r); err != nil {
		t.Fatal(err)
	}
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type object = map[string]any

// manySignals writes a report of n signals of two rules over an hour each thousand. Signal i is on
// host i modulo 20, and its file is named after i.
func manySignals(t testing.TB, n int) string {
	t.Helper()
	w, path := create(t)
	files := newDetection(t, "rule-files", "File Written", "high", `file where file.path : "C:\\*"`,
		rule.ThreatEntry{ID: "T1505", Name: "Server Software Component"})
	processes := newDetection(t, "rule-processes", "Process Started", "low",
		`process where process.name : "cmd*" or process.name : "never"`,
		rule.ThreatEntry{ID: "T1059", Name: "Command and Scripting Interpreter"})
	for i := range n {
		d, category := files, "file"
		if i%4 == 3 {
			d, category = processes, "process"
		}
		add(t, w, d.signal(t, encoded(t, object{
			"@timestamp": sampleNow.Add(-time.Duration(i) * 3600 * time.Millisecond).Format(
				"2006-01-02T15:04:05.000Z"),
			"event": object{"category": []string{category}, "id": fmt.Sprint("event-", i)},
			"host":  object{"name": fmt.Sprintf("host-%02d", i%20)},
			"user":  object{"name": fmt.Sprintf("user-%d", i%7)},
			"process": object{"name": "cmd.exe", "pid": 1000 + i,
				"command_line": fmt.Sprintf(`cmd /c "echo needle%05d" & dir C:\Windows`, i)},
			"file": object{"path": fmt.Sprintf(`C:\inetpub\wwwroot\file-%05d.aspx`, i)},
		})))
	}
	finish(t, w, report.Report{
		Command: "backfill", Version: "1.0", Generated: sampleNow,
		From: sampleNow.Add(-24 * time.Hour), To: sampleNow,
		Rules: []*rule.Rule{files.rule, processes.rule},
		Covered: []report.Coverage{{What: "logs-1", From: sampleNow.Add(-24 * time.Hour),
			To: sampleNow, Events: 1_000_000, Judged: int64(n)}},
	})
	return path
}
