package lint

import (
	"slices"

	"github.com/agext/levenshtein"

	"esrule/internal/finding"
	"esrule/internal/query/cond"
)

// never looks for a comparison that can never be true, whatever a field holds.
func (l *linter) never(x *cond.Compare) {
	if l.constants(x, x.Left, x.Right) {
		return
	}
	subject, op, constant := x.Left, x.Op, x.Right
	if _, ok := subject.(*cond.Literal); ok {
		subject, op, constant = constant, op.Turned(), subject
	}
	c, ok := constant.(*cond.Literal)
	if !ok {
		return
	}
	byOrder := op != cond.Equal && op != cond.NotEqual
	if c.Kind == cond.Null && byOrder {
		l.doubt(x, finding.ComparedWithNull, "Write == null or != null.",
			"nothing is less or greater than null, so this is never true")
		return
	}
	if call, isCall := subject.(*cond.Call); isCall && c.Kind == cond.Int {
		l.countNever(x, call, op, c.Int)
	}
}

// countNever knows that lengths and positions are not below zero.
func (l *linter) countNever(x cond.Expr, call *cond.Call, op cond.CompareOp, n int64) {
	if call.Name != "length" && call.Name != "indexOf" {
		return
	}
	if op == cond.Less && n <= 0 || (op == cond.LessOrEqual || op == cond.Equal) && n < 0 {
		l.doubt(x, finding.NeverNegative, "", "%s is never below 0, so this is never true",
			call.Name)
	}
}

// nulls looks at a list with null in it, which is dropped from lists.
func (l *linter) nulls(x *cond.In) {
	nulls := 0
	for _, item := range x.List {
		if isNull(item) {
			nulls++
		}
	}
	always := "never"
	if x.Negated {
		always = "always"
	}
	switch {
	case nulls == 0:
	case nulls < len(x.List):
		l.doubt(x, finding.ComparedWithNull, "Write or field == null where a missing field is "+
			"meant too, and field != "+
			"null where it is not.",
			"a list passes over null, which so makes no difference")
	default:
		l.doubt(x, finding.ComparedWithNull, "Write == null where a missing field is meant, != "+
			"null where it is not.",
			"a list passes over null, so this is %s true", always)
	}
}

func isNull(x cond.Expr) bool {
	c, ok := x.(*cond.Literal)
	return ok && c.Kind == cond.Null
}

// nullOperands looks at null where a condition has to be.
func (l *linter) nullOperands(operands ...cond.Expr) {
	for _, x := range operands {
		if isNull(x) {
			l.doubt(x, finding.ComparedWithNull, "Write field == null.",
				"null is neither true nor false, so this is never true")
		}
	}
}

// constants looks at an expression that compares constants with each other: most often a field's
// name in quotes.
func (l *linter) constants(x cond.Expr, operands ...cond.Expr) bool {
	for _, operand := range operands {
		if _, ok := operand.(*cond.Literal); !ok {
			return false
		}
	}
	advice := ""
	if name, ok := operands[0].(*cond.Literal); ok && name.Kind == cond.String {
		advice = "If a field is meant, write its name without quotes: " + name.Text + "."
	}
	l.doubt(x, finding.ConstantsCompared, advice,
		"constants are compared with each other, so this is the same for every event")
	return true
}

// call looks at the arguments of a function.
func (l *linter) call(x *cond.Call) {
	for i, argument := range x.Args {
		if isNull(argument) && !mayBeNull(x.Name, i) {
			l.doubt(x, finding.ComparedWithNull,
				"Write field == null where a missing field is meant.",
				"%s of null has no value, so this is never true", x.Name)
			return
		}
		if c, ok := argument.(*cond.Literal); ok && i > 0 && c.Kind == cond.String &&
			x.Name != "concat" {
			l.backslashes(c)
		}
	}
}

// mayBeNull reports whether an argument stands for "not given".
func mayBeNull(function string, argument int) bool {
	switch function {
	case "substring":
		return argument > 0
	case "indexOf":
		return argument == 2
	case "number":
		return argument == 1
	}
	return false
}

// closed are the fields for which the Elastic Common Schema prescribes the values.
func closed(path string) []string {
	switch path {
	case "event.category":
		return []string{"api", "authentication", "configuration", "database", "driver", "email",
			"file", "host", "iam", "intrusion_detection", "library", "malware", "network",
			"package",
			"process", "registry", "session", "threat", "vulnerability", "web"}
	case "event.kind":
		return []string{"alert", "asset", "enrichment", "event", "metric", "pipeline_error",
			"signal", "state"}
	case "event.outcome":
		return []string{"failure", "success", "unknown"}
	case "event.type":
		return []string{"access", "admin", "allowed", "change", "connection", "creation",
			"deletion", "denied", "device", "end", "error", "group", "indicator", "info",
			"installation", "protocol", "start", "user"}
	case "host.os.type":
		return []string{"android", "ios", "linux", "macos", "unix", "windows"}
	}
	return nil
}

// misspelt returns the prescribed value that a text is one slip away from, or nothing: sources have
// values of their own.
func misspelt(path, text string) (string, bool) {
	values := closed(path)
	if slices.Contains(values, text) {
		return "", false
	}
	for _, value := range values {
		if len(value) > 3 && (levenshtein.Distance(text, value, nil) == 1 || swapped(text, value)) {
			return value, true
		}
	}
	return "", false
}
