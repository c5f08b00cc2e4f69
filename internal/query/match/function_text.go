package match

import (
	"bytes"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// string gives the text of any value.
func (l *leaf) string(x *cond.Call) evaluator {
	argument := l.textArgument(x.Args[0], false)
	return func(e *Evaluation) event.Value {
		b, ok := argument(e)
		if !ok {
			return event.Value{}
		}
		return text(b)
	}
}

func (l *leaf) concat(x *cond.Call) evaluator {
	arguments := make([]textual, len(x.Args))
	for i, argument := range x.Args {
		arguments[i] = l.textArgument(argument, false)
	}
	return func(e *Evaluation) event.Value {
		// Each argument may write into the scratch, so the result is put together behind them all.
		var few [8][]byte
		pieces := few[:0]
		for _, argument := range arguments {
			b, ok := argument(e)
			if !ok {
				return event.Value{}
			}
			pieces = append(pieces, b)
		}
		start := len(e.scratch)
		for _, piece := range pieces {
			e.scratch = appendUTF16(e.scratch, start, piece)
		}
		return text(e.scratch[start:])
	}
}

func (l *leaf) length(x *cond.Call) evaluator {
	argument := l.textArgument(x.Args[0], false)
	return func(e *Evaluation) event.Value {
		b, ok := argument(e)
		if !ok {
			return event.Value{}
		}
		return integer(int64(lengthUTF16(b)))
	}
}

// substring cuts as Python's slices do: positions below zero count from the end.
func (l *leaf) substring(x *cond.Call) evaluator {
	argument := l.textArgument(x.Args[0], false)
	start, end := l.wholeArgument(x, 1), l.wholeArgument(x, 2)
	return func(e *Evaluation) event.Value {
		b, ok := argument(e)
		if !ok {
			return event.Value{}
		}
		length := lengthUTF16(b)
		from, _, ok := start(e)
		if !ok {
			return event.Value{}
		}
		to, toEnd, ok := end(e)
		if !ok {
			return event.Value{}
		}
		if toEnd {
			to = length
		}
		return text(sliceUTF16(e, b, position(from, length), position(to, length)))
	}
}

func position(at, length int) int {
	if at < 0 {
		at += length
	}
	return min(max(at, 0), length)
}

// contains compiles startsWith, endsWith and stringContains. The constant is literal: no wildcards
// in it (eql.md §10).
func (l *leaf) contains(x *cond.Call) evaluator {
	test := bytes.Contains
	switch x.Name {
	case "startsWith":
		test = bytes.HasPrefix
	case "endsWith":
		test = bytes.HasSuffix
	}
	constant, isConstant := l.constantOf(x.Args[1])
	if isConstant && constant.Kind != event.KindNull {
		return l.containsConstant(x, appendText(nil, &constant), test)
	}
	whole, searched := l.textArgument(x.Args[0], x.Fold), l.textArgument(x.Args[1], x.Fold)
	return func(e *Evaluation) event.Value {
		b, ok := whole(e)
		if !ok {
			return event.Value{}
		}
		s, ok := searched(e)
		if !ok {
			return event.Value{}
		}
		return boolean(test(b, s))
	}
}

// containsConstant is contains where Elasticsearch runs a query instead of a script, if x is a
// condition: it normalizes the constant as the field is.
func (l *leaf) containsConstant(x *cond.Call, constant []byte,
	test func(b, s []byte) bool) evaluator {
	l.note(string(constant))
	folded := func(text []byte) []byte {
		if x.Fold {
			return appendLower(nil, text)
		}
		return text
	}
	searched := folded(constant)
	var normal byNormalizer[[]byte]
	value := l.subject(x.Args[0])
	return func(e *Evaluation) event.Value {
		v := value(e)
		if v.Kind == event.KindNull {
			return event.Value{}
		}
		s, b := searched, textOf(e, &v)
		if n := v.Normalizer(); n != nil {
			s = normal.get(n, func() []byte { return folded([]byte(n.Constant(string(constant)))) })
		}
		if x.Fold {
			b = lower(e, b)
		}
		return boolean(test(b, s))
	}
}

// indexOf gives the first place at or behind start, or null.
func (l *leaf) indexOf(x *cond.Call) evaluator {
	whole, searched := l.textArgument(x.Args[0], x.Fold), l.textArgument(x.Args[1], x.Fold)
	start := l.wholeArgument(x, 2)
	return func(e *Evaluation) event.Value {
		b, ok := whole(e)
		if !ok {
			return event.Value{}
		}
		s, ok := searched(e)
		if !ok {
			return event.Value{}
		}
		from, _, ok := start(e)
		if !ok {
			return event.Value{}
		}
		from = offsetUTF16(b, max(from, 0))
		found := bytes.Index(b[from:], s)
		if found < 0 {
			return event.Value{}
		}
		return integer(int64(lengthUTF16(b[:from+found])))
	}
}

// between gives what stands between the first left and the next right behind it, with greedy the
// last right. With ~ the places are looked for in lower case and the text keeps its own.
func (l *leaf) between(x *cond.Call) evaluator {
	original := l.textArgument(x.Args[0], false)
	left, right := l.textArgument(x.Args[1], x.Fold), l.textArgument(x.Args[2], x.Fold)
	greedy := fixed(boolean(false))
	if len(x.Args) > 3 {
		greedy = l.value(x.Args[3])
	}
	return func(e *Evaluation) event.Value {
		whole, ok := original(e)
		if !ok {
			return event.Value{}
		}
		before, ok := left(e)
		if !ok {
			return event.Value{}
		}
		after, ok := right(e)
		if !ok {
			return event.Value{}
		}
		last := greedy(e)
		toLast, ok := truthOf(&last)
		if !ok {
			return event.Value{}
		}
		if len(whole) == 0 || len(before) == 0 || len(after) == 0 {
			return text(whole)
		}
		searched := whole
		if x.Fold {
			searched = lower(e, whole)
		}
		from, to := span(searched, before, after, toLast)
		if from < 0 || to < 0 {
			return text(nil)
		}
		start, end := lengthUTF16(searched[:from]), lengthUTF16(searched[:to])
		if start > end || end > lengthUTF16(whole) {
			return event.Value{} // Elasticsearch throws here
		}
		return text(sliceUTF16(e, whole, start, end))
	}
}

// span gives where the text between two others begins and ends; below zero where one of them is not
// there.
func span(whole, before, after []byte, toLast bool) (from, to int) {
	from = bytes.Index(whole, before)
	if from < 0 {
		return -1, -1
	}
	from += len(before)
	if toLast {
		return from, bytes.LastIndex(whole, after)
	}
	to = bytes.Index(whole[from:], after)
	if to < 0 {
		return -1, -1
	}
	return from, from + to
}
