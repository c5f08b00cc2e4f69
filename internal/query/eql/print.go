package eql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The levels of the grammar, from loose to tight. An operand that is looser than its place needs parentheses.
const (
	levelOr = iota
	levelAnd
	levelNot
	levelCompare
	levelSum
	levelProduct
	levelSign
	levelPredicate
	levelPrimary
)

// String returns the query in canonical form; parsing it returns the same tree.
func (q *Query) String() string {
	category := "any"
	switch {
	case q.Category == nil:
	case isPlainIdentifier(q.Category.Text):
		category = q.Category.Text
	default:
		category = quote(q.Category.Text)
	}
	return category + " where " + Print(q.Where)
}

// Print returns the expression in canonical form: one line, one space around operators, only the parentheses that the
// tree needs.
func Print(e Expr) string {
	var b strings.Builder
	write(&b, e, levelOr)
	return b.String()
}

// write appends e for a place that takes expressions of the given level and tighter.
func write(b *strings.Builder, e Expr, place int) {
	if levelOf(e) < place {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch e := e.(type) {
	case *And:
		writeList(b, e.Operands, " and ", levelNot)
	case *Or:
		writeList(b, e.Operands, " or ", levelAnd)
	case *Not:
		b.WriteString("not ")
		write(b, e.Operand, levelNot)
	case *Compare:
		write(b, e.Left, levelSum)
		b.WriteString(" " + e.Op.String() + " ")
		write(b, e.Right, levelSum)
	case *In:
		write(b, e.Subject, levelPrimary)
		b.WriteString(" " + e.operator() + " (")
		writeList(b, e.List, ", ", levelOr)
		b.WriteByte(')')
	case *Like:
		writeLike(b, e)
	case *Binary:
		level := levelOf(e)
		write(b, e.Left, level)
		b.WriteString(" " + e.Op.String() + " ")
		write(b, e.Right, level+1)
	case *Negate:
		b.WriteByte('-')
		write(b, e.Operand, levelSign)
	case *Call:
		b.WriteString(e.Name)
		if e.Fold {
			b.WriteByte('~')
		}
		b.WriteByte('(')
		writeList(b, e.Args, ", ", levelOr)
		b.WriteByte(')')
	case *Field:
		if e.Optional {
			b.WriteByte('?')
		}
		b.WriteString(printPath(e.Path))
	case *Literal:
		b.WriteString(e.print())
	}
}

func writeList(b *strings.Builder, list []Expr, separator string, place int) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		write(b, e, place)
	}
}

func writeLike(b *strings.Builder, e *Like) {
	write(b, e.Subject, levelPrimary)
	b.WriteString(" " + e.Op.String() + " ")
	list := e.List || len(e.Patterns) != 1
	if list {
		b.WriteByte('(')
	}
	for i, pattern := range e.Patterns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(pattern.print())
	}
	if list {
		b.WriteByte(')')
	}
}

func levelOf(e Expr) int {
	switch e := e.(type) {
	case *And:
		return levelAnd
	case *Or:
		return levelOr
	case *Not:
		return levelNot
	case *Compare:
		return levelCompare
	case *In, *Like:
		return levelPredicate
	case *Binary:
		if e.Op == Add || e.Op == Subtract {
			return levelSum
		}
		return levelProduct
	case *Negate:
		return levelSign
	case *Literal:
		// The sign of a number is an operator of the grammar: (-1) in (…).
		if e.Kind != String && strings.HasPrefix(e.print(), "-") {
			return levelSign
		}
		return levelPrimary
	case *Call, *Field:
		return levelPrimary
	}
	return levelPrimary
}

// print returns the constant as EQL writes it.
func (l *Literal) print() string {
	switch l.Kind {
	case Null:
		return "null"
	case Bool:
		return strconv.FormatBool(l.Bool)
	case String:
		return quote(l.Text)
	case Int, Uint, Float:
		if l.Text != "" {
			return l.Text
		}
	}
	// A number that was not read from a text.
	switch l.Kind {
	case Int:
		return strconv.FormatInt(l.Int, 10)
	case Uint:
		return strconv.FormatUint(l.Uint, 10)
	}
	text := strconv.FormatFloat(l.Float, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// printPath writes a field's path, in backquotes where it is not made of plain names.
func printPath(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if part == "" {
			return backquote(path)
		}
		if !isPlainIdentifier(part) {
			parts[i] = backquote(part)
		}
	}
	return strings.Join(parts, ".")
}

func backquote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// quote writes a string in double quotes with the escapes that EQL has.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\f':
			b.WriteString(`\f`)
		case '\r':
			b.WriteString(`\r`)
		default:
			if unicode.IsPrint(r) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, `\u{%02x}`, r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

// operator spells in, in~, not in, not in~.
func (i *In) operator() string {
	op := "in"
	if i.Negated {
		op = "not in"
	}
	if i.Fold {
		op += "~"
	}
	return op
}

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
