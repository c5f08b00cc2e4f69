package report_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

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
	`<!--<script>`, `-->`, `<![CDATA[`, `{{.Script}}`, `${window.hacked=9}`, "`+(window.hacked=10)+`",
	"\u2028window.hacked=11\u2029", "\x00\x01\x1b[2J\x7f", "bidi \u202Efdp.exe\u202C \u2066x\u2069", "zero\u200Bwidth", "bad \xff\xfe utf-8",
	`<base href="https://outside.example/">`, `<meta http-equiv="refresh" content="0;url=https://outside.example/">`, `<link rel=stylesheet href=https://outside.example/x>`,
	`__proto__`, `constructor`, `&lt;b&gt;&amp;`, strings.Repeat("long ", 20_000), strings.Repeat("W", 50_000),
}

// hostileReport has a hostile text everywhere: in names of fields, values, the rule, what was searched and what was not.
func hostileReport(t *testing.T) string {
	t.Helper()
	w, path := create(t)
	var rules []*rule.Rule
	r := report.Report{Command: "scan", Version: hostileTexts[0], Generated: sampleNow, Notes: hostileTexts}
	for i, text := range hostileTexts {
		d := newDetection(t, fmt.Sprint(text, i), text, text, `any where file.path != null`, rule.ThreatEntry{ID: text, Name: text})
		d.rule.Description, d.rule.Query = text, text
		rules = append(rules, d.rule)
		event := encoded(t, object{
			"@timestamp": sampleNow.Format(time.RFC3339), "host": object{"name": text}, "user": object{"name": text}, "process": object{"name": text},
			"file": object{"path": text}, "labels": object{text: text}, text: []string{text, text}, "Kibana.alert.reason": text, "event": object{"kind": text},
		})
		add(t, w, d.signal(t, event))
		r.NotCovered = append(r.NotCovered, report.Gap{What: text, Rule: d.rule.ID, Reason: text})
		r.Covered = append(r.Covered, report.Coverage{What: text, Rule: d.rule.ID})
		r.Skipped = append(r.Skipped, rule.Skipped{File: text, Name: text, Kind: text, Reason: text})
	}
	r.Rules = rules
	finish(t, w, r)
	return path
}

// TestHostileTextDoesNothing: no script of an event runs, no dialog opens, no request goes out, and no policy is even asked.
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
	waitFor(t, ctx, fmt.Sprintf(`document.querySelectorAll('.body > .ids').length === Math.min(25, %d)`, len(hostileTexts)))
	if got := ask[int](t, ctx, `document.querySelectorAll('#list img, #list iframe, #list link, #list meta, #list base, #list style, #list svg, #list script, .facet img, .banner img').length`); got != 0 {
		t.Errorf("event text became %d elements", got)
	}
	for i := range 5 {
		ask[bool](t, ctx, fmt.Sprintf(`(() => { const b = document.querySelectorAll('.facet')[%d].querySelectorAll('button')[1]; b.click(); return true })()`, i))
		waitFor(t, ctx, `!document.getElementById('chips').hidden`)
		ask[bool](t, ctx, `(document.querySelector('#chips button').click(), true)`)
	}
	search(t, ctx, "</script>")
	waitFor(t, ctx, `document.getElementById('result').textContent.startsWith('3 of ')`)
	if got := ask[string](t, ctx, `String(window.hacked)`); got != "undefined" {
		t.Errorf("a script of an event ran: hacked is %s", got)
	}
	if got := ask[string](t, ctx, `String(document.title + location.href)`); !strings.HasPrefix(got, "esrule scan: ") || !strings.HasSuffix(got, path) {
		t.Errorf("the page became %q", got)
	}
	watch.check(t, "file://"+path)
}

// TestHostileTextWithoutScript looks at the page as a browser with scripts off parses it.
func TestHostileTextWithoutScript(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := hostileReport(t)
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	watch := newWatch(ctx)
	do(t, ctx, chromedp.Navigate("file://"+path))
	if got := ask[int](t, ctx, `document.querySelectorAll('#list > li').length`); got != len(hostileTexts) {
		t.Errorf("%d signals are shown, want %d", got, len(hostileTexts))
	}
	if got := ask[int](t, ctx, `document.querySelectorAll('img, iframe, link, base, main style, main script').length`); got != 0 {
		t.Errorf("event text became %d elements", got)
	}
	watch.check(t, "file://"+path)
}

// TestHiddenCharactersAreSpelledOut: what would fool the reader is seen, in the list, in the details and without a script.
func TestHiddenCharactersAreSpelledOut(t *testing.T) {
	ctx := browser(t, 1280, 900)
	w, path := create(t)
	add(t, w, plainDetection(t).signal(t, encoded(t, object{
		"host": object{"name": "ho\u200Bst"}, "file": object{"path": "C:\\exe.\u202Etxt.scr"}, "message": "a\u2028b\x07",
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
	do(t, ctx, chromedp.Click(chromedp.CSS(`#list summary`)), chromedp.WaitVisible(chromedp.CSS(`.body > .ids`)))
	shown := ask[string](t, ctx, `document.getElementById('signals').textContent`)
	for _, want := range []string{`C:\exe.⟨U+202E⟩txt.scr`, "ho⟨U+200B⟩st", "a⟨U+2028⟩b⟨U+0007⟩"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not show %s:\n%s", want, shown)
		}
	}
	if got := ask[[]string](t, ctx, `[...document.querySelectorAll('.event .ctl')].map((e) => e.textContent)`); !slices.Contains(got, "⟨U+202E⟩") {
		t.Errorf("marked are %q", got)
	}
}

// TestThousandsOfSignals uses the page as an analyst does, with 5,000 signals.
func TestThousandsOfSignals(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := manySignals(t, 5000)
	began := time.Now()
	open(t, ctx, path)
	t.Logf("5,000 signals opened in %v", time.Since(began).Round(time.Millisecond))
	result := func(want string) {
		t.Helper()
		waitFor(t, ctx, fmt.Sprintf(`document.getElementById('result').textContent === %q`, want))
	}
	first := func(want string) {
		t.Helper()
		if got := ask[string](t, ctx, `document.querySelector('#list .subject').textContent`); got != want {
			t.Errorf("the first signal is %q, want %q", got, want)
		}
	}
	result("5,000 signals, 1 to 25 shown")
	first(`C:\inetpub\wwwroot\file-04999.aspx`) // the oldest
	if got := ask[int](t, ctx, `document.querySelectorAll('#list > li').length`); got != 25 {
		t.Errorf("%d signals in the page, want 25: not all 5,000 at once", got)
	}

	// Search: a word deep in an event, of another letter case, a path, two words, a phrase, a rule, nothing.
	search(t, ctx, "NEEDLE01234")
	result("1 of 5,000 signals")
	first(`C:\inetpub\wwwroot\file-01234.aspx`)
	search(t, ctx, `wwwroot\file-00017`)
	result("1 of 5,000 signals")
	search(t, ctx, "host-07 user-3")
	result("36 of 5,000 signals, 1 to 25 shown")
	search(t, ctx, `"needle00123 echo"`)
	result("None of 5,000 signals matches. Remove a filter or search for less.")
	search(t, ctx, `"cmd /c" needle0001`)
	result("10 of 5,000 signals")
	search(t, ctx, "t1059")
	result("1,250 of 5,000 signals, 1 to 25 shown")
	search(t, ctx, "process started")
	result("1,250 of 5,000 signals, 1 to 25 shown")
	search(t, ctx, `"c:\\`) // an open quote, backslashes
	result("None of 5,000 signals matches. Remove a filter or search for less.")
	search(t, ctx, "")
	result("5,000 signals, 1 to 25 shown")

	// Filters: within a facet any, between facets all; the other facets count what is left.
	facet(t, ctx, "hosts", "host-07")
	result("250 of 5,000 signals, 1 to 25 shown")
	facet(t, ctx, "hosts", "host-08")
	result("500 of 5,000 signals, 1 to 25 shown")
	facet(t, ctx, "rules", "Process Started")
	result("250 of 5,000 signals, 1 to 25 shown")
	if got := ask[string](t, ctx, `document.querySelector('#facet-techniques .n').firstChild.textContent`); got != "250" {
		t.Errorf("the technique counts %s signals, want 250", got)
	}
	facet(t, ctx, "hosts", "host-07")
	result("None of 5,000 signals matches. Remove a filter or search for less.")
	do(t, ctx, chromedp.Click(chromedp.CSS(`#chips li:last-child button`))) // all filters
	result("5,000 signals, 1 to 25 shown")
	ask[bool](t, ctx, `(document.querySelector('#legend button[data-severity=low]').click(), true)`)
	result("1,250 of 5,000 signals, 1 to 25 shown")
	ask[bool](t, ctx, `(document.querySelector('#chips button').click(), true)`)
	ask[bool](t, ctx, `(document.querySelector('#time-table button').click(), true)`)
	inBar := ask[string](t, ctx, `document.querySelector('#time-table tbody td:last-of-type').textContent`)
	waitFor(t, ctx, fmt.Sprintf(`document.getElementById('result').textContent.startsWith('%s of 5,000')`, inBar))
	ask[bool](t, ctx, `(document.querySelector('#chips button').click(), true)`)

	// Order and pages.
	ask[bool](t, ctx, `(() => { const s = document.getElementById('sort'); s.value = 'newest'; s.dispatchEvent(new Event('change')); return true })()`)
	first(`C:\inetpub\wwwroot\file-00000.aspx`)
	ask[bool](t, ctx, `([...document.querySelectorAll('#pager button')].find((b) => b.textContent === 'Last').click(), true)`)
	result("5,000 signals, 4,976 to 5,000 shown")

	// The details: the event whole, the part that decided, and the rest of the condition on demand.
	do(t, ctx, chromedp.Click(chromedp.CSS(`#list li:last-child summary`)), chromedp.WaitVisible(chromedp.CSS(`.body > .ids`)))
	if got := ask[string](t, ctx, `document.querySelector('.event').innerText`); !strings.Contains(got, "echo needle04999") || !strings.Contains(got, "event-4999") {
		t.Errorf("the event is shown as\n%s", got)
	}
	if got := ask[string](t, ctx, `document.querySelector('.body > .tree').innerText`); !strings.Contains(got, `process.name : "cmd*"`) || strings.Contains(got, "never") {
		t.Errorf("what decided is shown as\n%s", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`.head input`)))
	if got := ask[string](t, ctx, `document.querySelector('.body > .tree').innerText`); !strings.Contains(got, `process.name : "never"`) {
		t.Errorf("the whole condition is shown as\n%s", got)
	}
}

// TestKeyboard does with keys alone what the mouse does.
func TestKeyboard(t *testing.T) {
	ctx := browser(t, 1280, 900)
	open(t, ctx, manySignals(t, 60))
	focused := func(want string) {
		t.Helper()
		if !ask[bool](t, ctx, fmt.Sprintf(`document.activeElement.matches(%q)`, want)) {
			t.Fatalf("the focus is on %s, want %s", ask[string](t, ctx, `document.activeElement.outerHTML.slice(0, 200)`), want)
		}
	}
	press := func(keys string) {
		t.Helper()
		do(t, ctx, chromedp.KeyEvent(keys))
	}
	press(kb.Tab)
	focused(".skip")
	if got := ask[float64](t, ctx, `document.activeElement.getBoundingClientRect().top`); got < 0 {
		t.Errorf("the link to the signals is not seen when it has the focus (top %v)", got)
	}
	press(kb.Enter)
	waitFor(t, ctx, `document.activeElement.id === 'signals'`)
	press(kb.Tab)
	focused("#q")
	if got := ask[string](t, ctx, `getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth`); got != "solid3px" {
		t.Errorf("the focus is shown by %q", got)
	}
	press("needle00007")
	waitFor(t, ctx, `document.getElementById('result').textContent === '1 of 60 signals'`)
	for !ask[bool](t, ctx, `document.activeElement.matches('#list summary')`) {
		press(kb.Tab)
	}
	press(kb.Enter)
	waitFor(t, ctx, `document.querySelector('.body > .ids') !== null`)
	press(kb.Tab)
	focused(".head input")
	press(" ")
	waitFor(t, ctx, `document.querySelector('.body > .tree .aside') !== null`)

	// A filter keeps the focus where it is, although the counts around it are made anew.
	ask[bool](t, ctx, `(document.querySelector('#facet-hosts button').focus(), true)`)
	name := ask[string](t, ctx, `document.activeElement.querySelector('.name').textContent`)
	press(kb.Enter)
	focused(`#facet-hosts button[aria-pressed=true]`)
	if got := ask[string](t, ctx, `document.activeElement.querySelector('.name').textContent`); got != name {
		t.Errorf("the focus went from %s to %s", name, got)
	}
	press(" ")
	focused(`#facet-hosts button[aria-pressed=false]`)
}

// TestAccessibilityTree: what a screen reader is told.
func TestAccessibilityTree(t *testing.T) {
	ctx := browser(t, 1280, 900)
	open(t, ctx, manySignals(t, 60))
	tree := call(t, ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	var nodes []string
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role, name := words(n.Role.Value), ""
		if n.Name != nil {
			name = words(n.Name.Value)
		}
		nodes = append(nodes, role+" "+name)
		if slices.Contains([]string{"button", "searchbox", "combobox", "checkbox", "link", "navigation", "region", "DisclosureTriangle", "image", "MenuListPopup"}, role) && name == "" && role != "MenuListPopup" {
			t.Errorf("a %s has no name", role)
		}
	}
	for _, want := range []string{
		"^main ", "^banner", "^contentinfo", "^navigation Parts of the report$", "^navigation Pages of signals$", "^search ", "^heading Detection report$",
		"^region What was searched, and what was not$", "^region When$", "^region Where and what$", "^region Signals$",
		"^searchbox Search in the events$", "^combobox Order$", "^combobox On a page$", "^status ", "^button Open all on this page$",
		"^image Signals from .* UTC in steps of .* The most in one step: ", "^button host-00 ?3 signals$", "^DisclosureTriangle .*File Written", "^link Skip to the signals$",
	} {
		if !slices.ContainsFunc(nodes, regexp.MustCompile(want).MatchString) {
			t.Errorf("no node %s among\n%s", want, strings.Join(nodes, "\n"))
		}
	}
	if got := ask[[]string](t, ctx, `[...document.querySelectorAll('h1, h2, h3')].map((h) => h.tagName)`); got[0] != "H1" || strings.Count(strings.Join(got, " "), "H1") != 1 || got[1] != "H2" {
		t.Errorf("headings: %q", got)
	}
	if got := ask[string](t, ctx, `document.getElementById('result').getAttribute('aria-live') + document.documentElement.lang`); got != "politeen" {
		t.Errorf("got %q, want the count announced, and a language", got)
	}
	if got := ask[[]string](t, ctx, `(() => { const seen = {}; return [...document.querySelectorAll('[id]')].map((e) => e.id).filter((id) => seen[id] || !(seen[id] = true)) })()`); len(got) > 0 {
		t.Errorf("ids that occur twice: %q", got)
	}
}

// TestDarkAndLight: the page follows the system, and each text stands out from what is behind it by WCAG's 4.5 to 1.
func TestDarkAndLight(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := sampleReport(t)
	background := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		look(t, ctx, scheme, 1280, 900)
		open(t, ctx, path)
		do(t, ctx, chromedp.Click(chromedp.CSS(`#list summary`)), chromedp.WaitVisible(chromedp.CSS(`.body > .ids`)))
		do(t, ctx, chromedp.Click(chromedp.CSS(`#facet-hosts button`)))
		background[scheme] = ask[string](t, ctx, `getComputedStyle(document.body).backgroundColor`)
		for _, bad := range ask[[]string](t, ctx, lowContrast) {
			t.Errorf("%s: %s", scheme, bad)
		}
	}
	if background["light"] == background["dark"] {
		t.Errorf("dark and light both are %s", background["dark"])
	}
}

// lowContrast lists the texts on the page whose contrast with the nearest background is below 4.5.
const lowContrast = `(() => {
	const channels = (c) => c.match(/[\d.]+/g).map(Number);
	const luminance = (c) => { const [r, g, b] = channels(c).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (channels(c)[3] !== 0) return c } return 'rgb(255, 255, 255)' };
	const found = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let checked = 0;
	for (let n; n = walker.nextNode();) {
		const e = n.parentElement;
		if (!n.textContent.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT', 'OPTION'].includes(e.tagName) || !e.checkVisibility()) continue;
		const a = luminance(getComputedStyle(e).color), b = luminance(behind(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		checked++;
		if (ratio < 4.5) found.add(e.tagName + '.' + e.className + ' "' + n.textContent.slice(0, 30) + '": ' + ratio.toFixed(2));
	}
	if (checked < 100) found.add('only ' + checked + ' texts were looked at');
	return [...found];
})()`

// TestNarrow: nothing is wider than the window of a phone, also with long values.
func TestNarrow(t *testing.T) {
	ctx := browser(t, 400, 800)
	f := func(path string) {
		t.Helper()
		look(t, ctx, "light", 400, 800)
		open(t, ctx, path)
		do(t, ctx, chromedp.Click(chromedp.ID("unfold")))
		waitFor(t, ctx, `[...document.querySelectorAll('.signal')].every((d) => d.querySelector('.body > .ids'))`)
		ask[bool](t, ctx, `(document.querySelectorAll('details').forEach((d) => { d.open = true }), true)`)
		if got := ask[int](t, ctx, `document.documentElement.scrollWidth`); got > 400 {
			t.Errorf("%s: the page is %d wide in a window of 400: %q", path, got,
				ask[[]string](t, ctx, `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 401 && !e.closest('.scroll')).slice(0, 10).map((e) => e.outerHTML.slice(0, 120))`))
		}
	}
	f(sampleReport(t))
	f(hostileReport(t))
	f(manySignals(t, 60))
}

// TestPrint: what is folded on the screen is on the paper, controls are not, and the screen is as before.
func TestPrint(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := sampleReport(t)
	open(t, ctx, path)
	ask[bool](t, ctx, `(addEventListener('beforeprint', () => { setTimeout(() => { window.printed = true }) }), addEventListener('afterprint', () => { window.over = true }), true)`)
	folded := `document.querySelectorAll('#coverage details:not([open]), #time details:not([open])').length`
	before := ask[int](t, ctx, folded)
	ask[bool](t, ctx, `(addEventListener('beforeprint', () => { window.folded = `+folded+` }), true)`)
	background := true
	pdf := call(t, ctx, page.PrintToPDF, page.PrintToPDFParams{PrintBackground: &background})
	if !strings.HasPrefix(string(pdf.Data), "%PDF-") || len(pdf.Data) < 20_000 {
		t.Errorf("no PDF: %d bytes, %.20q", len(pdf.Data), pdf.Data)
	}
	if got := ask[int](t, ctx, `window.folded`); before == 0 || got != 0 {
		t.Errorf("%d parts are folded on the screen, %d on the paper", before, got)
	}
	if got := ask[int](t, ctx, folded); got != before {
		t.Errorf("%d parts are folded after printing, %d before", got, before)
	}
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if got := ask[[]string](t, ctx, `['.tools', '.pager', '.top nav', '#unfold'].filter((s) => document.querySelector(s).checkVisibility())`); len(got) > 0 {
		t.Errorf("on paper: %q", got)
	}
	if got := ask[string](t, ctx, `getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s when the system is dark", got)
	}
}

// TestPageSays looks for the plain statements that the page makes without a script, and for their order.
func TestPageSays(t *testing.T) {
	f := func(r report.Report, want ...string) {
		t.Helper()
		w, path := create(t)
		r.Command, r.Generated = "backfill", sampleNow
		finish(t, w, r)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rest := string(raw)
		for _, text := range want {
			at := strings.Index(rest, text)
			if at < 0 {
				t.Errorf("%+v: no %q, or not behind what comes before it", r, text)
				continue
			}
			rest = rest[at:]
		}
	}
	covered := []report.Coverage{{What: "logs-1", From: sampleNow.Add(-time.Hour), To: sampleNow, Events: 1234, Judged: 56}, {What: "logs-2", Events: -1, Judged: 0}}
	f(report.Report{}, "Nothing was searched.", "No signal has a time.", "No signals.")
	f(report.Report{Covered: covered, From: sampleNow.Add(-time.Hour), To: sampleNow},
		"Time asked for: 2026-03-02 09:10:00 to 2026-03-02 10:10:00 UTC", "Everything that was asked for was searched.", "logs-1", "2026-03-02 09:10:00 to", "1,234", "56", "logs-2", "unknown")
	f(report.Report{Covered: covered, NotCovered: []report.Gap{{What: "logs-3", From: sampleNow, Reason: "The index is closed."}}, Notes: []string{"A note."}},
		"Not searched: 1 part", "logs-3", "from 2026-03-02 10:10:00", "The index is closed.", "A note.", "Searched: 2 parts")
	f(report.Report{Covered: covered, Skipped: []rule.Skipped{{Name: "A Sequence", Kind: "sequence", Reason: "not supported"}}},
		"Not searched: 1 part", "everything", "A Sequence", "The rule did not run (sequence): not supported")
}

func search(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	ask[bool](t, ctx, fmt.Sprintf(`(() => { const q = document.getElementById('q'); q.value = %q; q.dispatchEvent(new Event('input')); return true })()`, text))
}

// facet presses the button of a name.
func facet(t *testing.T, ctx context.Context, facet, name string) {
	t.Helper()
	press := fmt.Sprintf(`(() => { const all = document.querySelector('#facet-%s .more[aria-expanded=false]'); if (all) all.click();
		const b = [...document.querySelectorAll('#facet-%s button')].find((b) => b.title === %q); if (b) b.click(); return Boolean(b) })()`, facet, facet, name)
	if !ask[bool](t, ctx, press) {
		t.Fatalf("no button %s among the %s", name, facet)
	}
}

func waitFor(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	for range 2400 {
		if ask[bool](t, ctx, condition) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("never: %s\nthe page says %q", condition, ask[string](t, ctx, `document.getElementById('result').textContent`))
}
