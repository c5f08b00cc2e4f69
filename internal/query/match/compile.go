package match

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Matcher is a compiled condition. It is safe for concurrent use, each worker with an [Evaluation]
// of its own.
type Matcher struct {
	root     cond.Expr
	print    func(cond.Expr) string
	accepts  predicate
	fields   *event.Fields
	compiled map[cond.Expr]predicate
	leaves   map[cond.Expr]*leaf
	category string // the field that has the category; empty for any
	texts    []string
	uses     []textUse
	// scoped are the fields that are read of one object of several, and worded the leaves that
	// compare a field by its words where it is a text.
	scoped []*cond.Field
	worded []worded

	signal    event.Slot
	noSignals bool
}

// predicate is one node of a condition, compiled.
type predicate func(*Evaluation) bool

// Options are what a rule says beside its query.
type Options struct {
	// ExcludeSignals refuses events of event.kind "signal": alerts, of this program and of others.
	ExcludeSignals bool
}

// Compile compiles a query's condition, whose types fit, and adds its fields to fields. The error
// is [cond.Errors]: the constants that nothing can be compared with, such as a regular expression
// that is none.
func Compile(q *cond.Query, fields *event.Fields, o Options) (*Matcher, error) {
	c := &compiler{
		text:   q.Text,
		fields: fields,
		nodes:  map[cond.Expr]predicate{},
		leaves: map[cond.Expr]*leaf{},
		texts:  map[string]bool{},
	}
	m := &Matcher{root: q.Condition(), print: q.Print, fields: fields,
		noSignals: o.ExcludeSignals}
	if q.Category != nil {
		m.category = cmp.Or(q.CategoryField, cond.DefaultCategoryField)
	}
	if o.ExcludeSignals {
		m.signal = fields.Add(signalField)
		c.note(string(signalKind.text))
	}
	m.accepts = c.compile(m.root)
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	m.compiled, m.leaves, m.uses = c.nodes, c.leaves, c.uses
	m.scoped, m.worded = c.scoped, c.worded
	m.texts = slices.Sorted(maps.Keys(c.texts))
	return m, nil
}

// Condition is what the matcher was compiled from, the comparison with the category included.
func (m *Matcher) Condition() cond.Expr { return m.root }

// CategoryField returns the field that has the event category which the condition asks for, as in
// `process where …`; empty for `any where …`.
func (m *Matcher) CategoryField() string { return m.category }

// Match reports whether the event satisfies the condition. The evaluation must have been made from
// the fields that Compile was given.
func (m *Matcher) Match(e *Evaluation) bool {
	e.scratch = e.scratch[:0]
	return m.accepts(e) && !m.isSignal(e)
}

func (m *Matcher) isSignal(e *Evaluation) bool {
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

// signalField says whether an event is an alert, with signalKind as its value.
const signalField = "event.kind"

var signalKind = newConstant(text([]byte("signal")))

type compiler struct {
	text   string
	fields *event.Fields
	nodes  map[cond.Expr]predicate
	leaves map[cond.Expr]*leaf
	texts  map[string]bool
	uses   []textUse
	scoped []*cond.Field // see Matcher.scoped
	worded []worded
	errors cond.Errors
}

// compile gives the predicate of a node. In Elasticsearch a node that is pushed down to the index,
// or a script, says yes or no: what would be null is no.
func (c *compiler) compile(x cond.Expr) predicate {
	p := c.node(x)
	c.nodes[x] = p
	return p
}

func (c *compiler) node(x cond.Expr) predicate {
	switch x := x.(type) {
	case *cond.And:
		return allOf(c.compileAll(x.Operands))
	case *cond.Or:
		return anyOf(c.compileAll(x.Operands))
	case *cond.Not:
		return not(c.compile(x.Operand))
	case *cond.Compare:
		return c.compare(x)
	case *cond.In:
		return c.in(x)
	case *cond.Like:
		return c.like(x)
	case *cond.Field:
		return c.isTrue(x)
	case *cond.Literal:
		return always(x.Kind == cond.Bool && x.Bool)
	case *cond.Call:
		l := c.leaf(x)
		return l.any(isTrue(l.value(x)))
	case *cond.Is:
		return c.is(x)
	case *cond.Wildcard:
		return c.wildcard(x)
	case *cond.Exists:
		return c.exists(x)
	case *cond.Order:
		return c.order(x)
	case *cond.Glob:
		return c.glob(x)
	case *cond.Nested:
		return c.nested(x)
	case *cond.Binary, *cond.Negate:
		return always(false) // the parser refuses a number as a condition
	}
	return always(false)
}

func (c *compiler) compileAll(operands []cond.Expr) []predicate {
	compiled := make([]predicate, len(operands))
	for i, x := range operands {
		compiled[i] = c.compile(x)
	}
	return compiled
}

func allOf(operands []predicate) predicate {
	return func(e *Evaluation) bool {
		for _, p := range operands {
			if !p(e) {
				return false
			}
		}
		return true
	}
}

func anyOf(operands []predicate) predicate {
	return func(e *Evaluation) bool {
		for _, p := range operands {
			if p(e) {
				return true
			}
		}
		return false
	}
}

func not(operand predicate) predicate {
	return func(e *Evaluation) bool { return !operand(e) }
}

func always(holds bool) predicate {
	return func(*Evaluation) bool { return holds }
}

// refuse records what no value could make sense of. What is compiled then is never called: Compile
// returns the errors.
func (c *compiler) refuse(x cond.Expr, message, advice string) {
	c.errors = append(c.errors, cond.NewError(c.text, x.Range(), cond.CodeType, message, advice))
}

// isTrue is a field that stands alone as a condition: `f` means `f == true`.
func (c *compiler) isTrue(f *cond.Field) predicate {
	return c.leaf(f).comparison(f, cond.Equal, c.constant(boolean(true)))
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
func (c *compiler) constantOf(x cond.Expr) (event.Value, bool) {
	if literal, ok := x.(*cond.Literal); ok {
		return literalValue(literal), true
	}
	if !cond.IsConstant(x) {
		return event.Value{}, false
	}
	folded := (&leaf{compiler: c, folding: true}).value(x)(NewEvaluation(&event.Fields{},
		time.Time{}))
	folded.Text = append([]byte(nil), folded.Text...)
	return folded, true
}
