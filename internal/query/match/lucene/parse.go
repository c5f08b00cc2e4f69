package lucene

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxLength is the number of characters beyond which an expression is refused. (An index refuses
// more than 1,000 unless told otherwise.)
const MaxLength = 10_000

// maxNesting is how deep groups may stand in one another.
const maxNesting = 200

// maxRepeat is the largest count of a repetition.
const maxRepeat = 10_000

// parser follows Lucene's own, function by function, since it decides what a character means where
// it stands: in `*a` the star is a character, in `(|a)` the bar is.
type parser struct {
	text  []rune
	at    int
	fold  bool
	depth int
	b     *builder
	plain bool // what was read last is characters and nothing else; see emptyTexts
}

// syntaxError is what a parser's function panics with; parse recovers it.
type syntaxError string

func (p *parser) parse() (root *node, err error) {
	defer func() {
		if r := recover(); r != nil {
			message, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("%s", string(message))
		}
	}()
	if len(p.text) == 0 {
		return p.b.epsilon, nil
	}
	root = p.union()
	if p.more() {
		p.fail(fmt.Sprintf("unexpected %q", p.text[p.at]))
	}
	return root, nil
}

func (p *parser) fail(message string) {
	panic(syntaxError(fmt.Sprintf("%s at character %d of the regular expression", message,
		min(p.at+1, len(p.text)))))
}

func (p *parser) more() bool { return p.at < len(p.text) }

func (p *parser) peek(oneOf string) bool {
	return p.more() && strings.ContainsRune(oneOf, p.text[p.at])
}

func (p *parser) take(c rune) bool {
	if !p.more() || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) next() rune {
	if !p.more() {
		panic(syntaxError("the regular expression ends where a character has to follow"))
	}
	p.at++
	return p.text[p.at-1]
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail(fmt.Sprintf("nested deeper than %d levels", maxNesting))
	}
}

func (p *parser) union() *node {
	p.enter()
	defer func() { p.depth-- }()
	operands := []*node{p.intersection()}
	for p.take('|') {
		operands = append(operands, p.intersection())
		p.plain = false
	}
	return p.b.union(operands...)
}

func (p *parser) intersection() *node {
	operands := []*node{p.concatenation()}
	for p.take('&') {
		operands = append(operands, p.concatenation())
		p.plain = false
	}
	return p.b.intersection(operands...)
}

func (p *parser) concatenation() *node {
	var operands []*node
	var plain []bool
	for first := true; first || p.more() && !p.peek(")|&"); first = false {
		p.plain = false
		operands = append(operands, p.repetition())
		plain = append(plain, p.plain)
	}
	if p.fold {
		p.emptyTexts(operands, plain)
	}
	p.plain = len(operands) == 1 && plain[0]
	return p.b.sequence(operands)
}

// emptyTexts follows Lucene where letter case is ignored: there the empty text, () or "", fits
// nothing at all, not even the empty text, unless it stands beside characters, with which it
// becomes one text.
func (p *parser) emptyTexts(operands []*node, plain []bool) {
	for start := 0; start < len(operands); start++ {
		end, empty := start, true
		for ; end < len(operands) && plain[end]; end++ {
			empty = empty && operands[end] == p.b.epsilon
		}
		if end > start && empty {
			operands[start] = p.b.nothing
		}
		start = max(start, end-1)
	}
}

func (p *parser) repetition() *node {
	n := p.complement()
	for p.peek("?*+{") {
		if p.fold && p.plain && n == p.b.epsilon {
			n = p.b.nothing // see emptyTexts
		}
		p.plain = false
		switch p.next() {
		case '?':
			n = p.b.repeat(n, 0, 1)
		case '*':
			n = p.b.repeat(n, 0, unlimited)
		case '+':
			n = p.b.repeat(n, 1, unlimited)
		case '{':
			least := p.count()
			most := least
			if p.take(',') {
				most = unlimited
				if p.peek("0123456789") {
					most = p.count()
				}
			}
			if !p.take('}') {
				p.fail(`expected "}"`)
			}
			if most != unlimited && least > most {
				p.fail(fmt.Sprintf("a repetition from %d to %d", least, most))
			}
			n = p.b.repeat(n, least, most)
		}
	}
	return n
}

func (p *parser) count() int {
	start := p.at
	for p.peek("0123456789") {
		p.at++
	}
	if start == p.at {
		p.fail("expected a number")
	}
	n, err := strconv.Atoi(string(p.text[start:p.at]))
	if err != nil || n > maxRepeat {
		p.fail(fmt.Sprintf("a repetition of more than %d", maxRepeat))
	}
	return n
}

func (p *parser) complement() *node {
	negated := false
	for p.take('~') {
		negated = !negated
	}
	n := p.class()
	if negated {
		if p.fold && p.plain && n == p.b.epsilon {
			n = p.b.nothing // see emptyTexts
		}
		p.plain = false
		n = p.b.complement(n)
	}
	return n
}

func (p *parser) class() *node {
	if !p.take('[') {
		return p.simple()
	}
	negated := p.take('^')
	var set runes
	for first := true; first || p.more() && !p.peek("]"); first = false {
		set = set.with(p.classPart())
	}
	if !p.take(']') {
		p.fail(`expected "]"`)
	}
	if negated {
		set = set.inverted()
	}
	return p.b.class(set)
}

func (p *parser) classPart() runes {
	if set, ok := p.predefined(); ok {
		return set
	}
	from := p.char()
	if !p.take('-') {
		return p.single(from)
	}
	to := p.char()
	if from > to {
		p.fail(fmt.Sprintf("%q comes after %q, so there is no range from the one to the other,",
			from, to))
	}
	return runes{{from, to}} // letter case is not folded in ranges
}

// predefined reads a class such as \d. A backslash before any other letter is an error, before
// anything else it makes it a plain character.
func (p *parser) predefined() (set runes, ok bool) {
	if !p.take('\\') {
		return nil, false
	}
	if !p.more() {
		p.next()
	}
	switch c := p.text[p.at]; c {
	case 'd', 'D':
		set = runes{{'0', '9'}}
	case 'w', 'W':
		set = runes{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	case 's', 'S':
		set = runes{{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}}
	default:
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			p.fail(fmt.Sprintf(`invalid character class \%c`, c))
		}
		p.at--
		return nil, false
	}
	if c := p.next(); c < 'a' {
		set = set.inverted()
	}
	return set, true
}

func (p *parser) simple() *node {
	switch {
	case p.take('.'):
		return p.b.any
	case p.take('#'):
		return p.b.nothing
	case p.take('@'):
		return p.b.all
	case p.take('"'):
		return p.quoted()
	case p.take('('):
		if p.take(')') {
			p.plain = true
			return p.b.epsilon
		}
		n := p.union()
		if !p.take(')') {
			p.fail(`expected ")"`)
		}
		return n
	case p.take('<'):
		return p.interval()
	}
	if set, ok := p.predefined(); ok {
		return p.b.class(set)
	}
	c := p.char()
	p.plain = true
	return p.b.class(p.single(c))
}

func (p *parser) quoted() *node {
	var operands []*node
	for p.more() && !p.peek(`"`) {
		operands = append(operands, p.b.class(p.single(p.next())))
	}
	if !p.take('"') {
		p.fail(`expected '"'`)
	}
	p.plain = true
	return p.b.sequence(operands)
}

func (p *parser) char() rune {
	p.take('\\')
	return p.next()
}

// single is a character, in both cases where letter case is ignored. Only ASCII is folded (eql.md
// §4).
func (p *parser) single(c rune) runes {
	if p.fold {
		switch {
		case 'a' <= c && c <= 'z':
			return runes{{c - 32, c - 32}, {c, c}}
		case 'A' <= c && c <= 'Z':
			return runes{{c, c}, {c + 32, c + 32}}
		}
	}
	return runes{{c, c}}
}

// interval reads <n-m>. With both ends of one length the number has that many digits, otherwise any
// number of zeros may stand before it.
func (p *parser) interval() *node {
	start := p.at
	for p.more() && !p.peek(">") {
		p.at++
	}
	if !p.take('>') {
		p.fail(`expected ">"`)
	}
	text := string(p.text[start : p.at-1])
	from, to, found := strings.Cut(text, "-")
	low, errLow := strconv.ParseInt(from, 10, 32)
	high, errHigh := strconv.ParseInt(to, 10, 32)
	if !found || errLow != nil || errHigh != nil || low < 0 || high < 0 {
		p.fail(fmt.Sprintf("<%s> is not an interval such as <1-100>,", text))
	}
	if low > high {
		low, high = high, low
	}
	if len(from) == len(to) {
		return p.b.numbers(fmt.Sprintf("%0*d", len(from), low), fmt.Sprintf("%0*d", len(to), high))
	}
	var lengths []*node
	for digits := len(strconv.FormatInt(low, 10)); digits <= len(strconv.FormatInt(high,
		10)); digits++ {
		first, last := "1"+strings.Repeat("0", digits-1), strings.Repeat("9", digits)
		if digits == len(strconv.FormatInt(low, 10)) {
			first = strconv.FormatInt(low, 10)
		}
		if digits == len(strconv.FormatInt(high, 10)) {
			last = strconv.FormatInt(high, 10)
		}
		lengths = append(lengths, p.b.numbers(first, last))
	}
	zeros := p.b.repeat(p.b.class(runes{{'0', '0'}}), 0, unlimited)
	return p.b.sequence([]*node{zeros, p.b.union(lengths...)})
}
