package words

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	uax29 "github.com/clipperhouse/uax29/v2/words"

	"esrule/internal/estest"
)

func split(text string) []string {
	list := []string{}
	for _, w := range Split(text) {
		list = append(list, string(w.Text))
	}
	return list
}

// TestTokens holds the words to what Elasticsearch 8.19.13 makes of 321 texts.
func TestTokens(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(estest.Corpus(t), "kql", "kuery-cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Tokens []struct {
			Text   string
			Tokens []string
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases.Tokens) < 321 {
		t.Errorf("%d cases, want 321", len(cases.Tokens))
	}
	for _, c := range cases.Tokens {
		if got := split(c.Text); !slices.Equal(got, c.Tokens) {
			t.Errorf("%+q: got %+q, want %+q", c.Text, got, c.Tokens)
		}
	}
}

func TestSplit(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := split(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("")
	f(" _ !!! \u0301 🇩")
	f("Invoke-Foo $x a_b x.pst", "invoke", "foo", "x", "a_b", "x.pst")
	f("® 🇩🇪 Ⓐ 1½", "®", "🇩🇪", "ⓐ", "1")
	f("ภาษา ไทย", "ภาษา", "ไทย")
	a := strings.Repeat("a", 255)
	f(a+"a", a, "a")
	f(a[1:]+".b", a[1:], "b")
	f(a[2:]+".b", a[2:]+".b")
	f(a[1:]+"𐐀b", a[1:], "𐐨b")
}

// TestTime holds that the time for a text grows with its length and not faster.
func TestTime(t *testing.T) {
	for _, piece := range []string{"a", "a.", "1,", "é", "ท", "\u0301", "_", "𐐀", "😀\u200d", " "} {
		var x Index
		begun := time.Now()
		x.Read([]byte(strings.Repeat(piece, 2_000_000/len(piece))))
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("2 MB of %q took %v", piece, took)
		}
	}
}

func TestIndex(t *testing.T) {
	f := func(text, phrase string, wantPhrase, wantAny bool) {
		t.Helper()
		var x Index
		x.Read([]byte(strings.Repeat("something else ", 50))) // its memory is used again
		x.Read([]byte(text))
		if got := x.HasPhrase(Split(phrase)); got != wantPhrase {
			t.Errorf("%q has the phrase %q: got %v, want %v", text, phrase, got, wantPhrase)
		}
		if got := x.HasAny(Split(phrase)); got != wantAny {
			t.Errorf("%q has one of %q: got %v, want %v", text, phrase, got, wantAny)
		}
	}
	f("Invoke-Foo -Bar baz", "foo BAR", true, true)
	f("Invoke-Foo -Bar baz", "invoke bar", false, true)
	f("a a b", "a b", true, true)
	f("a b", "a b c", false, true)
	f("a b", "c", false, false)
	f("a b", "", false, false)
	f("", "a", false, false)
	f("something", "else", false, false)
}

// TestPlain holds the short way to the words of ASCII to the long one.
func TestPlain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const characters = "aB1_.:;,'\" -\r\n\té\u0301\u200d😀ท"
	for range 20_000 {
		var b strings.Builder
		for range random.IntN(12) {
			r := []rune(characters)
			b.WriteRune(r[random.IntN(len(r))])
		}
		text := b.String()
		var want []string
		s := splitter{}
		for rest := []byte(text); len(rest) > 0; {
			end, _, _ := uax29.SplitFunc(rest, true)
			for beginsComplex(rest) && end < len(rest) && beginsComplex(rest[end:]) {
				n, _, _ := uax29.SplitFunc(rest[end:], true)
				end += n
			}
			if word := s.word(rest[:end]); word != nil {
				want = append(want, strings.ToLower(string(word)))
			}
			rest = rest[end:]
		}
		if got := split(text); !slices.Equal(got, want) {
			t.Fatalf("%+q: got %+q, want %+q", text, got, want)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	line := `powershell.exe -NoP -W Hidden -Enc [System.Reflection.Assembly]::Load($x.Foo("bar")) `
	text := []byte(strings.Repeat(line, 20_000/len(line)))
	none := Split("invoke mimikatz")
	var x Index
	x.Read(text)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		x.Read(text)
		if x.HasAny(none) {
			b.Fatal("found")
		}
	}
}
