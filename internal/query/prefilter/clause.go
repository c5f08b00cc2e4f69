package prefilter

import (
	"encoding/json"
	"maps"
)

// Clause is one node of query DSL. It is always built from typed values and marshals to JSON; there is
// no text to escape. The zero value is not a clause.
type Clause struct {
	kind     clauseKind
	field    string
	value    any      // Term
	values   []string // Terms
	fold     bool     // Term, Prefix
	from, to string   // Between
	bounds   object   // Range: gt, gte, lt, lte and format
	operands []Clause
}

type clauseKind uint8

const (
	everything clauseKind = iota + 1
	nothing
	term
	terms
	prefix
	exists
	between
	ranged
	and
	or
	not
)

// Everything accepts every document.
func Everything() Clause { return Clause{kind: everything} }

// Nothing accepts no document.
func Nothing() Clause { return Clause{kind: nothing} }

// Term accepts documents whose field has the value; with fold, in any letter case (ASCII).
func Term(field string, value any, fold bool) Clause {
	return Clause{kind: term, field: field, value: value, fold: fold}
}

// Terms accepts documents whose field has one of the values.
func Terms(field string, values []string) Clause {
	return Clause{kind: terms, field: field, values: values}
}

// Prefix accepts documents whose field has a value that begins with the text.
func Prefix(field, text string, fold bool) Clause {
	return Clause{kind: prefix, field: field, value: text, fold: fold}
}

// Range accepts documents whose field has a value within bounds, named gt, gte, lt and lte; format is that of a
// date's, or empty.
func Range(field, format string, bounds map[string]any) Clause {
	c := Clause{kind: ranged, field: field, bounds: object{}}
	maps.Copy(c.bounds, bounds)
	if format != "" {
		c.bounds["format"] = format
	}
	return c
}

// Exists accepts documents in which the field is indexed.
func Exists(field string) Clause { return Clause{kind: exists, field: field} }

// Ignored accepts documents of which a value of the field was left out of the index.
func Ignored(field string) Clause { return Term("_ignored", field, false) }

// IsEverything tells whether c narrows nothing.
func (c Clause) IsEverything() bool { return c.kind == everything }

// IsNothing tells whether c accepts nothing, so that it need not be sent.
func (c Clause) IsNothing() bool { return c.kind == nothing }

// And accepts what all of the clauses accept.
func And(clauses ...Clause) Clause { return combine(and, everything, nothing, clauses) }

// Or accepts what any of the clauses accepts.
func Or(clauses ...Clause) Clause { return combine(or, nothing, everything, clauses) }

// Not accepts what c does not. It is for conditions of our own (`_index`); a rule's negations never become one.
func Not(c Clause) Clause { return Clause{kind: not, operands: []Clause{c}} }

// combine flattens, drops the neutral operand, and gives the absorbing one where it occurs.
func combine(kind, neutral, absorbing clauseKind, clauses []Clause) Clause {
	c := Clause{kind: kind}
	for _, operand := range clauses {
		switch operand.kind {
		case absorbing:
			return Clause{kind: absorbing}
		case neutral:
		case kind:
			c.operands = append(c.operands, operand.operands...)
		case everything, nothing, term, terms, prefix, exists, between, ranged, and, or, not:
			c.operands = append(c.operands, operand)
		}
	}
	switch len(c.operands) {
	case 0:
		return Clause{kind: neutral}
	case 1:
		return c.operands[0]
	}
	return c
}

// leaves counts the clauses that Elasticsearch counts against its limit of 1,024 (indices.query.bool.max_clause_count).
func (c Clause) leaves() int {
	if len(c.operands) == 0 {
		return 1
	}
	n := 0
	for _, operand := range c.operands {
		n += operand.leaves()
	}
	return n
}

type object map[string]any

// MarshalJSON gives the clause as query DSL, the same text for the same clause.
func (c Clause) MarshalJSON() ([]byte, error) { return json.Marshal(c.dsl()) }

func (c Clause) dsl() object {
	switch c.kind {
	case everything:
		return object{"match_all": object{}}
	case nothing:
		return object{"match_none": object{}}
	case term:
		if c.fold {
			return object{"term": object{c.field: object{"value": c.value, "case_insensitive": true}}}
		}
		return object{"term": object{c.field: object{"value": c.value}}}
	case terms:
		return object{"terms": object{c.field: c.values}}
	case prefix:
		return object{"prefix": object{c.field: object{"value": c.value, "case_insensitive": c.fold}}}
	case exists:
		return object{"exists": object{"field": c.field}}
	case between:
		bounds := object{"format": isoFormat}
		if c.from != "" {
			bounds["gte"] = c.from
		}
		if c.to != "" {
			bounds["lt"] = c.to
		}
		return object{"range": object{c.field: bounds}}
	case ranged:
		return object{"range": object{c.field: c.bounds}}
	case and:
		return object{"bool": object{"filter": c.operands}}
	case or:
		return object{"bool": object{"should": c.operands}} // at least one of them, where nothing stands beside it
	case not:
		return object{"bool": object{"must_not": c.operands}}
	}
	panic("prefilter: clause of no kind") // a zero Clause: a mistake in this package
}
