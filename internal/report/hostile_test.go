package report_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
	"esrule/internal/report"
)

// hostileTexts are what an intruder would put into a file name to act in an analyst's browser.
var hostileTexts = []string{
	`<script>window.hacked=1;alert(1)</script>`,
	`</script><script>window.hacked=2</script>`,
	`</SCRIPT ><img src=x onerror="window.hacked=3;alert(3)">`,
	`"><img src="https://outside.example/p.png" onerror=window.hacked=4>`,
	`' autofocus onfocus='window.hacked=5`,
	`<svg onload=window.hacked=6><style>@import 'https://outside.example/s.css'</style>`,
	`javascript:window.hacked=7`,
	`<iframe srcdoc="<script>parent.hacked=8</script>"></iframe>`,
	`<!--<script>`, `-->`, `<![CDATA[`, `{{.Script}}`, `${window.hacked=9}`,
	"`+(window.hacked=10)+`",
	"\u2028window.hacked=11\u2029", "\x00\x01\x1b[2J\x7f", "bidi \u202Efdp.exe\u202C \u2066x\u2069",
	"zero\u200Bwidth", "bad \xff\xfe utf-8",
	`<base href="https://outside.example/">`,
	`<meta http-equiv="refresh" content="0;url=https://outside.example/">`,
	`<link rel=stylesheet href=https://outside.example/x>`,
	`__proto__`, `constructor`, `&lt;b&gt;&amp;`, strings.Repeat("long ", 20_000),
	strings.Repeat("W", 50_000),
}

// hostileReport has a hostile text everywhere: in names of fields, values, the rule, what was
// searched and what was not.
func hostileReport(t *testing.T) string {
	t.Helper()
	w, path := create(t)
	var rules []*rule.Rule
	r := report.Report{Command: "scan", Version: hostileTexts[0], Generated: sampleNow,
		Notes: hostileTexts}
	for i, text := range hostileTexts {
		d := newDetection(t, fmt.Sprint(text, i), text, text, `any where file.path != null`,
			rule.ThreatEntry{ID: text, Name: text})
		d.rule.Description = text
		d.rule.Body = &rule.EventQuery{Query: &cond.Query{Text: text}}
		rules = append(rules, d.rule)
		event := encoded(t, object{
			"@timestamp": sampleNow.Format(time.RFC3339), "host": object{"name": text},
			"user": object{"name": text}, "process": object{"name": text},
			"file": object{"path": text}, "labels": object{text: text}, text: []string{text, text},
			"Kibana.alert.reason": text, "event": object{"kind": text},
		})
		add(t, w, d.signal(t, event))
		r.NotCovered = append(r.NotCovered, report.Gap{What: text, Rule: d.rule.ID, Reason: text})
		r.Covered = append(r.Covered, report.Coverage{What: text, Rule: d.rule.ID})
		r.Skipped = append(r.Skipped, rule.Skipped{File: text, Name: text, Kind: text,
			Reason: text})
	}
	r.Rules = rules
	finish(t, w, r)
	return path
}

// TestHostileTextDoesNothing: no script of an event runs, no dialog opens, no request goes out, and
// no policy is even asked.
func TestHostileTextDoesNothing(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := hostileReport(t)
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, log.Enable, cdp.Empty{})
	call(t, ctx, runtime.Enable, cdp.Empty{})
	watch := newWatch(ctx)
	open(t, ctx, path)
	// Everything that the page can show is shown, and every kind of filter used.
	do(t, ctx, chromedp.Click(chromedp.ID("unfold")))
	waitFor(t, ctx, fmt.Sprintf(
		`document.querySelectorAll('.body > .ids').length === Math.min(25, %d)`, len(hostileTexts)))
	if got := ask[int](t, ctx,
		`document.querySelectorAll('#list img, #list iframe, #list link, #list meta, #list base, #list style, #list svg, #list script, .facet img, .banner img').length`); got != 0 {
		t.Errorf("event text became %d elements", got)
	}
	for i := range 5 {
		ask[bool](t, ctx, fmt.Sprintf(
			`(() => { const b = document.querySelectorAll('.facet')[%d].querySelectorAll('button')[1]; b.click(); return true })()`, i))
		waitFor(t, ctx, `!document.getElementById('chips').hidden`)
		ask[bool](t, ctx, `(document.querySelector('#chips button').click(), true)`)
	}
	search(t, ctx, "</script>")
	waitFor(t, ctx, `document.getElementById('result').textContent.startsWith('3 of ')`)
	if got := ask[string](t, ctx, `String(window.hacked)`); got != "undefined" {
		t.Errorf("a script of an event ran: hacked is %s", got)
	}
	if got := ask[string](t, ctx, `String(document.title + location.href)`); !strings.HasPrefix(got,
		"esrule scan: ") || !strings.HasSuffix(got, path) {
		t.Errorf("the page became %q", got)
	}
	watch.check(t, "file://"+path)
}

// TestHostileTextWithoutScript looks at the page as a browser with scripts off parses it.
func TestHostileTextWithoutScript(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := hostileReport(t)
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
	watch := newWatch(ctx)
	do(t, ctx, chromedp.Navigate("file://"+path))
	if got := ask[int](t, ctx,
		`document.querySelectorAll('#list > li').length`); got != len(hostileTexts) {
		t.Errorf("%d signals are shown, want %d", got, len(hostileTexts))
	}
	if got := ask[int](t, ctx,
		`document.querySelectorAll('img, iframe, link, base, main style, main script').length`); got != 0 {
		t.Errorf("event text became %d elements", got)
	}
	watch.check(t, "file://"+path)
}

// TestHiddenCharactersAreSpelledOut: what would fool the reader is seen, in the list, in the
// details and without a script.
func TestHiddenCharactersAreSpelledOut(t *testing.T) {
	ctx := browser(t, 1280, 900)
	w, path := create(t)
	add(t, w, plainDetection(t).signal(t, encoded(t, object{
		"host": object{"name": "ho\u200Bst"}, "file": object{"path": "C:\\exe.\u202Etxt.scr"},
		"message": "a\u2028b\x07",
	})))
	finish(t, w, report.Report{Command: "scan", Generated: sampleNow})
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexAny(string(raw), "\u202E\u200B\u2028\x07"); i >= 0 {
		t.Errorf("a hidden character stands in the file: %q", raw[max(0, i-40):i+10])
	}
	open(t, ctx, path)
	do(t, ctx, chromedp.Click(chromedp.CSS(`#list summary`)),
		chromedp.WaitVisible(chromedp.CSS(`.body > .ids`)))
	shown := ask[string](t, ctx, `document.getElementById('signals').textContent`)
	for _, want := range []string{`C:\exe.⟨U+202E⟩txt.scr`, "ho⟨U+200B⟩st", "a⟨U+2028⟩b⟨U+0007⟩"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not show %s:\n%s", want, shown)
		}
	}
	if got := ask[[]string](t, ctx,
		`[...document.querySelectorAll('.event .ctl')].map((e) => e.textContent)`); !slices.Contains(got, "⟨U+202E⟩") {
		t.Errorf("marked are %q", got)
	}
}
