package event

import (
	"bytes"
	"strconv"
)

// CompareVersions orders two texts as Elasticsearch's version field does: by the numbers of the
// main part, a pre-release before its release, what follows a plus as text. What is not a version
// is after all that are, as text; the empty text is the first of these.
func CompareVersions(a, b []byte) int {
	var spaceA, spaceB [64]byte // no allocation for versions of usual length
	return bytes.Compare(appendVersionTerm(spaceA[:0], a), appendVersionTerm(spaceB[:0], b))
}

// VersionRefused reports whether a version field refuses a text, as a value and in a query: one of
// the first three numbers is beyond 31 bits, or a number has more than 127 digits.
func VersionRefused(text []byte) bool {
	v, ok := parseVersion(text)
	if !ok {
		return false
	}
	if hasRefusedNumber(v.main) {
		return true
	}
	for part := range bytes.SplitSeq(v.pre, []byte(".")) {
		if isDigits(part) && hasRefusedNumber(part) {
			return true
		}
	}
	return false
}

func hasRefusedNumber(numbers []byte) bool {
	const parsed, longest = 3, 127
	n := 0
	for number := range bytes.SplitSeq(numbers, []byte(".")) {
		_, err := strconv.ParseInt(string(number), 10, 32)
		if n < parsed && err != nil || len(number) > longest {
			return true
		}
		n++
	}
	return false
}

// The bytes by which Elasticsearch makes the order of terms that of versions (its VersionEncoder).
const (
	versionNumber     = 1
	versionPreRelease = 2
	versionRelease    = 3
)

// appendVersionTerm writes a version as the term that a version field indexes for it.
func appendVersionTerm(into, text []byte) []byte {
	v, ok := parseVersion(text)
	switch {
	case len(text) == 0:
		return append(into, versionRelease)
	case !ok:
		return append(into, text...)
	}
	into = appendVersionParts(into, v.main)
	if v.pre == nil {
		into = append(into, versionRelease)
	} else {
		into = append(into, versionPreRelease, '-')
		into = appendVersionParts(into, v.pre)
	}
	if v.build != nil {
		into = append(append(into, '+'), v.build...)
	}
	return into
}

// appendVersionParts writes parts between dots, each number after its length.
func appendVersionParts(into, parts []byte) []byte {
	for i := 0; ; i++ {
		part, rest, found := bytes.Cut(parts, []byte("."))
		if i > 0 {
			into = append(into, '.')
		}
		if isDigits(part) {
			into = append(into, versionNumber, byte(min(len(part), 127))|0x80)
		}
		into = append(into, part...)
		if !found {
			return into
		}
		parts = rest
	}
}

type version struct{ main, pre, build []byte }

func parseVersion(text []byte) (version, bool) {
	var v version
	rest, build, hasBuild := bytes.Cut(text, []byte("+"))
	main, pre, hasPre := bytes.Cut(rest, []byte("-"))
	v.main, v.pre, v.build = main, pre, build
	ok := everyPart(main, isNumber) && (!hasPre || everyPart(pre, isPreRelease)) &&
		(!hasBuild || everyPart(build, isWord))
	return v, ok
}

// everyPart reports whether text is parts between dots that all fit.
func everyPart(text []byte, fits func([]byte) bool) bool {
	for {
		part, rest, found := bytes.Cut(text, []byte("."))
		if !fits(part) {
			return false
		}
		if !found {
			return true
		}
		text = rest
	}
}

func isDigits(part []byte) bool {
	for _, c := range part {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(part) > 0
}

func isNumber(part []byte) bool { return isDigits(part) && (len(part) == 1 || part[0] != '0') }

func isWord(part []byte) bool {
	for _, c := range part {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return len(part) > 0
}

func isPreRelease(part []byte) bool { return isNumber(part) || isWord(part) && !isDigits(part) }
