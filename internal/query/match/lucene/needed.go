package lucene

// Needed returns texts in lower case of which every text that fits the expression holds at least
// one, whatever the case of its letters A to Z; ok is false where there are none to name. They are
// of ASCII characters and not empty.
func Needed(expression string, fold bool) (texts []string, ok bool) {
	p := &parser{text: []rune(expression), fold: fold, b: newBuilder()}
	root, err := p.parse()
	if err != nil || len(p.text) > MaxLength || p.b.work > maxWork {
		return nil, false
	}
	alternatives := []*node{root}
	if root.kind == ofUnion {
		alternatives = root.operands
	}
	for _, n := range alternatives {
		longest := longestText(n)
		if longest == "" {
			return nil, false
		}
		texts = append(texts, longest)
	}
	return texts, true
}

// longestText returns the longest text among the parts of a sequence.
func longestText(n *node) (longest string) {
	run := ""
	for n != nil {
		part, rest := n, (*node)(nil)
		if n.kind == ofSequence {
			part, rest = n.operands[0], n.operands[1]
		}
		c, isOne := part.character()
		if run += c; !isOne {
			run = ""
		}
		if len(run) > len(longest) {
			longest = run
		}
		n = rest
	}
	return longest
}

// character returns the only character that fits, in lower case.
func (n *node) character() (string, bool) {
	if n.kind != ofClass || len(n.set) > 2 {
		return "", false
	}
	const toLower = 'a' - 'A'
	first, last := n.set[0], n.set[len(n.set)-1]
	isLetter := 'A' <= first.from && first.from <= 'Z'
	switch {
	case first.from != first.to || last.from != last.to || last.to >= 0x80:
		return "", false
	case len(n.set) == 2 && (!isLetter || last.from != first.from+toLower):
		return "", false
	case isLetter:
		return string(first.from + toLower), true
	}
	return string(first.from), true
}
