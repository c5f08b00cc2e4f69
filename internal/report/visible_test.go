package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestVisible(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("", "")
	f(`C:\inetpub\x.aspx é 中 😀`, `C:\inetpub\x.aspx é 中 😀`)
	f("a\tb\nc\r\nd", "a\tb\nc\nd")
	f("a\rb", "a⟨U+000D⟩b")
	f("\x00\x1b[2J\x7f", "⟨U+0000⟩⟨U+001B⟩[2J⟨U+007F⟩")
	f("exe.\u202Etxt.scr\u2066", "exe.⟨U+202E⟩txt.scr⟨U+2066⟩")
	f("a\u2028b\u2029c", "a⟨U+2028⟩b⟨U+2029⟩c")
	f("zero\u200Bwidth\uFEFF soft\u00ADhyphen", "zero⟨U+200B⟩width⟨U+FEFF⟩ soft⟨U+00AD⟩hyphen")
	f("no\u00A0break\u3000wide", "no⟨U+00A0⟩break⟨U+3000⟩wide")
	f("tag\U000E0041", "tag⟨U+E0041⟩")
	f("bad\xff\xc3", "bad⟨0xFF⟩⟨0xC3⟩")
	f("</script><b>&amp;", "</script><b>&amp;") // escaping is the page's
}

func TestShort(t *testing.T) {
	f := func(text string, limit int, want string) {
		t.Helper()
		if got := short(text, limit); got != want {
			t.Errorf("%.40q, %d: got %q, want %q", text, limit, got, want)
		}
	}
	f("abc", 3, "abc")
	f("abcd", 3, "ab…")
	f("  a\n\tb  c ", 9, "a b c")
	f("éééé", 3, "éé…")
	f("a\u202E", 20, "a⟨U+202E⟩")
	f(strings.Repeat("é", 1_000_000), 4, "ééé…")
	if got := short("x"+strings.Repeat("é", 100), 5); !utf8.ValidString(got) {
		t.Errorf("got %q", got)
	}
}

func TestFlatten(t *testing.T) {
	f := func(event string, want ...string) {
		t.Helper()
		pairs, err := flatten([]byte(event))
		if err != nil {
			t.Errorf("%s: %v", event, err)
		}
		var got []string
		for _, p := range pairs {
			got = append(got, p.path+"="+strings.Join(p.values, "|"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", event, got, want)
		}
	}
	f(`{}`)
	f(`{"a":1.50,"b":"x","c":true,"d":null,"e":[],"f":{}}`, "a=1.50", "b=x", "c=true", "d=null",
		"e=[]", "f={}")
	f(`{"a":{"b":{"c":"d"},"e":1},"a.b":2}`, "a.b.c=d", "a.e=1", "a.b=2")
	f(`{"a":["x","y",[1,2]],"b":1}`, "a=x|y|1|2", "b=1")
	f(`{"a":[{"b":1,"c":[2,3]},{"b":4},5]}`, "a[0].b=1", "a[0].c=2|3", "a[1].b=4", "a=5")
	f(`{"":{"":1}}`, "=1")
	f(strings.Repeat(`{"a":`, maxDepth+2)+`1`+strings.Repeat(`}`, maxDepth+2),
		strings.TrimPrefix(strings.Repeat(".a", maxDepth+1), ".")+`={"a":1}`)
	if _, err := flatten([]byte(`{"a":`)); err == nil {
		t.Error("half an object: want an error")
	}
}

func TestNumber(t *testing.T) {
	f := func(n int, want string) {
		t.Helper()
		if got := number(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	f(0, "0")
	f(999, "999")
	f(1000, "1,000")
	f(1234567, "1,234,567")
	f(-1234, "-1,234")
}
