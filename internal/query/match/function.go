package match

import (
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// call compiles a function. Unless said otherwise, an argument that is null makes the result null.
func (l *leaf) call(x *cond.Call) evaluator {
	switch x.Name {
	case "add":
		return l.arithmetic(cond.Add, x)
	case "subtract":
		return l.arithmetic(cond.Subtract, x)
	case "multiply":
		return l.arithmetic(cond.Multiply, x)
	case "divide":
		return l.arithmetic(cond.Divide, x)
	case "modulo":
		return l.arithmetic(cond.Modulo, x)
	case "number":
		return l.number(x)
	case "string":
		return l.string(x)
	case "concat":
		return l.concat(x)
	case "length":
		return l.length(x)
	case "substring":
		return l.substring(x)
	case "between":
		return l.between(x)
	case "indexOf":
		return l.indexOf(x)
	case "startsWith", "endsWith", "stringContains":
		return l.contains(x)
	case "cidrMatch":
		return l.cidrMatch(x)
	}
	return fixed(event.Value{}) // the parser knows the functions
}

func (l *leaf) arithmetic(op cond.ArithmeticOp, x *cond.Call) evaluator {
	left, right, operate := l.value(x.Args[0]), l.value(x.Args[1]), operation(op)
	return func(e *Evaluation) event.Value {
		a := left(e)
		b := right(e)
		return operate(&a, &b)
	}
}

// textual computes an argument that a function reads as a text. ok is false for null.
type textual func(e *Evaluation) (text []byte, ok bool)

// textArgument compiles an argument for its text; with fold, in lower case as Java's toLowerCase
// makes it.
func (l *leaf) textArgument(x cond.Expr, fold bool) textual {
	if v, ok := l.constantOf(x); ok {
		text := appendText(nil, &v)
		if fold {
			text = appendLower(nil, text)
		}
		return func(*Evaluation) ([]byte, bool) { return text, v.Kind != event.KindNull }
	}
	value := l.value(x)
	return func(e *Evaluation) ([]byte, bool) {
		v := value(e)
		if v.Kind == event.KindNull {
			return nil, false
		}
		text := textOf(e, &v)
		if fold {
			text = lower(e, text)
		}
		return text, true
	}
}

// whole computes an argument that is a whole number: a position, a base. null is told from what is
// none.
type whole func(e *Evaluation) (n int, isNull, ok bool)

func (l *leaf) wholeArgument(x *cond.Call, at int) whole {
	if at >= len(x.Args) {
		return func(*Evaluation) (int, bool, bool) { return 0, true, true }
	}
	value := l.value(x.Args[at])
	return func(e *Evaluation) (int, bool, bool) {
		v := value(e)
		if v.Kind == event.KindNull {
			return 0, true, true
		}
		n, ok := numberOf(&v)
		if !ok || n.Kind != event.KindInteger {
			return 0, false, false
		}
		// Beyond 2³¹ Elasticsearch gives up; no text is that long, so the nearest will do.
		const most = 1<<31 - 1
		return int(min(max(n.Integer, -most), most)), false, true
	}
}
