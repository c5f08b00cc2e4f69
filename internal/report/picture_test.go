package report_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"esrule/demo/samples"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/report"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
	builtin "esrule/rules"
)

var picture = flag.String("picture", "", "write the picture of the report that the README shows "+
	"to this file")

// sampleNow is when the last of the sample events happened; those of each source lie further back.
var sampleNow = time.Date(2026, 3, 2, 10, 10, 0, 0, time.UTC)

// sampleReport scans the demo's events, one of the files cut short, and gives the report's path.
func sampleReport(t *testing.T) string {
	t.Helper()
	set, err := rule.LoadFS(builtin.FS(), "built-in")
	if err != nil {
		t.Fatal(err)
	}
	rules := scan.NewRules()
	for _, r := range append(set.Rules, ownRules(t)...) {
		if err := rules.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "report.html")
	w, err := report.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := scan.Run(context.Background(), rules, sampleInputs(t), scan.Options{
		Execution: signal.Execution{ID: "picture", Type: signal.Manual, Version: "1.0",
			Now: func() time.Time {
				return sampleNow
			}},
		Signal: func(*rule.Rule, signal.Signal) error { return nil },
		Explained: func(s signal.Signal, x *match.Explanation) {
			if err := w.Add(report.Signal{Document: s.Document, Decided: x}); err != nil {
				t.Error(err)
			}
		},
		Bad: func(error) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := report.Report{Command: "scan", Version: "1.0", Generated: sampleNow}
	for _, one := range summary.ByRule {
		r.Rules = append(r.Rules, one.Rule)
	}
	for _, in := range summary.ByInput {
		r.Covered = append(r.Covered, report.Coverage{What: in.Name, Events: int64(in.Events),
			Judged: int64(in.Events)})
		if in.Err != nil {
			r.NotCovered = append(r.NotCovered,
				report.Gap{What: "the rest of " + in.Name,
					Reason: "The file breaks off at line 2: unexpected EOF."})
		}
	}
	if err := w.Finish(r); err != nil {
		t.Fatal(err)
	}
	return path
}

func sampleInputs(t *testing.T) (inputs []scan.Input) {
	t.Helper()
	for i, source := range samples.Sources() {
		events, err := samples.Events(sampleNow.Add(-time.Duration(i*i) * 11 * time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		for _, e := range events {
			if e.Source == source {
				text.Write(append(e.JSON, '\n'))
			}
		}
		name := source + ".ndjson"
		if source == "endgame" {
			text, name = cutShort(t, text.Bytes()), name+".gz"
		}
		inputs = append(inputs, scan.Input{Name: name, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(&text), nil
		}})
	}
	return inputs
}

// cutShort packs a text and loses the end of it.
func cutShort(t *testing.T, text []byte) bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.Truncate(b.Len() / 2)
	return b
}

// ownRules stand beside the built-in rule, so that there is something to compare.
func ownRules(t *testing.T) []*rule.Rule {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.toml")
	if err := os.WriteFile(path, []byte(ownRule), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rule.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return set.Rules
}

const ownRule = `
[rule]
rule_id = "5f0b6a58-1b57-4c0e-8a3c-2d6b1e7c9a10"
name = "Page Written Below a Web Server's Root"
description = "A file that a web server would run was written below its root."
type = "eql"
language = "eql"
severity = "high"
risk_score = 60
index = ["*"]
from = "now-9m"
query = '''file where event.type == "creation" and file.extension : ("aspx", "ashx", "asmx", "php", "jsp") and file.path : "*\\wwwroot\\*"'''

[[rule.threat]]
framework = "MITRE ATT&CK"
[rule.threat.tactic]
id = "TA0003"
name = "Persistence"
reference = "https://attack.mitre.org/tactics/TA0003/"
[[rule.threat.technique]]
id = "T1505"
name = "Server Software Component"
reference = "https://attack.mitre.org/techniques/T1505/"
[[rule.threat.technique.subtechnique]]
id = "T1505.003"
name = "Web Shell"
reference = "https://attack.mitre.org/techniques/T1505/003/"
`

// TestPicture makes the picture of the README:
//
//	go test ./internal/report -run TestPicture -args -picture $PWD/docs/report.png
//
// Beside it go others for whoever changes the page: dark, narrow, and one of an open signal.
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("-picture is not set")
	}
	ctx := browser(t, 1280, 900)
	path := sampleReport(t)
	shoot := func(name, scheme string, wide, high int64, full bool,
		actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		look(t, ctx, scheme, wide, high)
		open(t, ctx, path)
		do(t, ctx, actions...)
		shot := chromedp.CaptureScreenshot()
		if full {
			shot = chromedp.FullScreenshot(100)
		}
		png, err := chromedp.Run(ctx, shot)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder := os.TempDir()
	unfold := chromedp.Click(chromedp.CSS(`#list li:first-child summary`))
	wait := chromedp.WaitVisible(chromedp.CSS(`.body > .ids`))
	top := chromedp.ScrollIntoView(chromedp.CSS("h1"))
	shoot(*picture, "light", 1280, 2480, false, unfold, wait, top)
	shoot(filepath.Join(folder, "report-dark.png"), "dark", 1280, 900, true, unfold, wait)
	shoot(filepath.Join(folder, "report-light.png"), "light", 1280, 900, true, unfold, wait)
	shoot(filepath.Join(folder, "report-narrow.png"), "light", 400, 800, true, unfold, wait)
}
