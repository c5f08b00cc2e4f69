package prefilter

import (
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
)

// Timestamps are the fields by which a rule's window is searched (elastic-engine.md §1).
type Timestamps struct {
	// Primary is the field that orders events, usually @timestamp.
	Primary string
	// Override is the field that a rule prefers where an event has it, usually event.ingested; may
	// be empty.
	Override string
	// NoFallback: an event without the override is in no window.
	NoFallback bool
}

// Fields lists the fields whose mappings [Between] needs.
func (t Timestamps) Fields() []string {
	if t.Override == "" || t.Override == t.Primary {
		return []string{t.Primary}
	}
	return []string{t.Primary, t.Override}
}

// Between accepts the events of the half-open window [from, to); a zero time is no bound. An event
// is placed by the override where it has one and its index maps it as a date, otherwise by the
// primary.
func Between(m *event.Mapping, t Timestamps, from, to time.Time) dsl.Clause {
	if from.IsZero() && to.IsZero() {
		return dsl.Everything() // an event without a time too
	}
	byPrimary := dsl.Between(t.Primary, from, to)
	if t.Override == "" || t.Override == t.Primary {
		return byPrimary
	}
	if !m.Fields[t.Override].IsDate() {
		if t.NoFallback {
			return dsl.Nothing()
		}
		return byPrimary
	}
	byOverride := dsl.Between(t.Override, from, to)
	if t.NoFallback {
		return byOverride
	}
	return dsl.Or(byOverride, dsl.And(byPrimary, dsl.Not(dsl.Exists(t.Override))))
}

// Class is one class of indices with the clauses that suit its mapping: the window, by [Between],
// and the pre-filter, by [Build].
type Class struct {
	Indices []string
	Window  dsl.Clause
	Filter  dsl.Clause
}

// Guarded puts the classes into one query, each guarded by its indices' names, since a clause on
// the wrong type fails the shard. unseen is for documents of an index that no class names: one
// whose mapping could not be read is searched all the same, for its hits to tell of it, and so are
// the classes beyond those that fit into a query. Each shard resolves a guard before it searches:
// it costs nothing.
func Guarded(classes []Class, unseen dsl.Clause) dsl.Clause {
	return GuardedBeside(0, classes, unseen)
}

// GuardedBeside is [Guarded] for a search that has so many clauses beside the query.
func GuardedBeside(clauses int, classes []Class, unseen dsl.Clause) dsl.Clause {
	return guarded(fitting(classes, clauses), unseen)
}

func guarded(classes []Class, unseen dsl.Clause) dsl.Clause {
	if len(classes) == 0 {
		return unseen
	}
	var clauses []dsl.Clause
	var named []string
	for _, c := range classes {
		named = append(named, c.Indices...)
		clauses = append(clauses, dsl.And(dsl.Terms("_index", c.Indices), c.Window, c.Filter))
	}
	clauses = append(clauses, dsl.And(dsl.Not(dsl.Terms("_index", named)), unseen))
	return dsl.Or(clauses...)
}

// Anytime accepts the events of a window whose index is not known: by either timestamp.
func Anytime(t Timestamps, from, to time.Time) dsl.Clause {
	if from.IsZero() && to.IsZero() {
		return dsl.Everything()
	}
	var clauses []dsl.Clause
	for _, field := range t.Fields() {
		clauses = append(clauses, dsl.Between(field, from, to))
	}
	return dsl.Or(clauses...)
}
