package cond

import "fmt"

// String returns the operator as EQL writes it.
func (op CompareOp) String() string {
	switch op {
	case Equal:
		return "=="
	case NotEqual:
		return "!="
	case Less:
		return "<"
	case LessOrEqual:
		return "<="
	case Greater:
		return ">"
	case GreaterOrEqual:
		return ">="
	}
	return fmt.Sprintf("CompareOp(%d)", op)
}

// String returns the operator as EQL writes it.
func (op LikeOp) String() string {
	switch op {
	case Colon:
		return ":"
	case LikeExact:
		return "like"
	case LikeFold:
		return "like~"
	case Regex:
		return "regex"
	case RegexFold:
		return "regex~"
	}
	return fmt.Sprintf("LikeOp(%d)", op)
}

// String returns the operator as EQL writes it.
func (op ArithmeticOp) String() string {
	switch op {
	case Add:
		return "+"
	case Subtract:
		return "-"
	case Multiply:
		return "*"
	case Divide:
		return "/"
	case Modulo:
		return "%"
	}
	return fmt.Sprintf("ArithmeticOp(%d)", op)
}

// Turned is the operator that says the same with its sides exchanged: 0 < f is f > 0.
func (op CompareOp) Turned() CompareOp {
	switch op {
	case Less:
		return Greater
	case LessOrEqual:
		return GreaterOrEqual
	case Greater:
		return Less
	case GreaterOrEqual:
		return LessOrEqual
	case Equal, NotEqual:
	}
	return op
}
