package match_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"esrule/internal/query/match"
)

func TestPattern(t *testing.T) {
	f := func(pattern, value string, want bool) {
		t.Helper()
		if got := match.NewPattern(pattern, false).Match([]byte(value)); got != want {
			t.Errorf("%q against %q: got %v, want %v", pattern, value, got, want)
		}
	}
	f(`?:\inetpub\*`, `C:\inetpub\wwwroot\x.aspx`, true)
	f(`?:\inetpub\*`, `C:\inetpub\`, true)
	f(`?:\inetpub\*`, `CC:\inetpub\x`, false)
	f(`?:\inetpub\*`, `:\inetpub\x`, false)
	f(``, ``, true)
	f(``, `a`, false)
	f(`a`, `a`, true)
	f(`a`, `ab`, false)
	f(`a`, `A`, false)
	f(`*`, ``, true)
	f(`**`, "a\nb", true)
	f(`?`, ``, false)
	f(`?`, `é`, true)
	f(`?`, `日`, true)
	f(`??`, `é`, false)
	f(`?`, "\n", true)
	f(`a*c`, `ac`, true)
	f(`a*c`, `abc`, true)
	f(`a*c`, `abd`, false)
	f(`ab*ba`, `aba`, false) // the ends may not share a letter
	f(`ab*ba`, `abba`, true)
	f(`*a?c*`, `xxabc`, true)
	f(`*a?c*`, `xxaabcx`, true)
	f(`*a?c*`, `xxabbc`, false)
	f(`*é?`, `caféx`, true)
	f(`*é?`, `café`, false)
	f(`*?*?*`, `a`, false)
	f(`*?*?*`, `ab`, true)
	f(`a\*`, `a\bc`, true) // a backslash is itself, a star after it is a star
	f(`a\*`, `a*`, false)
	f(`*.aspx`, `x.aspx.txt`, false)
	f(`*a*b*c*`, `xaxbxc`, true)
	f(`*a*b*c*`, `xaxcxb`, false)
}

func TestPatternFolded(t *testing.T) {
	f := func(pattern, lowered string, want bool) {
		t.Helper()
		if got := match.NewPattern(pattern, true).Match([]byte(lowered)); got != want {
			t.Errorf("%q against %q: got %v, want %v", pattern, lowered, got, want)
		}
	}
	f(`UMWorkerProcess.EXE`, `umworkerprocess.exe`, true)
	f(`É`, `é`, false)
	f(`É`, `É`, true)
	f(`?:\INETPUB\*`, `c:\inetpub\x`, true)
}

// FuzzPattern compares the pattern with the regular expression that says the same.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{`?:\a*b?c`, `C:\axxbyc`}, {`*a?*é*`, `baé`}, {`??*`, `日本`},
		{`*ab*ba*`, `xabba`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(value) || len(pattern) > 40 {
			return
		}
		simple := regexp.QuoteMeta(pattern)
		simple = strings.ReplaceAll(simple, `\*`, `.*`)
		simple = strings.ReplaceAll(simple, `\?`, `.`)
		want := regexp.MustCompile(`(?s)\A(?:` + simple + `)\z`).MatchString(value)
		if got := match.NewPattern(pattern, false).Match([]byte(value)); got != want {
			t.Errorf("%q against %q: got %v, want %v", pattern, value, got, want)
		}
	})
}

func BenchmarkPatterns(b *testing.B) {
	value := []byte(`c:\program files\microsoft\exchange server\v15\frontend\httpproxy\owa\auth\current\themes\resources\` + strings.Repeat("x", 150) + `.aspx`)
	var patterns []match.Pattern
	for _, p := range []string{
		`?:\inetpub\wwwroot\aspnet_client\*`,
		`?:\*\Microsoft\Exchange Server*\FrontEnd\HttpProxy\ecp\auth\*`,
		`*\temp\*`, `*.tmp`, `*\users\*\appdata\*`, `C:\Windows\*`, `*evil*`, `?:\*\version\*`,
	} {
		patterns = append(patterns, *match.NewPattern(p, true))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range patterns {
			if p.Match(value) {
				b.Fatal("a pattern fits that should not")
			}
		}
	}
}
