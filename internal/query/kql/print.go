package kql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"esrule/internal/query/cond"
)

// The levels of the grammar, from loose to tight. An operand that is looser than its place, or as
// loose, needs parentheses.
const (
	levelOr = iota + 1
	levelAnd
	levelNot
	levelLeaf
)

// Print returns the condition in canonical form: one line, only the parentheses that the tree
// needs, and a list for what is said of one field. Parsing it returns the same tree.
func Print(e cond.Expr) string {
	var p printer
	p.write(e, 0)
	return p.String()
}

// printer writes a tree.
type printer struct {
	strings.Builder
	// prefix is the path of the braces around, with a dot at its end.
	prefix string
	// field is the field of the list around, nil where there is none.
	field *cond.Field
}

// write appends e for a place of the given level.
func (p *printer) write(e cond.Expr, place int) {
	if p.field == nil {
		if f := listField(e); f != nil {
			p.name(f)
			p.WriteString(": (")
			p.field = f
			p.write(e, 0)
			p.field = nil
			p.WriteByte(')')
			return
		}
	}
	if levelOf(e) <= place {
		p.WriteByte('(')
		defer p.WriteByte(')')
	}
	switch e := e.(type) {
	case *cond.And:
		p.list(e.Operands, " and ", levelAnd)
	case *cond.Or:
		p.list(e.Operands, " or ", levelOr)
	case *cond.Not:
		p.WriteString("not ")
		p.write(e.Operand, levelNot)
	case *cond.Is:
		p.colon(e.Field)
		if e.Quoted {
			p.WriteString(quote(e.Value.Text))
		} else {
			p.WriteString(plain(e.Value.Text))
		}
	case *cond.Wildcard:
		p.colon(e.Field)
		p.pieces(e.Pieces)
	case *cond.Exists:
		p.colon(e.Field)
		p.WriteByte('*')
	case *cond.Order:
		p.name(e.Field)
		p.WriteString(" " + e.Op.String() + " " + nameOrValue(e.Value.Text))
	case *cond.Glob:
		p.glob(e)
	case *cond.Nested:
		p.nested(e)
	case *cond.Field:
		p.name(e)
	case *cond.Literal:
		p.literal(e)
	}
}

// glob writes a clause of a filter, which KQL cannot say.
func (p *printer) glob(e *cond.Glob) {
	function := "wildcard"
	if e.Fold {
		function = "wildcard~" // as EQL writes that letter case is ignored
	}
	p.WriteString(function + "(")
	p.name(e.Field)
	p.WriteString(", " + strconv.Quote(e.Pattern) + ")")
}

func (p *printer) list(operands []cond.Expr, separator string, place int) {
	for i, e := range operands {
		if i > 0 {
			p.WriteString(separator)
		}
		p.write(e, place)
	}
}

func (p *printer) nested(e *cond.Nested) {
	p.WriteString(nameOrValue(strings.TrimPrefix(e.Path, p.prefix)) + ": { ")
	outer := p.prefix
	p.prefix = e.Path + "."
	p.write(e.Operand, 0)
	p.prefix = outer
	p.WriteString(" }")
}

// colon writes what is before a value.
func (p *printer) colon(f *cond.Field) {
	if p.field == nil {
		p.name(f)
		p.WriteString(": ")
	}
}

// name writes a field's name, as it is within the braces around.
func (p *printer) name(f *cond.Field) {
	path := strings.TrimPrefix(f.Path, p.prefix)
	if f.Wild {
		p.pieces(strings.Split(path, "*"))
		return
	}
	p.WriteString(nameOrValue(path))
}

func (p *printer) pieces(pieces []string) {
	for i, piece := range pieces {
		if i > 0 {
			p.WriteByte('*')
		}
		p.WriteString(escaped(piece))
	}
}

// literal writes true, which is of every event, or a value alone.
func (p *printer) literal(l *cond.Literal) {
	switch {
	case l.Kind == cond.String:
		p.WriteString(quote(l.Text))
	case p.prefix == "" && p.field == nil:
		p.WriteString("*: *")
	default:
		p.WriteByte('*')
	}
}

// listField returns the field that all leaves of an and or an or are about, nil where there is no
// such field.
func listField(e cond.Expr) *cond.Field {
	switch e.(type) {
	case *cond.And, *cond.Or:
	default:
		return nil
	}
	var field *cond.Field
	same := true
	cond.Walk(e, func(e cond.Expr) bool {
		var f *cond.Field
		switch e := e.(type) {
		case *cond.Is:
			f = e.Field
		case *cond.Wildcard:
			f = e.Field
		case *cond.Exists:
			f = e.Field
		case *cond.And, *cond.Or, *cond.Not:
			return same
		}
		if field == nil {
			field = f
		}
		same = same && f != nil && f.Path == field.Path && f.Wild == field.Wild
		return false
	})
	if !same {
		return nil
	}
	return field
}

func levelOf(e cond.Expr) int {
	switch e.(type) {
	case *cond.Or:
		return levelOr
	case *cond.And:
		return levelAnd
	case *cond.Not:
		return levelNot
	}
	return levelLeaf
}

// nameOrValue writes a text that means the same with quotes and without: with them only where it
// needs them.
func nameOrValue(text string) string {
	if text == "" || text == "null" || escaped(text) != text ||
		strings.ContainsFunc(text, isTrimmed) {
		return quote(text)
	}
	return text
}

// plain writes a value without quotes.
func plain(text string) string {
	if text == "" {
		return `\t` // a tab, which is trimmed
	}
	return escaped(text)
}

// escaped writes a text so that it can be a part of an unquoted literal, whatever comes after it.
func escaped(text string) string {
	var b strings.Builder
	for i, r := range text {
		rest := text[i:]
		blankBefore := strings.HasSuffix(text[:i], " ")
		switch {
		case endsWord(rest, "not"):
			writeUnicode(&b, r)
		case blankBefore && (endsWord(rest, "or") || endsWord(rest, "and")):
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			writeRune(&b, r)
		}
	}
	return b.String()
}

// endsWord reports whether a text begins with a keyword and a blank, or is the keyword.
func endsWord(text, keyword string) bool {
	return hasFold(text, keyword) &&
		(len(text) == len(keyword) || text[len(keyword)] == ' ')
}

// quote writes a text in quotes.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		writeRune(&b, r)
	}
	b.WriteByte('"')
	return b.String()
}

func writeRune(b *strings.Builder, r rune) {
	switch {
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\n':
		b.WriteString(`\n`)
	case unicode.IsPrint(r):
		b.WriteRune(r)
	default:
		writeUnicode(b, r)
	}
}

func writeUnicode(b *strings.Builder, r rune) {
	for _, unit := range utf16.AppendRune(nil, r) {
		fmt.Fprintf(b, `\u%04x`, unit)
	}
}
