package match

import (
	"strings"

	"esrule/internal/query/eql"
	"esrule/internal/query/event"
)

// Matcher is a compiled condition. It is safe for concurrent use, each worker with an event of its own.
type Matcher struct {
	root      eql.Expr
	accepts   predicate
	fields    *event.Fields
	compiled  map[eql.Expr]predicate
	slots     map[*eql.Field]event.Slot
	signal    event.Slot
	noSignals bool
}

// predicate is one node of a condition, compiled.
type predicate func(*event.Event) bool

// Options are what a rule says beside its query.
type Options struct {
	// CategoryField is the field that `X where …` compares with X; empty means event.category.
	CategoryField string
	// ExcludeSignals refuses events of event.kind "signal": alerts, of this program and of others.
	ExcludeSignals bool
}

// DefaultCategoryField is Elasticsearch's event_category_field where a rule names none.
const DefaultCategoryField = "event.category"

// Compile compiles a query's condition and adds its fields to fields. The error is [eql.Errors]: every
// operator of the query that this version does not evaluate, with its place.
func Compile(q *eql.Query, fields *event.Fields, o Options) (*Matcher, error) {
	if o.CategoryField == "" {
		o.CategoryField = DefaultCategoryField
	}
	c := &compiler{
		text:   q.Text,
		fields: fields,
		nodes:  map[eql.Expr]predicate{},
		slots:  map[*eql.Field]event.Slot{},
	}
	m := &Matcher{root: q.Condition(o.CategoryField), fields: fields, noSignals: o.ExcludeSignals}
	if o.ExcludeSignals {
		m.signal = fields.Add("event.kind")
	}
	m.accepts = c.compile(m.root)
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	m.compiled, m.slots = c.nodes, c.slots
	return m, nil
}

// Condition is what the matcher was compiled from, the comparison with the category included.
func (m *Matcher) Condition() eql.Expr { return m.root }

// Match tells whether the event satisfies the condition. The event must have been made from the fields
// that Compile was given.
func (m *Matcher) Match(e *event.Event) bool {
	return m.accepts(e) && !m.isSignal(e)
}

func (m *Matcher) isSignal(e *event.Event) bool {
	if !m.noSignals {
		return false
	}
	for _, v := range e.Values(m.signal) {
		if string(v.Text) == "signal" {
			return true
		}
	}
	return false
}

type compiler struct {
	text   string
	fields *event.Fields
	nodes  map[eql.Expr]predicate
	slots  map[*eql.Field]event.Slot
	errors eql.Errors
}

func (c *compiler) compile(x eql.Expr) predicate {
	p := c.node(x)
	c.nodes[x] = p
	return p
}

func (c *compiler) node(x eql.Expr) predicate {
	switch x := x.(type) {
	case *eql.And:
		return allOf(c.compileAll(x.Operands))
	case *eql.Or:
		return anyOf(c.compileAll(x.Operands))
	case *eql.Not:
		operand := c.compile(x.Operand)
		return func(e *event.Event) bool { return !operand(e) }
	case *eql.Compare:
		return c.compare(x)
	case *eql.In:
		return c.in(x)
	case *eql.Like:
		return c.like(x)
	case *eql.Field:
		return c.isTrue(x)
	case *eql.Literal:
		value := x.Kind == eql.Bool && x.Bool
		return func(*event.Event) bool { return value }
	case *eql.Binary, *eql.Negate, *eql.Call:
		return c.refuse(x, eql.Print(x))
	}
	return c.refuse(x, "this expression")
}

func (c *compiler) compileAll(operands []eql.Expr) []predicate {
	compiled := make([]predicate, len(operands))
	for i, x := range operands {
		compiled[i] = c.compile(x)
	}
	return compiled
}

func allOf(operands []predicate) predicate {
	return func(e *event.Event) bool {
		for _, p := range operands {
			if !p(e) {
				return false
			}
		}
		return true
	}
}

func anyOf(operands []predicate) predicate {
	return func(e *event.Event) bool {
		for _, p := range operands {
			if p(e) {
				return true
			}
		}
		return false
	}
}

// refuse records what is not evaluated. The predicate it gives is never called: Compile returns the errors.
func (c *compiler) refuse(x eql.Expr, what string) predicate {
	c.errors = append(c.errors, eql.NewError(c.text, x.Range(), eql.CodeUnsupported,
		what+" is not evaluated by this version of esrule", "The rule is not run. "+supported))
	return func(*event.Event) bool { return false }
}

const supported = "Evaluated are: and, or, not, == and != with a constant, in, in~, :, like and like~ on a field."

// slot gives the slot of x where it is a field; everything else is refused.
func (c *compiler) slot(x eql.Expr) (event.Slot, bool) {
	f, ok := x.(*eql.Field)
	if !ok {
		c.refuse(x, eql.Print(x))
		return 0, false
	}
	s := c.fields.Add(f.Path)
	c.slots[f] = s
	return s, true
}

func (c *compiler) compare(x *eql.Compare) predicate {
	subject, other := x.Left, x.Right
	if _, ok := subject.(*eql.Literal); ok {
		subject, other = other, subject
	}
	literal, ok := other.(*eql.Literal)
	if !ok {
		return c.refuse(x, eql.Print(x))
	}
	switch x.Op {
	case eql.Equal, eql.NotEqual:
	case eql.Less, eql.LessOrEqual, eql.Greater, eql.GreaterOrEqual:
		return c.refuse(x, "the operator "+x.Op.String())
	}
	slot, ok := c.slot(subject)
	if !ok {
		return never
	}
	equal := equalTo(slot, newConstant(literal))
	if x.Op == eql.NotEqual {
		return func(e *event.Event) bool { return !equal(e) } // eql.md §2: a != b is parsed as not (a == b)
	}
	return equal
}

func never(*event.Event) bool { return false }

func equalTo(slot event.Slot, constant constant) predicate {
	if constant.kind == eql.Null {
		return func(e *event.Event) bool { return len(e.Values(slot)) == 0 }
	}
	return anyValue(slot, func(_ *event.Event, v *event.Value) bool { return constant.equals(v) })
}

// anyValue is a leaf: it holds where one of the field's values passes (eql.md §3).
func anyValue(slot event.Slot, passes func(*event.Event, *event.Value) bool) predicate {
	return func(e *event.Event) bool {
		values := e.Values(slot)
		for i := range values {
			if passes(e, &values[i]) {
				return true
			}
		}
		return false
	}
}

// isTrue is a field that stands alone as a condition: `f` means `f == true`.
func (c *compiler) isTrue(f *eql.Field) predicate {
	slot, ok := c.slot(f)
	if !ok {
		return never
	}
	return equalTo(slot, newConstant(&eql.Literal{Kind: eql.Bool, Bool: true}))
}

func (c *compiler) in(x *eql.In) predicate {
	slot, ok := c.slot(x.Subject)
	var constants []constant
	for _, item := range x.List {
		literal, isLiteral := item.(*eql.Literal)
		if !isLiteral {
			ok = false
			c.refuse(item, eql.Print(item))
			continue
		}
		if literal.Kind != eql.Null { // null elements are dropped (eql.md §2)
			constants = append(constants, newConstant(literal))
		}
	}
	if !ok {
		return never
	}
	member := anyValue(slot, func(e *event.Event, v *event.Value) bool {
		for i := range constants {
			if constants[i].equals(v) || x.Fold && constants[i].equalsFolded(e, v) {
				return true
			}
		}
		return false
	})
	if x.Negated {
		return func(e *event.Event) bool { return !member(e) }
	}
	return member
}

func (c *compiler) like(x *eql.Like) predicate {
	fold := true
	switch x.Op {
	case eql.Colon, eql.LikeFold:
	case eql.LikeExact:
		fold = false
	case eql.Regex, eql.RegexFold:
		return c.refuse(x, "the operator "+x.Op.String())
	}
	slot, ok := c.slot(x.Subject)
	if !ok {
		return never
	}
	return anyValue(slot, fits(x.Patterns, fold))
}

// fits compiles a list of patterns into one pass over a value's text.
func fits(literals []*eql.Literal, fold bool) func(*event.Event, *event.Value) bool {
	patterns := make([]Pattern, 0, len(literals))
	for _, l := range literals {
		if l.Kind == eql.Null {
			continue
		}
		constant := newConstant(l)
		patterns = append(patterns, NewPattern(string(constant.text), fold))
	}
	return func(e *event.Event, v *event.Value) bool {
		text := v.Text
		if fold {
			text = e.Lower(v)
		}
		for i := range patterns {
			if patterns[i].Match(text) {
				return true
			}
		}
		return false
	}
}

// Wildcards tells whether a pattern holds a `*` or a `?`; one that does not is compared for equality.
func Wildcards(pattern string) bool { return strings.ContainsAny(pattern, "*?") }
