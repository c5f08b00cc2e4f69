package eql

// Walk visits e and what is below it from left to right, each node before its parts; the parts of a node are left out
// where visit returns false.
func Walk(e Expr, visit func(Expr) bool) {
	if !visit(e) {
		return
	}
	switch e := e.(type) {
	case *And:
		walkAll(e.Operands, visit)
	case *Or:
		walkAll(e.Operands, visit)
	case *Not:
		Walk(e.Operand, visit)
	case *Compare:
		Walk(e.Left, visit)
		Walk(e.Right, visit)
	case *In:
		Walk(e.Subject, visit)
		walkAll(e.List, visit)
	case *Like:
		Walk(e.Subject, visit)
		for _, pattern := range e.Patterns {
			Walk(pattern, visit)
		}
	case *Binary:
		Walk(e.Left, visit)
		Walk(e.Right, visit)
	case *Negate:
		Walk(e.Operand, visit)
	case *Call:
		walkAll(e.Args, visit)
	case *Field, *Literal:
	}
}

func walkAll(list []Expr, visit func(Expr) bool) {
	for _, e := range list {
		Walk(e, visit)
	}
}

// Fields gives the fields of the condition in the order in which they first appear, each path once. The field of the event category is
// not among them: the text does not name it.
func Fields(q *Query) []*Field {
	var fields []*Field
	seen := make(map[string]bool)
	Walk(q.Where, func(e Expr) bool {
		if f, ok := e.(*Field); ok && !seen[f.Path] {
			seen[f.Path] = true
			fields = append(fields, f)
		}
		return true
	})
	return fields
}
