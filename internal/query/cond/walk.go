package cond

import "slices"

// Walk visits e and what is below it from left to right, each node before its parts; the parts of a
// node are left out where visit returns false.
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
	case *Is:
		Walk(e.Field, visit)
		Walk(e.Value, visit)
	case *Wildcard:
		Walk(e.Field, visit)
	case *Exists:
		Walk(e.Field, visit)
	case *Glob:
		Walk(e.Field, visit)
	case *Order:
		Walk(e.Field, visit)
		Walk(e.Value, visit)
	case *Nested:
		Walk(e.Operand, visit)
	case *Field, *Literal:
	}
}

func walkAll(list []Expr, visit func(Expr) bool) {
	for _, e := range list {
		Walk(e, visit)
	}
}

// Fields returns the fields below an expression in the order in which they first appear, each path
// once.
func Fields(e Expr) []*Field {
	var fields []*Field
	seen := make(map[string]bool)
	Walk(e, func(e Expr) bool {
		if f, ok := e.(*Field); ok && !seen[f.Path] {
			seen[f.Path] = true
			fields = append(fields, f)
		}
		return true
	})
	return fields
}

// IsConstant reports whether there is no field in an expression.
func IsConstant(e Expr) bool { return len(Fields(e)) == 0 }

// Constants returns the texts that a condition compares its fields with, by the fields' paths.
func Constants(e Expr) map[string][]string {
	texts := map[string][]string{}
	add := func(subject, constant Expr) {
		field, isField := subject.(*Field)
		literal, isLiteral := constant.(*Literal)
		if isField && isLiteral && literal.Kind == String &&
			!slices.Contains(texts[field.Path], literal.Text) {
			texts[field.Path] = append(texts[field.Path], literal.Text)
		}
	}
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Compare:
			add(e.Left, e.Right)
			add(e.Right, e.Left)
		case *In:
			for _, constant := range e.List {
				add(e.Subject, constant)
			}
		case *Is:
			add(e.Field, e.Value)
		case *Order:
			add(e.Field, e.Value)
		}
		return true
	})
	return texts
}
