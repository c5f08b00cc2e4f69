package prefilter

import (
	"slices"

	"esrule/internal/query/cond"
)

// Elasticsearch refuses a query beyond 1,024 leaf clauses or 30 nested bools. The rest is room for what
// the search puts around a pre-filter: time, guards by index, the program's own indices.
const (
	maxLeaves = 900
	maxDepth  = 22
	// maxClasses times the five clauses of a window and its guard stays below maxLeaves with room for
	// the pre-filters. Patterns whose indices differ that much are rare.
	maxClasses = 80
)

// fitting gives the classes that one query has room for, those of most indices first, and gives up the
// heaviest parts of their pre-filters until all fit.
func fitting(classes []Class) []Class {
	fit := slices.Clone(classes)
	slices.SortStableFunc(fit, func(a, b Class) int { return len(b.Indices) - len(a.Indices) })
	fit = fit[:min(len(fit), maxClasses)]
	for {
		heaviest, sum := 0, 0
		for i, c := range fit {
			sum += c.Window.leaves() + c.Filter.leaves() + 1
			if c.Filter.leaves() > fit[heaviest].Filter.leaves() {
				heaviest = i
			}
		}
		if sum <= maxLeaves || fit[heaviest].Filter.leaves() == 1 {
			return fit
		}
		fit[heaviest].Filter = fit[heaviest].Filter.lighter()
	}
}

// withinLimits gives up parts of a pre-filter, never its correctness, until Elasticsearch takes it:
// what is too deep, then the operands of the outermost `and` with the most clauses.
func (b *builder) withinLimits(condition cond.Expr, c Clause) Clause {
	before := c.leaves()
	c = c.shallower(maxDepth)
	for c.leaves() > maxLeaves {
		c = c.lighter()
	}
	if c.leaves() != before {
		b.omit(condition, "beyond Elasticsearch's limits on clauses and depth: its largest parts are judged by the matcher alone")
	}
	return c
}

// shallower replaces what is nested deeper than n by everything.
func (c Clause) shallower(n int) Clause {
	if len(c.operands) == 0 || c.kind == not {
		return c // less of what a negation holds would be more refused
	}
	if n == 0 {
		return Everything()
	}
	operands := make([]Clause, len(c.operands))
	for i, operand := range c.operands {
		operands[i] = operand.shallower(n - 1)
	}
	return combineLike(c, operands)
}

// lighter gives up the heaviest operand of an `and`, or the whole of anything else.
func (c Clause) lighter() Clause {
	if c.kind != and {
		return Everything()
	}
	heaviest := 0
	for i, operand := range c.operands {
		if operand.leaves() > c.operands[heaviest].leaves() {
			heaviest = i
		}
	}
	operands := append([]Clause(nil), c.operands...)
	operands[heaviest] = Everything()
	return And(operands...)
}

// combineLike joins operands as c joins its own, which is an and or an or.
func combineLike(c Clause, operands []Clause) Clause {
	if c.kind == and {
		return And(operands...)
	}
	return Or(operands...)
}
