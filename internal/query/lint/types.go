package lint

import (
	"fmt"
	"math"
	"strings"

	"esrule/internal/query/eql"
	"esrule/internal/query/event"
)

// Types gives what is doubtful about a query where its fields are mapped so: the mapping's words for each field's types,
// of which there are several where indices differ. never are comparisons that no value of these types satisfies, texts the
// operators on texts over fields that hold none.
func Types(q *eql.Query, types map[string][]string) (never, texts eql.Errors) {
	n, t := &linter{text: q.Text}, &linter{text: q.Text}
	eql.Walk(q.Where, func(x eql.Expr) bool {
		switch x := x.(type) {
		case *eql.Compare:
			n.compared(x, x.Left, x.Right, types)
			n.compared(x, x.Right, x.Left, types)
		case *eql.In:
			if x.Fold {
				t.onText(x.Subject, "in~", types)
			}
		case *eql.Like:
			t.onText(x.Subject, x.Op.String(), types)
		case *eql.Call:
			switch x.Name {
			case "startsWith", "endsWith", "stringContains":
				t.onText(x.Args[0], x.Name, types)
			}
		case *eql.And, *eql.Or, *eql.Not, *eql.Field, *eql.Literal, *eql.Binary, *eql.Negate:
		}
		return true
	})
	return n.found, t.found
}

func (l *linter) onText(subject eql.Expr, operator string, types map[string][]string) {
	f, ok := subject.(*eql.Field)
	if !ok {
		return
	}
	for _, name := range types[f.Path] {
		switch event.TypeOf(name) {
		case event.Integer, event.Unsigned, event.Float, event.Boolean, event.Date, event.DateNanos, event.IP, event.Version:
			l.doubt(f, "Write == or in where the whole value is meant.", "%s is of type %s there, so %s looks at its text; Elasticsearch refuses that", f.Path, name, operator)
			return
		}
	}
}

// compared looks at a comparison with a constant. A != that always holds is none of a comparison that never does.
func (l *linter) compared(x *eql.Compare, subject, constant eql.Expr, types map[string][]string) {
	f, isField := subject.(*eql.Field)
	c, isConstant := constant.(*eql.Literal)
	if !isField || !isConstant || c.Kind == eql.Null || x.Op == eql.NotEqual || len(types[f.Path]) == 0 {
		return
	}
	reason := ""
	for _, name := range types[f.Path] {
		if reason = impossible(name, c, x.Op == eql.Equal); reason == "" {
			return
		}
	}
	l.doubt(x, "", "no event satisfies this: %s is of type %s there, and %s", f.Path, strings.Join(types[f.Path], ", "), reason)
}

// impossible says why no value of a type compares with a constant; empty where one may.
func impossible(name string, c *eql.Literal, equality bool) string {
	written := eql.Print(c)
	switch event.TypeOf(name) {
	case event.Integer, event.Unsigned, event.Float:
		n, ok := decimal(c)
		switch {
		case !ok:
			return written + " is no number"
		case equality && event.TypeOf(name) != event.Float && n != math.Trunc(n):
			return written + " is no whole number"
		}
	case event.Boolean:
		if c.Kind != eql.Bool && c.Text != "true" && c.Text != "false" {
			return written + " is neither true nor false"
		}
	case event.IP:
		address, bits, isBlock := strings.Cut(c.Text, "/")
		if _, ok := event.ParseAddress([]byte(address)); c.Kind != eql.String || !ok {
			return written + " is no address"
		}
		if isBlock && bits == "" {
			return fmt.Sprintf("%s is no block of addresses", written)
		}
	}
	return ""
}

func decimal(c *eql.Literal) (float64, bool) {
	switch c.Kind {
	case eql.Int, eql.Uint:
		return 0, true
	case eql.Float:
		return c.Float, true
	case eql.String:
		v, ok := event.Decimal([]byte(c.Text))
		return v.Float, ok
	}
	return 0, false
}
