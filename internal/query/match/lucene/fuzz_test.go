package lucene

import (
	"testing"
	"unicode/utf8"
)

// naive gives the places at which a match of n can end that begins at a place, by trying
// everything.
func naive(n *node, text []rune, from int) map[int]bool {
	ends := map[int]bool{}
	switch n.kind {
	case ofNothing:
	case ofEpsilon:
		ends[from] = true
	case ofClass:
		if from < len(text) && n.set.holds(text[from]) {
			ends[from+1] = true
		}
	case ofSequence:
		for middle := range naive(n.operands[0], text, from) {
			for end := range naive(n.operands[1], text, middle) {
				ends[end] = true
			}
		}
	case ofUnion:
		for _, operand := range n.operands {
			for end := range naive(operand, text, from) {
				ends[end] = true
			}
		}
	case ofIntersection:
		for end := range naive(n.operands[0], text, from) {
			ends[end] = true
			for _, operand := range n.operands[1:] {
				if !naive(operand, text, from)[end] {
					delete(ends, end)
				}
			}
		}
	case ofComplement:
		not := naive(n.operands[0], text, from)
		for end := from; end <= len(text); end++ {
			if !not[end] {
				ends[end] = true
			}
		}
	case ofRepeat:
		reached := map[int]bool{from: true}
		for count := 0; len(reached) > 0 && (n.most == unlimited || count <= n.most); count++ {
			if count >= n.least {
				for end := range reached {
					ends[end] = true
				}
			}
			if count > n.least+len(text) {
				break
			}
			further := map[int]bool{}
			for middle := range reached {
				for end := range naive(n.operands[0], text, middle) {
					further[end] = true
				}
			}
			reached = further
		}
	}
	return ends
}

// FuzzRegexp holds that no expression makes Compile panic, and that an automaton says what the
// naive matcher says.
func FuzzRegexp(f *testing.F) {
	for _, seed := range [][2]string{
		{`a(b|c)*d`, "abcd"}, {`~(ab)&.*c`, "abc"}, {`[^a-c]{1,3}x?`, "zzx"},
		{`<1-23>"a.b"`, "7a.b"}, {`(a?){2,}@b#|é.`, "éb"}, {`\d\W[\s_]`, "1- "},
	} {
		f.Add(seed[0], seed[1], false)
		f.Add(seed[0], seed[1], true)
	}
	f.Fuzz(func(t *testing.T, expression, text string, fold bool) {
		if len(expression) > 200 {
			return
		}
		r, err := Compile(expression, fold)
		if err != nil || len(expression) > 16 || len(text) > 6 || !utf8.ValidString(text) {
			return
		}
		p := &parser{text: []rune(expression), fold: fold, b: newBuilder()}
		root, err := p.parse()
		if err != nil {
			t.Fatal(err)
		}
		if tooDeep(root, 3) {
			return // the naive matcher would try for ever
		}
		characters := []rune(text)
		want := naive(root, characters, 0)[len(characters)]
		if got := r.Match([]byte(text)); got != want {
			t.Errorf("%q against %q: got %v, the naive matcher says %v", expression, text, got,
				want)
		}
	})
}

func tooDeep(n *node, depth int) bool {
	if n.kind == ofRepeat || n.kind == ofIntersection || n.kind == ofComplement {
		depth--
	}
	if depth == 0 || n.kind == ofRepeat && n.least > 9 {
		return true
	}
	for _, operand := range n.operands {
		if tooDeep(operand, depth) {
			return true
		}
	}
	return false
}

func BenchmarkMatch(b *testing.B) {
	r, err := Compile(`.*[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(:[0-9]{1,5})?\/[^ ]+.*`,
		false)
	if err != nil {
		b.Fatal(err)
	}
	text := []byte(`/usr/bin/python3 -c "import socket; socket.create_connection(('10.0.0', 4444)); print('nothing to see here, move on')" --flag value`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if r.Match(text) {
			b.Fatal("fits")
		}
	}
}
