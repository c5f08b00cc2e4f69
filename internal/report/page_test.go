package report_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"esrule/internal/query/rule"
	"esrule/internal/report"
)

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
		if got := ask[string](t, ctx,
			`document.querySelector('#list .subject').textContent`); got != want {
			t.Errorf("the first signal is %q, want %q", got, want)
		}
	}
	result("5,000 signals, 1 to 25 shown")
	first(`C:\inetpub\wwwroot\file-04999.aspx`) // the oldest
	if got := ask[int](t, ctx, `document.querySelectorAll('#list > li').length`); got != 25 {
		t.Errorf("%d signals in the page, want 25: not all 5,000 at once", got)
	}

	// Search: a word deep in an event, of another letter case, a path, two words, a phrase, a rule,
	// nothing.
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
	if got := ask[string](t, ctx,
		`document.querySelector('#facet-techniques .n').firstChild.textContent`); got != "250" {
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
	inBar := ask[string](t, ctx,
		`document.querySelector('#time-table tbody td:last-of-type').textContent`)
	waitFor(t, ctx, fmt.Sprintf(
		`document.getElementById('result').textContent.startsWith('%s of 5,000')`, inBar))
	ask[bool](t, ctx, `(document.querySelector('#chips button').click(), true)`)

	// Order and pages.
	ask[bool](t, ctx, `(() => { const s = document.getElementById('sort'); s.value = 'newest'; s.dispatchEvent(new Event('change')); return true })()`)
	first(`C:\inetpub\wwwroot\file-00000.aspx`)
	ask[bool](t, ctx, `([...document.querySelectorAll('#pager button')].find((b) => b.textContent === 'Last').click(), true)`)
	result("5,000 signals, 4,976 to 5,000 shown")

	// The details: the event whole, the part that decided, and the rest of the condition on demand.
	do(t, ctx, chromedp.Click(chromedp.CSS(`#list li:last-child summary`)),
		chromedp.WaitVisible(chromedp.CSS(`.body > .ids`)))
	if got := ask[string](t, ctx,
		`document.querySelector('.event').innerText`); !strings.Contains(got, "echo needle04999") ||
		!strings.Contains(got, "event-4999") {
		t.Errorf("the event is shown as\n%s", got)
	}
	if got := ask[string](t, ctx,
		`document.querySelector('.body > .tree').innerText`); !strings.Contains(got,
		`process.name : "cmd*"`) || strings.Contains(got, "never") {
		t.Errorf("what decided is shown as\n%s", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`.head input`)))
	if got := ask[string](t, ctx,
		`document.querySelector('.body > .tree').innerText`); !strings.Contains(got,
		`process.name : "never"`) {
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
			t.Fatalf("the focus is on %s, want %s",
				ask[string](t, ctx, `document.activeElement.outerHTML.slice(0, 200)`), want)
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
	if got := ask[string](t, ctx,
		`getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth`); got != "solid3px" {
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
	if got := ask[string](t, ctx,
		`document.activeElement.querySelector('.name').textContent`); got != name {
		t.Errorf("the focus went from %s to %s", name, got)
	}
	press(" ")
	focused(`#facet-hosts button[aria-pressed=false]`)
}

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
				ask[[]string](t, ctx,
					`[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 401 && !e.closest('.scroll')).slice(0, 10).map((e) => e.outerHTML.slice(0, 120))`))
		}
	}
	f(sampleReport(t))
	f(hostileReport(t))
	f(manySignals(t, 60))
}

// TestPrint: what is folded on the screen is on the paper, controls are not, and the screen is as
// before.
func TestPrint(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := sampleReport(t)
	open(t, ctx, path)
	ask[bool](t, ctx, `(addEventListener('beforeprint', () => { setTimeout(() => { window.printed = true }) }), addEventListener('afterprint', () => { window.over = true }), true)`)
	folded := `document.querySelectorAll('#coverage details:not([open]), #time details:not([open])').length`
	before := ask[int](t, ctx, folded)
	ask[bool](t, ctx, `(addEventListener('beforeprint', () => { window.folded = `+folded+
		` }), true)`)
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
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print",
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if got := ask[[]string](t, ctx,
		`['.tools', '.pager', '.top nav', '#unfold'].filter((s) => document.querySelector(s).checkVisibility())`); len(got) > 0 {
		t.Errorf("on paper: %q", got)
	}
	if got := ask[string](t, ctx,
		`getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s when the system is dark", got)
	}
}

// TestPageSays looks for the plain statements that the page makes without a script, and for their
// order.
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
	covered := []report.Coverage{{What: "logs-1", From: sampleNow.Add(-time.Hour), To: sampleNow,
		Events: 1234, Judged: 56}, {What: "logs-2", Events: -1, Judged: 0}}
	f(report.Report{}, "Nothing was searched.", "No signal has a time.", "No signals.")
	f(report.Report{Covered: covered, From: sampleNow.Add(-time.Hour), To: sampleNow},
		"Time asked for: 2026-03-02 09:10:00 to 2026-03-02 10:10:00 UTC",
		"Everything that was asked for was searched.", "logs-1", "2026-03-02 09:10:00 to", "1,234",
		"56", "logs-2", "unknown")
	f(report.Report{Covered: covered,
		NotCovered: []report.Gap{{What: "logs-3", From: sampleNow, Reason: "The index is closed."}},
		Notes:      []string{"A note."}},
		"Not searched: 1 part", "logs-3", "from 2026-03-02 10:10:00", "The index is closed.",
		"A note.", "Searched: 2 parts")
	f(report.Report{Covered: covered,
		Skipped: []rule.Skipped{{Name: "A Sequence", Kind: "sequence", Reason: "not supported"}}},
		"Not searched: 1 part", "everything", "A Sequence",
		"The rule did not run (sequence): not supported")
}

func search(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	ask[bool](t, ctx, fmt.Sprintf(
		`(() => { const q = document.getElementById('q'); q.value = %q; q.dispatchEvent(new Event('input')); return true })()`, text))
}

// facet presses the button of a name.
func facet(t *testing.T, ctx context.Context, facet, name string) {
	t.Helper()
	press := fmt.Sprintf(`(() => {
		const all = document.querySelector('#facet-%s .more[aria-expanded=false]');
		if (all) all.click();
		const b = [...document.querySelectorAll('#facet-%s button')].find((b) => b.title === %q);
		if (b) b.click();
		return Boolean(b) })()`, facet, facet, name)
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
	t.Fatalf("never: %s\nthe page says %q", condition,
		ask[string](t, ctx, `document.getElementById('result').textContent`))
}
