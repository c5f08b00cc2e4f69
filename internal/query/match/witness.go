package match

import (
	"strings"

	"esrule/internal/ascii"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/lucene"
)

// An atom is what an index of texts can look up: one of a field's values, with the letters A to Z
// in lower case, is a text, or holds it. The atom without a text is that the field has a value.
type atom struct {
	field string
	text  string // in lower case
	whole bool   // the value is the text; otherwise it holds it
	// words: the atom is one of values that KQL compares by their words
	words bool
	// number: a leaf of KQL whose constant may be compared as a number or a date with values of an
	// event without a mapping
	number bool
}

func present(f *cond.Field) witness { return witness{atom{field: f.Path}} }

// isPresence reports whether every event that has the field satisfies the atom.
func (a atom) isPresence() bool { return a.text == "" && !a.whole && !a.words }

// A witness is a set of atoms of which at least one is true of each event that a condition accepts,
// or that has in a field of an atom a value for which [fieldIndex] takes them all to be true: one
// that is compared neither as a plain text ([event.Value.IsPlainText]) nor as one in lower case, or
// that in lower case where an atom has characters beyond ASCII.
type witness []atom

// witnessOf returns the witness of a condition that rates highest. ok is false where there is none.
// That of a condition that accepts nothing is empty.
func witnessOf(x cond.Expr, rate func(atom) float64) (w witness, ok bool) {
	switch x := x.(type) {
	case *cond.And:
		best := 0.0
		for _, operand := range x.Operands {
			one, has := witnessOf(operand, rate)
			if rated := rateAll(one, rate); has && (!ok || rated >= best) {
				w, ok, best = one, true, rated
			}
		}
		return w, ok
	case *cond.Or:
		for _, operand := range x.Operands {
			one, has := witnessOf(operand, rate)
			if !has {
				return nil, false
			}
			w = append(w, one...)
		}
		return w, true
	case *cond.Compare:
		return compareWitness(x)
	case *cond.In:
		return inWitness(x)
	case *cond.Like:
		return likeWitness(x)
	case *cond.Is:
		return isWitness(x)
	case *cond.Wildcard:
		return wildcardWitness(x)
	case *cond.Exists:
		return fieldWitness(x.Field)
	case *cond.Order:
		return fieldWitness(x.Field)
	case *cond.Nested: // all fields of the object are fields of the event
		return witnessOf(x.Operand, rate)
	case *cond.Not:
		if c, ok := x.Operand.(*cond.Compare); ok && c.Op == cond.Equal {
			return compareWitness(&cond.Compare{Op: cond.NotEqual, Left: c.Left, Right: c.Right})
		}
	case *cond.Call, *cond.Field, *cond.Literal, *cond.Binary, *cond.Negate:
	}
	return nil, false
}

// rateAll rates a witness: as its weakest atom, and less for each one more.
func rateAll(w witness, rate func(atom) float64) float64 {
	const most = 1e6 // of a condition that accepts nothing
	rated := most
	for _, a := range w {
		rated = min(rated, rate(a))
	}
	return rated - float64(len(w))/16
}

func compareWitness(x *cond.Compare) (witness, bool) {
	field, literal := x.Left, x.Right
	if _, turned := literal.(*cond.Field); turned {
		field, literal = literal, field
	}
	subject, isField := field.(*cond.Field)
	constant, isLiteral := literal.(*cond.Literal)
	if !isField || !isLiteral {
		return nil, false
	}
	isNull := constant.Kind == cond.Null
	switch {
	case (x.Op == cond.NotEqual) != isNull: // missing fields are not equal, and null is them
		return nil, false
	case isNull || x.Op != cond.Equal:
		return present(subject), true
	}
	if text, ok := comparedAsText(literal); ok {
		return witness{wholeValue(subject, text)}, true
	}
	return present(subject), true
}

func inWitness(x *cond.In) (w witness, ok bool) {
	subject, isField := x.Subject.(*cond.Field)
	if !isField || x.Negated {
		return nil, false
	}
	for _, item := range x.List {
		if literal, isLiteral := item.(*cond.Literal); isLiteral && literal.Kind == cond.Null {
			continue // dropped
		}
		text, ok := comparedAsText(item)
		if !ok {
			return nil, false
		}
		w = append(w, wholeValue(subject, text))
	}
	return w, true
}

// comparedAsText returns the text of a constant that a plain text equals only where it is the same
// text: no number, and no text that an event without a mapping reads as an address or a date.
func comparedAsText(x cond.Expr) (string, bool) {
	literal, isLiteral := x.(*cond.Literal)
	if !isLiteral || literal.Kind != cond.String {
		return "", false
	}
	c := newConstant(event.Value{Kind: event.KindText, Text: []byte(literal.Text)})
	return literal.Text, !c.isNetwork && !c.isDate
}

func likeWitness(x *cond.Like) (w witness, ok bool) {
	subject, isField := x.Subject.(*cond.Field)
	if !isField {
		return nil, false
	}
	isRegex := x.Op == cond.Regex || x.Op == cond.RegexFold
	for _, literal := range x.Patterns {
		if literal.Kind == cond.Null {
			continue // dropped
		}
		if isRegex {
			needed, ok := lucene.Needed(literal.Text, x.Op == cond.RegexFold)
			if !ok {
				return present(subject), true
			}
			for _, text := range needed {
				w = append(w, atom{field: subject.Path, text: text})
			}
			continue
		}
		if !hasWildcards(literal.Text) {
			w = append(w, wholeValue(subject, literal.Text))
			continue
		}
		piece := longestPiece(literal.Text)
		if piece == "" {
			return present(subject), true
		}
		w = append(w, atom{field: subject.Path, text: folded(piece)})
	}
	return w, true
}

func wholeValue(f *cond.Field, text string) atom {
	return atom{field: f.Path, text: folded(text), whole: true}
}

func folded(text string) string { return string(ascii.AppendLower(nil, []byte(text))) }

// longestPiece returns the longest part of a pattern without wildcards.
func longestPiece(pattern string) (longest string) {
	for piece := range strings.FieldsFuncSeq(pattern, isWildcard) {
		if len(piece) > len(longest) {
			longest = piece
		}
	}
	return longest
}

func isWildcard(r rune) bool { return r == '*' || r == '?' }
