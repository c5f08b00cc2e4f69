package event

import (
	"bytes"
	"cmp"
)

// CompareVersions orders two texts as Elasticsearch's version field does: by the numbers of the main part, a
// pre-release before its release, what is behind a plus as text. What is not a version comes after all that
// are, as text.
func CompareVersions(a, b []byte) int {
	va, okA := parseVersion(a)
	vb, okB := parseVersion(b)
	switch {
	case okA && okB:
		return va.compare(vb)
	case okA:
		return -1
	case okB:
		return 1
	}
	return bytes.Compare(a, b)
}

type version struct{ main, pre, build []byte }

func parseVersion(text []byte) (version, bool) {
	var v version
	rest, build, hasBuild := bytes.Cut(text, []byte("+"))
	main, pre, hasPre := bytes.Cut(rest, []byte("-"))
	v.main, v.pre, v.build = main, pre, build
	ok := everyPart(main, isNumber) && (!hasPre || everyPart(pre, isPreRelease)) && (!hasBuild || everyPart(build, isWord))
	return v, ok
}

// everyPart tells whether text is parts between dots that all fit.
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

func (v version) compare(w version) int {
	if c := compareParts(v.main, w.main); c != 0 {
		return c
	}
	switch {
	case v.pre == nil && w.pre != nil:
		return 1
	case v.pre != nil && w.pre == nil:
		return -1
	}
	if c := compareParts(v.pre, w.pre); c != 0 {
		return c
	}
	return bytes.Compare(v.build, w.build)
}

// compareParts compares part by part, numbers by value and before words.
func compareParts(a, b []byte) int {
	for len(a) > 0 && len(b) > 0 {
		x, restA, _ := bytes.Cut(a, []byte("."))
		y, restB, _ := bytes.Cut(b, []byte("."))
		if c := comparePart(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

func comparePart(x, y []byte) int {
	numberX, numberY := isDigits(x), isDigits(y)
	switch {
	case numberX && numberY:
		if c := cmp.Compare(len(x), len(y)); c != 0 {
			return c
		}
	case numberX:
		return -1
	case numberY:
		return 1
	}
	return bytes.Compare(x, y)
}
