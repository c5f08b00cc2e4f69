// Package ascii is letter case as Elasticsearch's case-insensitive operators see it: the letters A
// to Z alone are folded (eql.md §4), and every other character is itself.
package ascii

// AppendLower appends text with the letters A to Z in lower case.
func AppendLower(into, text []byte) []byte {
	start := len(into)
	into = append(into, text...)
	for i, c := range into[start:] {
		if 'A' <= c && c <= 'Z' {
			into[start+i] = c + ('a' - 'A')
		}
	}
	return into
}

// EqualLower reports whether text in lower case is lower.
func EqualLower(text, lower []byte) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
