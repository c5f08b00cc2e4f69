package cond

// Hyphenated returns the name with a hyphen that an expression was probably meant to be. EQL reads
// host-name as host minus name.
func Hyphenated(text string, e Expr) (string, bool) {
	if !isHyphenChain(text, e) {
		return "", false
	}
	span := e.Range()
	return text[span.Start:span.End], true
}

func isHyphenChain(text string, e Expr) bool {
	b, ok := e.(*Binary)
	if !ok || b.Op != Subtract {
		return false
	}
	right, ok := b.Right.(*Field)
	if !ok || right.Optional {
		return false
	}
	left := b.Left.Range()
	if left.End+1 != right.Start || text[left.End] != '-' {
		return false // written with blanks, so meant as it reads
	}
	if f, ok := b.Left.(*Field); ok {
		return !f.Optional
	}
	return isHyphenChain(text, b.Left)
}
