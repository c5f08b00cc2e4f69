package prefilter

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// MostAsked is how many clauses about each hit one search has room for.
const MostAsked = 500

// Asked returns what the indices of a mapping are to be asked about each hit, since only they know:
// the leaves of KQL that compare words which another analyzer than the standard one makes. Each is
// the query that Kibana sends for the leaf, under the leaf's name ([cond.Name]). What cannot be
// asked is known to match.Matcher.Unknown.
func Asked(condition cond.Expr, m *event.Mapping) (named []dsl.Clause) {
	cond.Walk(condition, func(x cond.Expr) bool {
		switch x.(type) {
		case *cond.Nested:
			return false
		case *cond.Is, *cond.Wildcard, *cond.Order, *cond.Glob:
			if clause := askedOf(x, m); !clause.IsNothing() {
				named = append(named, dsl.Named(cond.Name(x), clause))
			}
			return false
		}
		return true
	})
	return named
}

// askedOf returns the query of a leaf in the fields that only the indices can judge.
func askedOf(x cond.Expr, m *event.Mapping) dsl.Clause {
	field := cond.Compared(x)
	var clauses []dsl.Clause
	for _, path := range fieldsOf(field, m) {
		f := m.Fields[path]
		if !f.IndexHasWords() || f.Words.Field == "" {
			continue
		}
		clause := asKibana(x, f.Words.Field)
		if f.Nested != "" {
			clause = dsl.Nested(f.Nested, clause)
		}
		clauses = append(clauses, clause)
	}
	return dsl.Or(clauses...)
}

// fieldsOf returns the paths that a field, or a pattern of fields, means in a mapping.
func fieldsOf(f *cond.Field, m *event.Mapping) []string {
	if f.Wild {
		return m.FieldsOf(f.Path)
	}
	return []string{f.Path}
}

// asKibana returns the query that Kibana sends for a leaf on a text field.
func asKibana(x cond.Expr, field string) dsl.Clause {
	switch x := x.(type) {
	case *cond.Is:
		if x.Quoted {
			return dsl.Phrase(field, x.Value.Text)
		}
		return dsl.Words(field, x.Value.Text)
	case *cond.Wildcard:
		pieces := make([]string, len(x.Pieces))
		for i, piece := range x.Pieces {
			pieces[i] = quoted(piece)
		}
		return dsl.Pattern(field, strings.Join(pieces, "*"))
	case *cond.Order:
		return dsl.Range(field, "", map[string]any{bound(x.Op): x.Value.Text})
	case *cond.Glob:
		return dsl.Glob(field, x.Pattern, x.Fold)
	}
	return dsl.Nothing()
}

// quoted writes a backslash before each of the characters that Kibana escapes in a pattern.
func quoted(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(escaped, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Questions are what a search asks about its hits, by index. Indices that are asked the same share
// it, and no index is asked the same twice.
type Questions struct {
	lists   []questions
	clauses int
}

type questions struct {
	text    string
	indices []string
	named   []dsl.Clause
}

// Add adds what indices are asked, and reports whether there was room for it (see [MostAsked]).
// Without, nothing is added.
func (q *Questions) Add(indices []string, named []dsl.Clause) bool {
	if len(named) == 0 {
		return true
	}
	one := distinct(named)
	at := slices.IndexFunc(q.lists, func(l questions) bool { return l.text == one.text })
	if at >= 0 {
		q.lists[at].indices = append(q.lists[at].indices, indices...)
		return true
	}
	more := dsl.Or(one.named...).Leaves() + 2 // with those that guard them
	if q.clauses+more > MostAsked {
		return false
	}
	one.indices = slices.Clone(indices)
	q.lists, q.clauses = append(q.lists, one), q.clauses+more
	return true
}

// distinct returns clauses in the order of their texts, each once.
func distinct(named []dsl.Clause) questions {
	byText := map[string]dsl.Clause{}
	for _, c := range named {
		text, err := json.Marshal(c)
		if err != nil {
			// cannot be: it is made of texts
			panic("prefilter: a clause that is no JSON: " + err.Error())
		}
		byText[string(text)] = c
	}
	one := questions{}
	for _, text := range slices.Sorted(maps.Keys(byText)) {
		one.text += text
		one.named = append(one.named, byText[text])
	}
	return one
}

// Leaves is how many clauses the questions are.
func (q *Questions) Leaves() int { return q.clauses }

// Clause returns what the search asks beside its query, or of what it asks what it asks of some
// indices; the zero value where that is nothing. Each hit of an index that is asked anything has
// [event.Answered] among its matched queries.
func (q *Questions) Clause(indices ...string) dsl.Clause {
	var clauses []dsl.Clause
	for _, l := range q.lists {
		isOf := func(index string) bool { return slices.Contains(l.indices, index) }
		if len(indices) > 0 && !slices.ContainsFunc(indices, isOf) {
			continue
		}
		clauses = append(clauses, dsl.And(dsl.Terms("_index", l.indices), Question(l.named)))
	}
	if len(clauses) == 0 {
		return dsl.Clause{}
	}
	return dsl.Or(clauses...)
}

// Question asks about each hit of indices of one mapping, which must be asked something. Each hit
// has [event.Answered] among its matched queries then.
func Question(named []dsl.Clause) dsl.Clause {
	return dsl.Or(append([]dsl.Clause{dsl.Named(event.Answered, dsl.Everything())}, named...)...)
}
