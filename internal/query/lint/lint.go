// Package lint finds what is legal and probably not what its author meant: a wildcard under an
// operator that does not know wildcards, a comparison that no value can satisfy, a misspelt field.
// [Query] knows the language and the names of the Elastic Common Schema, [Types] also what indices
// make of the fields; neither asks a server. The check command calls them; nothing that they find
// keeps a rule from running.
package lint

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/agext/levenshtein"

	"esrule/internal/finding"
	"esrule/internal/query/cond"
)

// Query returns what is doubtful about a query, in the order of its text. mapped are fields that
// the indices are known to have, whatever the schema says.
func Query(q *cond.Query, mapped ...string) Doubts {
	l := &linter{text: q.Text, known: knownFields(), mapped: mapped,
		texts: cond.Constants(q.Where)}
	if q.Category != nil {
		l.value(q.Category, q.Category.Text, &cond.Field{Path: "event.category"}, false)
	}
	cond.Walk(q.Where, func(x cond.Expr) bool {
		return l.node(x)
	})
	for _, filter := range q.Filters {
		cond.Walk(filter, l.glob)
	}
	l.found.sort()
	return l.found
}

type linter struct {
	text   string
	print  func(cond.Expr) string
	known  []string // sorted
	mapped []string
	// texts are those that each field is compared with anywhere in the query.
	texts  map[string][]string
	fields Fields
	found  Doubts
}

func (l *linter) doubt(x cond.Expr, code finding.Code, advice, message string, args ...any) {
	text := fmt.Sprintf(message, args...)
	l.found = append(l.found,
		Doubt{code, cond.NewError(l.text, x.Range(), cond.CodeDoubt, text, advice)})
}

// node looks at one node, and reports whether its parts are to be looked at.
func (l *linter) node(x cond.Expr) bool {
	switch x := x.(type) {
	case *cond.Field:
		l.field(x)
	case *cond.Compare:
		if x.Op == cond.Equal || x.Op == cond.NotEqual {
			l.literal(x.Op.String(), x.Left, x.Right)
			l.literal(x.Op.String(), x.Right, x.Left)
		}
		l.never(x)
	case *cond.In:
		l.nulls(x)
		l.constants(x, x.Subject)
		for _, item := range x.List {
			l.literal(inOperator(x), item, x.Subject)
		}
	case *cond.Like:
		l.patterns(x)
	case *cond.Binary:
		return !l.subtraction(x)
	case *cond.And:
		l.nullOperands(x.Operands...)
	case *cond.Or:
		l.nullOperands(x.Operands...)
	case *cond.Not:
		l.nullOperands(x.Operand)
	case *cond.Call:
		l.call(x)
	case *cond.Is, *cond.Wildcard:
		l.kuery(x)
	case *cond.Negate, *cond.Literal, *cond.Exists, *cond.Order, *cond.Nested:
	}
	return true
}

func inOperator(x *cond.In) string {
	if x.Fold {
		return "in~"
	}
	return "in"
}

// literal looks at a constant that is compared for equality.
func (l *linter) literal(operator string, x, subject cond.Expr) {
	constant, ok := x.(*cond.Literal)
	if !ok || constant.Kind != cond.String {
		return
	}
	if strings.ContainsAny(constant.Text, "*?") && !plainQuestion(constant.Text) {
		l.doubt(x, finding.WildcardInEquality, "Write : or like for a pattern.",
			"%s takes * and ? as they are, not as wildcards", operator)
	}
	l.backslashes(constant)
	l.value(x, constant.Text, subject, operator == "in~")
}

// plainQuestion excuses texts in which a question mark is no wildcard: a URL's query.
func plainQuestion(text string) bool {
	return !strings.Contains(text, "*") && strings.Contains(text, "://")
}

func (l *linter) patterns(x *cond.Like) {
	l.constants(x, x.Subject)
	for _, p := range x.Patterns {
		if p.Kind == cond.Null {
			l.doubt(p, finding.ComparedWithNull,
				"Write == null for a missing field, != null for one with a value.",
				"null fits no pattern, so this is never true")
			continue
		}
		switch x.Op {
		case cond.Colon, cond.LikeExact, cond.LikeFold:
			l.backslashes(p)
			if x.Op != cond.Colon {
				l.percent(p)
			}
			l.value(p, p.Text, x.Subject, x.Op != cond.LikeExact)
		case cond.Regex, cond.RegexFold:
			l.regexIdioms(p)
			l.rawRegex(p)
		}
	}
}

// lowerCased are the fields whose values the Elastic Common Schema prescribes in lower case.
var lowerCased = []string{"host.os.type", "event.category", "event.type", "event.kind",
	"event.outcome"}

// value looks for texts that no event can hold in the field.
func (l *linter) value(x cond.Expr, text string, subject cond.Expr, fold bool) {
	f, ok := subject.(*cond.Field)
	if !ok {
		return
	}
	if f.Path == "file.extension" && strings.HasPrefix(text, ".") {
		l.doubt(x, finding.UnknownValue, fmt.Sprintf("Write %q.", text[1:]),
			"file.extension holds no leading dot, so no event has %q", text)
	}
	if !fold && slices.Contains(lowerCased, f.Path) && text != strings.ToLower(text) {
		if slices.Contains(l.texts[f.Path], strings.ToLower(text)) {
			return // either spelling is asked for, since some source has its own
		}
		l.doubt(x, finding.UnknownValue, fmt.Sprintf("Write %q.", strings.ToLower(text)),
			"%s is in lower case by the schema, so no event has %q", f.Path, text)
		return
	}
	if value, found := misspelt(f.Path, strings.ToLower(text)); found {
		l.doubt(x, finding.UnknownValue, fmt.Sprintf("Is %q meant?", value),
			"%s has no value %q by the schema", f.Path,
			text)
	}
}

// field looks for the names that are one slip away from a field of the schema. A field of another
// schema is no mistake: sources have fields of their own.
func (l *linter) field(f *cond.Field) {
	_, known := slices.BinarySearch(l.known, f.Path)
	if known || slices.Contains(l.mapped, f.Path) || f.Wild {
		return
	}
	if parent, ok := MultiFieldOf(f.Path); ok {
		if isText(f.Path) {
			return // the schema and Elastic's agents have such fields beside some of theirs
		}
		if _, found := slices.BinarySearch(l.known, parent); found {
			l.doubt(f, finding.MultiField,
				fmt.Sprintf("Write %s, unless your indices map the other.", parent),
				"%s itself holds whole values in the Elastic Common Schema, which has no %s",
				parent, f.Path)
		}
		return
	}
	for _, name := range l.known {
		if near(f.Path, name) {
			l.doubt(f, finding.UnknownField, fmt.Sprintf("Is %s meant?", name),
				"%s is not a field of the Elastic Common Schema", f.Path)
			return
		}
	}
}

// near reports whether a path is one slip from a name: the same set of fields, and one letter more,
// less or other, or two neighbours swapped.
func near(path, name string) bool {
	set, _, _ := strings.Cut(name, ".")
	if rest, ok := strings.CutPrefix(path, set+"."); !ok || len(rest) < 4 {
		return false
	}
	return levenshtein.Distance(path, name, nil) == 1 || swapped(path, name)
}

func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

//go:embed ecs.txt
var ecs string

// knownFields are the names of the Elastic Common Schema 8, sorted; one a line in ecs.txt.
var knownFields = sync.OnceValue(func() []string { return strings.Fields(ecs) })
