package prefilter

import (
	"slices"

	"esrule/internal/elastic/dsl"
	"esrule/internal/query/cond"
)

// Elasticsearch refuses a query beyond 1,024 leaf clauses or 30 nested bools. The rest is room for
// what the search puts around a pre-filter: time, guards by index, the program's own indices.
const (
	maxLeaves = 900
	maxDepth  = 22
	// maxClasses times the five clauses of a window and its guard stays below maxLeaves with room
	// for the pre-filters. Patterns whose indices differ that much are rare.
	maxClasses = 80
)

// fitting gives the classes that one query has room for beside so many clauses, those of most
// indices first, and gives up the heaviest parts of their pre-filters until all fit.
func fitting(classes []Class, beside int) []Class {
	fit := slices.Clone(classes)
	slices.SortStableFunc(fit, func(a, b Class) int { return len(b.Indices) - len(a.Indices) })
	fit = fit[:min(len(fit), maxClasses)]
	for {
		heaviest, sum := 0, beside
		for i, c := range fit {
			sum += c.Window.Leaves() + c.Filter.Leaves() + 1
			if c.Filter.Leaves() > fit[heaviest].Filter.Leaves() {
				heaviest = i
			}
		}
		if sum <= maxLeaves || fit[heaviest].Filter.Leaves() == 1 {
			return fit
		}
		fit[heaviest].Filter = lighter(fit[heaviest].Filter)
	}
}

// withinLimits gives up parts of a pre-filter, never its correctness, until Elasticsearch takes it:
// what is too deep, then the operands of the outermost `and` with the most clauses.
func (b *builder) withinLimits(condition cond.Expr, c dsl.Clause) dsl.Clause {
	before := c.Leaves()
	c = shallower(c, maxDepth)
	for c.Leaves() > maxLeaves {
		c = lighter(c)
	}
	if c.Leaves() != before {
		b.omit(
			condition,
			"beyond Elasticsearch's limits on clauses and depth: its largest parts are judged by "+
				"the matcher alone",
		)
	}
	return c
}

// shallower replaces what is nested deeper than n by everything.
func shallower(c dsl.Clause, n int) dsl.Clause {
	if len(c.Operands()) == 0 || c.Kind() == dsl.KindNot {
		return c // less of what a negation holds would be more refused
	}
	if n == 0 {
		return dsl.Everything()
	}
	operands := make([]dsl.Clause, len(c.Operands()))
	for i, operand := range c.Operands() {
		operands[i] = shallower(operand, n-1)
	}
	return combineLike(c, operands)
}

// lighter gives up the heaviest operand of an `and`, or the whole of anything else.
func lighter(c dsl.Clause) dsl.Clause {
	if c.Kind() != dsl.KindAnd {
		return dsl.Everything()
	}
	heaviest := 0
	for i, operand := range c.Operands() {
		if operand.Leaves() > c.Operands()[heaviest].Leaves() {
			heaviest = i
		}
	}
	operands := append([]dsl.Clause(nil), c.Operands()...)
	operands[heaviest] = dsl.Everything()
	return dsl.And(operands...)
}

// combineLike joins operands as c joins its own, which is an and or an or.
func combineLike(c dsl.Clause, operands []dsl.Clause) dsl.Clause {
	if c.Kind() == dsl.KindAnd {
		return dsl.And(operands...)
	}
	return dsl.Or(operands...)
}
