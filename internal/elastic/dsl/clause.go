package dsl

import (
	"encoding/json"
	"maps"
	"time"
)

// Clause is one node of query DSL. It is always built from typed values and marshals to JSON; there
// is no text to escape. The zero value is no clause: it stands for one that was not given.
type Clause struct {
	kind     Kind
	field    string
	value    any      // Term, Prefix, Words, Phrase, Pattern, Glob; the name of Named
	values   []string // Terms
	fold     bool     // Term, Prefix, Glob
	bounds   object   // Range: gt, gte, lt, lte and format
	operands []Clause
}

// Kind is the kind of a clause.
type Kind uint8

// The kinds of clauses.
const (
	KindEverything Kind = iota + 1
	KindNothing
	KindTerm
	KindTerms
	KindPrefix
	KindWords
	KindPhrase
	KindPattern
	KindGlob
	KindExists
	KindRange
	KindAnd
	KindOr
	KindNot
	KindNested
	KindNamed
	KindAsking
)

// Everything accepts every document.
func Everything() Clause { return Clause{kind: KindEverything} }

// Nothing accepts no document.
func Nothing() Clause { return Clause{kind: KindNothing} }

// Term accepts documents whose field has the value; with fold, in any letter case (ASCII).
func Term(field string, value any, fold bool) Clause {
	return Clause{kind: KindTerm, field: field, value: value, fold: fold}
}

// Terms accepts documents whose field has one of the values.
func Terms(field string, values []string) Clause {
	return Clause{kind: KindTerms, field: field, values: values}
}

// Prefix accepts documents whose field has a value that begins with the text.
func Prefix(field, text string, fold bool) Clause {
	return Clause{kind: KindPrefix, field: field, value: text, fold: fold}
}

// Words accepts documents whose field, a text, has one of the text's words.
func Words(field, text string) Clause {
	return Clause{kind: KindWords, field: field, value: text}
}

// Phrase accepts documents whose field, a text, has the text's words one after another.
func Phrase(field, text string) Clause {
	return Clause{kind: KindPhrase, field: field, value: text}
}

// Pattern accepts documents whose field fits a text in the syntax of query strings.
func Pattern(field, text string) Clause {
	return Clause{kind: KindPattern, field: field, value: text}
}

// Glob accepts documents of which a term of the field fits a pattern with `*` and `?`; with fold,
// in any letter case.
func Glob(field, pattern string, fold bool) Clause {
	return Clause{kind: KindGlob, field: field, value: pattern, fold: fold}
}

// Range accepts documents whose field has a value within bounds, named gt, gte, lt and lte; format
// is that of a date's, or empty.
func Range(field, format string, bounds map[string]any) Clause {
	c := Clause{kind: KindRange, field: field, bounds: object{}}
	maps.Copy(c.bounds, bounds)
	if format != "" {
		c.bounds["format"] = format
	}
	return c
}

// Between accepts documents whose date is in [from, to); a zero time is no bound. Bounds are
// absolute and in UTC: date math would be resolved by each shard on a clock of its own.
func Between(field string, from, to time.Time) Clause {
	bounds := map[string]time.Time{}
	if !from.IsZero() {
		bounds["gte"] = from
	}
	if !to.IsZero() {
		bounds["lt"] = to
	}
	return Dates(field, bounds)
}

// Dates accepts documents whose date is within bounds, named as in [Range]. They are written in ISO
// 8601 to the millisecond, whatever the field's own format is: servers before 8.1 refuse
// milliseconds before 1970.
func Dates(field string, bounds map[string]time.Time) Clause {
	texts := map[string]any{}
	for name, at := range bounds {
		texts[name] = at.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return Range(field, "strict_date_optional_time", texts)
}

// Exists accepts documents in which the field is indexed.
func Exists(field string) Clause { return Clause{kind: KindExists, field: field} }

// Ignored accepts documents of which a value of the field was left out of the index.
func Ignored(field string) Clause { return Term("_ignored", field, false) }

// IsZero reports whether c is no clause.
func (c Clause) IsZero() bool { return c.kind == 0 }

// IsEverything reports whether c narrows nothing.
func (c Clause) IsEverything() bool { return c.kind == KindEverything }

// IsNothing reports whether c accepts nothing, so that it need not be sent.
func (c Clause) IsNothing() bool { return c.kind == KindNothing }

// And accepts what all of the clauses accept.
func And(clauses ...Clause) Clause { return combine(KindAnd, KindEverything, KindNothing, clauses) }

// Or accepts what any of the clauses accepts.
func Or(clauses ...Clause) Clause {
	return combine(KindOr, KindNothing, KindEverything, mergeTerms(clauses))
}

// Not accepts what c does not. It is for conditions of our own (`_index`); a rule's negations never
// become one.
func Not(c Clause) Clause { return Clause{kind: KindNot, operands: []Clause{c}} }

// Nested accepts documents of which a nested object at a path satisfies c.
func Nested(path string, c Clause) Clause {
	return Clause{kind: KindNested, field: path, operands: []Clause{c}}
}

// Named is c, and the server says of each hit whether it satisfies it: by the name among the hit's
// matched queries.
func Named(name string, c Clause) Clause {
	return Clause{kind: KindNamed, value: name, operands: []Clause{c}}
}

// Asking accepts what c does, everything where c is zero, and has the server say of each hit which
// of the named clauses in asked it satisfies.
func Asking(c, asked Clause) Clause {
	if c.IsZero() {
		c = Everything()
	}
	return Clause{kind: KindAsking, operands: []Clause{c, asked}}
}

// combine flattens, drops the neutral operand, and returns the absorbing one where it occurs.
func combine(kind, neutral, absorbing Kind, clauses []Clause) Clause {
	c := Clause{kind: kind}
	for _, operand := range clauses {
		switch operand.kind {
		case absorbing:
			return Clause{kind: absorbing}
		case neutral:
		case kind:
			c.operands = append(c.operands, operand.operands...)
		case KindEverything,
			KindNothing,
			KindTerm,
			KindTerms,
			KindPrefix,
			KindWords,
			KindPhrase,
			KindPattern,
			KindGlob,
			KindExists,
			KindRange,
			KindAnd,
			KindOr,
			KindNot,
			KindNested,
			KindNamed,
			KindAsking:
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

// Kind returns the clause's kind.
func (c Clause) Kind() Kind { return c.kind }

// Field returns the field that the clause asks about; it is empty where it is none or several.
func (c Clause) Field() string { return c.field }

// Operands returns what an and, an or or a not joins. They must not be changed.
func (c Clause) Operands() []Clause { return c.operands }

// Leaves counts the clauses that Elasticsearch counts against its limit of 1,024
// (indices.query.bool.max_clause_count).
func (c Clause) Leaves() int {
	switch {
	case c.kind == KindWords || c.kind == KindPattern:
		text, _ := c.value.(string)
		return mostWords(text)
	case len(c.operands) == 0:
		return 1
	}
	n := 0
	for _, operand := range c.operands {
		n += operand.Leaves()
	}
	return n
}

type object map[string]any

// MarshalJSON returns the clause as query DSL, the same text for the same clause.
func (c Clause) MarshalJSON() ([]byte, error) { return json.Marshal(c.object()) }

func (c Clause) object() object {
	switch c.kind {
	case KindEverything:
		return object{"match_all": object{}}
	case KindNothing:
		return object{"match_none": object{}}
	case KindTerm:
		if c.fold {
			return object{
				"term": object{c.field: object{"value": c.value, "case_insensitive": true}},
			}
		}
		return object{"term": object{c.field: object{"value": c.value}}}
	case KindTerms:
		return object{"terms": object{c.field: c.values}}
	case KindPrefix:
		return object{
			"prefix": object{c.field: object{"value": c.value, "case_insensitive": c.fold}},
		}
	case KindWords:
		return object{"match": object{c.field: object{"query": c.value}}}
	case KindPhrase:
		return object{"match_phrase": object{c.field: object{"query": c.value}}}
	case KindPattern:
		return object{"query_string": object{"fields": []string{c.field}, "query": c.value}}
	case KindGlob:
		return object{
			"wildcard": object{c.field: object{"value": c.value, "case_insensitive": c.fold}},
		}
	case KindExists:
		return object{"exists": object{"field": c.field}}
	case KindRange:
		return object{"range": object{c.field: c.bounds}}
	case KindAnd:
		return object{"bool": object{"filter": c.operands}}
	case KindOr:
		return object{
			"bool": object{"should": c.operands},
		} // at least one of them, where nothing stands beside it
	case KindNot:
		return object{"bool": object{"must_not": c.operands}}
	case KindNested:
		return object{
			"nested": object{"path": c.field, "query": c.operands[0], "score_mode": "none"},
		}
	case KindAsking: // beside a filter no clause of should has to hold
		return object{"bool": object{"filter": c.operands[:1], "should": c.operands[1:]}}
	case KindNamed:
		return object{"bool": object{"filter": c.operands, "_name": c.value}}
	}
	panic("dsl: clause of no kind") // a zero Clause: a mistake in this package
}
