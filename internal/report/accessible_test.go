package report_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

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
		if slices.Contains([]string{"button", "searchbox", "combobox", "checkbox", "link",
			"navigation", "region", "DisclosureTriangle", "image", "MenuListPopup"}, role) &&
			name == "" && role != "MenuListPopup" {
			t.Errorf("a %s has no name", role)
		}
	}
	for _, want := range []string{
		"^main ", "^banner", "^contentinfo", "^navigation Parts of the report$",
		"^navigation Pages of signals$", "^search ", "^heading Detection report$",
		"^region What was searched, and what was not$", "^region When$", "^region Where and what$",
		"^region Signals$",
		"^searchbox Search in the events$", "^combobox Order$", "^combobox On a page$", "^status ",
		"^button Open all on this page$",
		"^image Signals from .* UTC in steps of .* The most in one step: ",
		"^button host-00 ?3 signals$", "^DisclosureTriangle .*File Written",
		"^link Skip to the signals$",
	} {
		if !slices.ContainsFunc(nodes, regexp.MustCompile(want).MatchString) {
			t.Errorf("no node %s among\n%s", want, strings.Join(nodes, "\n"))
		}
	}
	if got := ask[[]string](t, ctx,
		`[...document.querySelectorAll('h1, h2, h3')].map((h) => h.tagName)`); got[0] != "H1" ||
		strings.Count(strings.Join(got, " "), "H1") != 1 || got[1] != "H2" {
		t.Errorf("headings: %q", got)
	}
	if got := ask[string](t, ctx,
		`document.getElementById('result').getAttribute('aria-live') + document.documentElement.lang`); got != "politeen" {
		t.Errorf("got %q, want the count announced, and a language", got)
	}
	if got := ask[[]string](t, ctx,
		`(() => { const seen = {}; return [...document.querySelectorAll('[id]')].map((e) => e.id).filter((id) => seen[id] || !(seen[id] = true)) })()`); len(got) > 0 {
		t.Errorf("ids that occur twice: %q", got)
	}
}

// TestDarkAndLight: the page follows the system, and each text stands out from what is behind it by
// WCAG's 4.5 to 1.
func TestDarkAndLight(t *testing.T) {
	ctx := browser(t, 1280, 900)
	path := sampleReport(t)
	background := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		look(t, ctx, scheme, 1280, 900)
		open(t, ctx, path)
		do(t, ctx, chromedp.Click(chromedp.CSS(`#list summary`)),
			chromedp.WaitVisible(chromedp.CSS(`.body > .ids`)))
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
	const luminance = (c) => {
		const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		const [r, g, b] = channels(c).map((v) => linear(v / 255));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (channels(c)[3] !== 0) return c;
		}
		return 'rgb(255, 255, 255)';
	};
	const found = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let checked = 0;
	for (let n; n = walker.nextNode();) {
		const e = n.parentElement;
		const unseen = ['SCRIPT', 'STYLE', 'NOSCRIPT', 'OPTION'].includes(e.tagName);
		if (!n.textContent.trim() || unseen || !e.checkVisibility()) continue;
		const a = luminance(getComputedStyle(e).color), b = luminance(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		checked++;
		if (ratio < 4.5) found.add(e.tagName + '.' + e.className + ' "' + n.textContent.slice(0, 30) + '": ' + ratio.toFixed(2));
	}
	if (checked < 100) found.add('only ' + checked + ' texts were looked at');
	return [...found];
})()`
