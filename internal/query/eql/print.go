package eql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"esrule/internal/query/cond"
)

// The levels of the grammar, from loose to tight. An operand that is looser than its place needs
// parentheses.
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
func String(q *cond.Query) string {
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

// String returns the statement in canonical form; parsing it returns the same statement.
func (e *Event) String() string { return String(e.Query) + printPipes(e.Pipes) }

// String returns the statement in canonical form; parsing it returns the same statement.
func (s *Sequence) String() string {
	text := "sequence" + printKeys(s.Keys)
	if s.MaxSpan > 0 {
		text += " with maxspan=" + printSpan(s.MaxSpan)
	}
	text += printStages(s.Stages)
	if s.Until != nil {
		text += " until" + printStages([]Stage{*s.Until})
	}
	return text + printPipes(s.Pipes)
}

// String returns the statement in canonical form; parsing it returns the same statement.
func (s *Sample) String() string { return "sample" + printKeys(s.Keys) + printStages(s.Stages) }

func printStages(stages []Stage) string {
	var b strings.Builder
	for _, stage := range stages {
		open := " ["
		if stage.Missing {
			open = " !["
		}
		b.WriteString(open + String(stage.Query) + "]" + printKeys(stage.Keys))
		if stage.Runs > 1 {
			fmt.Fprintf(&b, " with runs=%d", stage.Runs)
		}
	}
	return b.String()
}

func printKeys(keys []*cond.Field) string {
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = Print(key)
	}
	if len(texts) == 0 {
		return ""
	}
	return " by " + strings.Join(texts, ", ")
}

// printSpan writes a length of time in the largest unit that it is a multiple of.
func printSpan(d time.Duration) string {
	unit, best := "ms", time.Millisecond
	for name, length := range units() {
		if d%length == 0 && length > best {
			unit, best = name, length
		}
	}
	return strconv.FormatInt(int64(d/best), 10) + unit
}

func printPipes(pipes []Pipe) string {
	var b strings.Builder
	for _, pipe := range pipes {
		fmt.Fprintf(&b, " | %s %d", pipe.Kind, pipe.Count)
	}
	return b.String()
}

// Print returns the expression in canonical form: one line, one space around operators, only the
// parentheses that the tree needs.
func Print(e cond.Expr) string {
	var b strings.Builder
	write(&b, e, levelOr)
	return b.String()
}

// write appends e for a place that takes expressions of the given level and tighter.
func write(b *strings.Builder, e cond.Expr, place int) {
	if levelOf(e) < place {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch e := e.(type) {
	case *cond.And:
		writeList(b, e.Operands, " and ", levelNot)
	case *cond.Or:
		writeList(b, e.Operands, " or ", levelAnd)
	case *cond.Not:
		b.WriteString("not ")
		write(b, e.Operand, levelNot)
	case *cond.Compare:
		write(b, e.Left, levelSum)
		b.WriteString(" " + e.Op.String() + " ")
		write(b, e.Right, levelSum)
	case *cond.In:
		write(b, e.Subject, levelPrimary)
		b.WriteString(" " + inOperator(e) + " (")
		writeList(b, e.List, ", ", levelOr)
		b.WriteByte(')')
	case *cond.Like:
		writeLike(b, e)
	case *cond.Binary:
		level := levelOf(e)
		write(b, e.Left, level)
		b.WriteString(" " + e.Op.String() + " ")
		write(b, e.Right, level+1)
	case *cond.Negate:
		b.WriteByte('-')
		write(b, e.Operand, levelSign)
	case *cond.Call:
		b.WriteString(e.Name)
		if e.Fold {
			b.WriteByte('~')
		}
		b.WriteByte('(')
		writeList(b, e.Args, ", ", levelOr)
		b.WriteByte(')')
	case *cond.Field:
		if e.Optional {
			b.WriteByte('?')
		}
		b.WriteString(printPath(e.Path))
	case *cond.Literal:
		b.WriteString(printLiteral(e))
	}
}

func writeList(b *strings.Builder, list []cond.Expr, separator string, place int) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		write(b, e, place)
	}
}

func writeLike(b *strings.Builder, e *cond.Like) {
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
		b.WriteString(printLiteral(pattern))
	}
	if list {
		b.WriteByte(')')
	}
}

func levelOf(e cond.Expr) int {
	switch e := e.(type) {
	case *cond.And:
		return levelAnd
	case *cond.Or:
		return levelOr
	case *cond.Not:
		return levelNot
	case *cond.Compare:
		return levelCompare
	case *cond.In, *cond.Like:
		return levelPredicate
	case *cond.Binary:
		if e.Op == cond.Add || e.Op == cond.Subtract {
			return levelSum
		}
		return levelProduct
	case *cond.Negate:
		return levelSign
	case *cond.Literal:
		// The sign of a number is an operator of the grammar: (-1) in (…).
		if e.Kind != cond.String && strings.HasPrefix(printLiteral(e), "-") {
			return levelSign
		}
		return levelPrimary
	case *cond.Call, *cond.Field:
		return levelPrimary
	}
	return levelPrimary
}

// printLiteral returns the constant as EQL writes it.
func printLiteral(l *cond.Literal) string {
	switch l.Kind {
	case cond.Null:
		return "null"
	case cond.Bool:
		return strconv.FormatBool(l.Bool)
	case cond.String:
		return quote(l.Text)
	case cond.Int, cond.Uint, cond.Float:
		if l.Text != "" {
			return l.Text
		}
	}
	// A number that was not read from a text.
	switch l.Kind {
	case cond.Int:
		return strconv.FormatInt(l.Int, 10)
	case cond.Uint:
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

// inOperator returns in, in~, not in or not in~.
func inOperator(i *cond.In) string {
	op := "in"
	if i.Negated {
		op = "not in"
	}
	if i.Fold {
		op += "~"
	}
	return op
}
