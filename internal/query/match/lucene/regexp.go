package lucene

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Regexp is a compiled expression. It is safe for concurrent use.
type Regexp struct {
	automaton *automaton
	other     *regexp.Regexp // where there is no automaton
}

// small is how many states an automaton may have where Go's regexp could do instead: a table beyond
// that costs more memory than it is worth.
const small = 2_000

// Compile compiles an expression. With fold, letters A to Z fit either case; ranges keep theirs, as
// in Elasticsearch.
func Compile(expression string, fold bool) (*Regexp, error) {
	if utf8.RuneCountInString(expression) > MaxLength {
		return nil, fmt.Errorf("the regular expression is longer than %d characters", MaxLength)
	}
	p := &parser{text: []rune(expression), fold: fold, b: newBuilder()}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	if p.b.work > maxWork {
		return nil, errors.New("the regular expression is too large: its alternatives stand too " +
			"deep in one another")
	}
	limit := small
	if p.b.beyond {
		limit = maxStates
	}
	beyond := p.b.beyond // derivatives are made of more than the expression was
	a, err := determinize(p.b, root, limit)
	if err == nil {
		return &Regexp{automaton: a}, nil
	}
	if beyond {
		return nil, fmt.Errorf("the regular expression needs an automaton of more than %d states",
			maxStates)
	}
	var text strings.Builder
	translate(&text, root)
	other, err := regexp.Compile(`(?s)\A(?:` + text.String() + `)\z`)
	if err != nil {
		return nil, errors.New("the regular expression is too large: its repetitions multiply to " +
			"more than 1,000")
	}
	return &Regexp{other: other}, nil
}

// Match tells whether the whole text fits.
func (r *Regexp) Match(text []byte) bool {
	if r.automaton == nil {
		return r.other.Match(text)
	}
	return r.automaton.match(text)
}

func (a *automaton) match(text []byte) bool {
	state := 0
	for i := 0; i < len(text); {
		var class int
		if c := text[i]; c < utf8.RuneSelf {
			class = int(a.alphabet.ascii[c])
			i++
		} else {
			r, size := utf8.DecodeRune(text[i:])
			class = a.alphabet.search(r)
			i += size
		}
		state = int(a.next[state*a.classes+class])
		if state == a.stuck {
			return false
		}
		if state == a.done {
			return true
		}
	}
	return a.accepts[state]
}

// translate writes an expression without complement and intersection in Go's syntax.
func translate(into *strings.Builder, n *node) {
	switch n.kind {
	case ofNothing:
		into.WriteString(`[^\x00-\x{10FFFF}]`)
	case ofEpsilon:
		into.WriteString(`(?:)`)
	case ofClass:
		into.WriteByte('[')
		for _, r := range n.set {
			fmt.Fprintf(into, `\x{%x}-\x{%x}`, r.from, r.to)
		}
		into.WriteByte(']')
	case ofSequence:
		translate(into, n.operands[0])
		translate(into, n.operands[1])
	case ofUnion:
		into.WriteString(`(?:`)
		for i, operand := range n.operands {
			if i > 0 {
				into.WriteByte('|')
			}
			translate(into, operand)
		}
		into.WriteByte(')')
	case ofRepeat:
		into.WriteString(`(?:`)
		translate(into, n.operands[0])
		into.WriteString(`){` + strconv.Itoa(n.least) + `,`)
		if n.most != unlimited {
			into.WriteString(strconv.Itoa(n.most))
		}
		into.WriteByte('}')
	case ofIntersection, ofComplement:
		panic("lucene: translate an operator that Go does not have") // Compile does not
	}
}
