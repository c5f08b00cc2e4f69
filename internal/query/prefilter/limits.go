package prefilter

import "esrule/internal/query/eql"

// Elasticsearch refuses a query beyond 1,024 leaf clauses or 30 nested bools. The rest is room for what
// the search puts around a pre-filter: time, guards by index, the program's own indices.
const (
	maxLeaves = 900
	maxDepth  = 22
)

// withinLimits gives up parts of a pre-filter, never its correctness, until Elasticsearch takes it:
// what is too deep, then the operands of the outermost `and` with the most clauses.
func (b *builder) withinLimits(condition eql.Expr, c Clause) Clause {
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
	if len(c.operands) == 0 {
		return c
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

// combineLike joins operands as c joins its own. A pre-filter of a rule holds no negation.
func combineLike(c Clause, operands []Clause) Clause {
	if c.kind == and {
		return And(operands...)
	}
	return Or(operands...)
}
