package match

import (
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// nested is a condition on one object of several.
type nested struct {
	path    string
	fields  event.Fields // of the operand
	operand predicate
}

// scope is a nested condition under judgement.
type scope struct {
	*event.Scope
	holds func() bool
}

// nested compiles `path : { operand }`. The objects are those of `_source`, whether the mapping says
// that they are nested or not.
func (c *compiler) nested(x *cond.Nested) predicate {
	n := &nested{path: x.Path}
	inner := &compiler{text: c.text, fields: &n.fields, texts: c.texts,
		nodes: map[cond.Expr]predicate{}, leaves: map[cond.Expr]*leaf{}}
	n.operand = inner.compile(x.Operand)
	l := c.leaf(x)
	for _, f := range cond.Fields(x.Operand) {
		l.slot(f)
		c.scoped = append(c.scoped, f)
	}
	c.scoped = append(c.scoped, inner.scoped...)
	for _, w := range inner.worded {
		c.worded = append(c.worded, worded{leaf: w.leaf, inObject: true})
	}
	c.errors = append(c.errors, inner.errors...)
	for _, u := range inner.uses {
		u.slot = c.fields.Add(u.field)
		c.uses = append(c.uses, u)
	}
	return func(e *Evaluation) bool {
		s := e.scope(n)
		return s.Any(e.Event, s.holds)
	}
}

// scope returns what reads the objects of a nested condition; it is kept with the evaluation.
func (e *Evaluation) scope(n *nested) *scope {
	s := e.scopes[n]
	if s == nil {
		s = &scope{Scope: event.NewScope(n.path, &n.fields)}
		inner := &Evaluation{Event: s.Event, now: e.now}
		s.holds = func() bool { return n.operand(inner) }
		if e.scopes == nil {
			e.scopes = map[*nested]*scope{}
		}
		e.scopes[n] = s
	}
	return s
}
