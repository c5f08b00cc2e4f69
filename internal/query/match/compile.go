package match

import (
	"maps"
	"slices"

	"esrule/internal/query/eql"
	"esrule/internal/query/event"
)

// Matcher is a compiled condition. It is safe for concurrent use, each worker with an event of its own.
type Matcher struct {
	root      eql.Expr
	accepts   predicate
	fields    *event.Fields
	compiled  map[eql.Expr]predicate
	leaves    map[eql.Expr]*leaf
	category  *eql.Literal // nil: any
	texts     []string
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

// Compile compiles a query's condition and adds its fields to fields. The error is [eql.Errors]: what
// no mapping could mend ([eql.CheckTypes]), or the constants that nothing can be compared with, such as a regular
// expression that is none.
func Compile(q *eql.Query, fields *event.Fields, o Options) (*Matcher, error) {
	if o.CategoryField == "" {
		o.CategoryField = DefaultCategoryField
	}
	c := &compiler{
		text:   q.Text,
		fields: fields,
		nodes:  map[eql.Expr]predicate{},
		leaves: map[eql.Expr]*leaf{},
		texts:  map[string]bool{},
	}
	m := &Matcher{root: q.Condition(o.CategoryField), fields: fields, category: q.Category, noSignals: o.ExcludeSignals}
	if o.ExcludeSignals {
		m.signal = fields.Add("event.kind")
		c.note(string(signalKind.text))
	}
	if errors := eql.CheckTypes(q); len(errors) > 0 {
		return nil, errors
	}
	m.accepts = c.compile(m.root)
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	m.compiled, m.leaves = c.nodes, c.leaves
	m.texts = slices.Sorted(maps.Keys(c.texts))
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
	values := e.Values(m.signal)
	for i := range values {
		if signalKind.equals(e, &values[i]) {
			return true
		}
	}
	return false
}

// signalKind is the event.kind of an alert.
var signalKind = newConstant(text([]byte("signal")))

type compiler struct {
	text   string
	fields *event.Fields
	nodes  map[eql.Expr]predicate
	leaves map[eql.Expr]*leaf
	texts  map[string]bool
	errors eql.Errors
}

// compile gives the predicate of a node. In Elasticsearch a node that is pushed down to the index, or a
// script, says yes or no: what would be null is no.
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
		return not(c.compile(x.Operand))
	case *eql.Compare:
		return c.compare(x)
	case *eql.In:
		return c.in(x)
	case *eql.Like:
		return c.like(x)
	case *eql.Field:
		return c.isTrue(x)
	case *eql.Literal:
		return always(x.Kind == eql.Bool && x.Bool)
	case *eql.Call:
		l := c.leaf(x)
		return l.any(isTrue(l.value(x)))
	case *eql.Binary, *eql.Negate:
		return always(false) // the parser refuses a number as a condition
	}
	return always(false)
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

func not(operand predicate) predicate {
	return func(e *event.Event) bool { return !operand(e) }
}

func always(holds bool) predicate {
	return func(*event.Event) bool { return holds }
}

// refuse records what no value could make sense of. What is compiled then is never called: Compile returns the errors.
func (c *compiler) refuse(x eql.Expr, message, advice string) {
	c.errors = append(c.errors, eql.NewError(c.text, x.Range(), eql.CodeType, message, advice))
}

// isTrue is a field that stands alone as a condition: `f` means `f == true`.
func (c *compiler) isTrue(f *eql.Field) predicate {
	return c.leaf(f).comparison(f, eql.Equal, c.constant(boolean(true)))
}

// constant makes a constant that is compared with values.
func (c *compiler) constant(v event.Value) *constant {
	made := newConstant(v)
	if !made.isNull() {
		c.note(string(made.text))
	}
	return made
}

// constantOf evaluates an expression in which there is no field. What cannot be evaluated is null.
func (c *compiler) constantOf(x eql.Expr) (event.Value, bool) {
	if literal, ok := x.(*eql.Literal); ok {
		return literalValue(literal), true
	}
	if !isConstant(x) {
		return event.Value{}, false
	}
	folded := (&leaf{compiler: c, folding: true}).value(x)(event.New(&event.Fields{}))
	folded.Text = append([]byte(nil), folded.Text...)
	return folded, true
}

// isConstant tells whether there is no field in an expression.
func isConstant(x eql.Expr) bool {
	constant := true
	eql.Walk(x, func(part eql.Expr) bool {
		_, isField := part.(*eql.Field)
		constant = constant && !isField
		return constant
	})
	return constant
}
