package lint

import (
	"slices"

	"github.com/agext/levenshtein"

	"esrule/internal/query/eql"
)

// never looks for a comparison that can never be true, whatever a field holds.
func (l *linter) never(x *eql.Compare) {
	subject, op, constant := x.Left, x.Op, x.Right
	if _, ok := subject.(*eql.Literal); ok {
		subject, op, constant = constant, op.Turned(), subject
	}
	c, ok := constant.(*eql.Literal)
	if !ok {
		return
	}
	byOrder := op != eql.Equal && op != eql.NotEqual
	if c.Kind == eql.Null && byOrder {
		l.doubt(x, "Write == null or != null.", "nothing is less or greater than null, so this is never true")
		return
	}
	if call, isCall := subject.(*eql.Call); isCall && c.Kind == eql.Int {
		l.countNever(x, call, op, c.Int)
	}
}

// countNever knows that lengths and positions are not below zero.
func (l *linter) countNever(x eql.Expr, call *eql.Call, op eql.CompareOp, n int64) {
	if call.Name != "length" && call.Name != "indexOf" {
		return
	}
	if op == eql.Less && n <= 0 || (op == eql.LessOrEqual || op == eql.Equal) && n < 0 {
		l.doubt(x, "", "%s is never below 0, so this is never true", call.Name)
	}
}

// nulls looks at a list of nothing but null, which is dropped from lists.
func (l *linter) nulls(x *eql.In) {
	for _, item := range x.List {
		if c, ok := item.(*eql.Literal); !ok || c.Kind != eql.Null {
			return
		}
	}
	l.doubt(x, "Write == null where a missing field is meant.", "a list passes over null, so this is never true")
}

// closed are the fields for which the Elastic Common Schema prescribes the values.
func closed(path string) []string {
	switch path {
	case "event.category":
		return []string{"api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam", "intrusion_detection", "library", "malware", "network", "package", "process", "registry", "session", "threat", "vulnerability", "web"}
	case "event.kind":
		return []string{"alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"}
	case "event.outcome":
		return []string{"failure", "success", "unknown"}
	case "event.type":
		return []string{"access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "device", "end", "error", "group", "indicator", "info", "installation", "protocol", "start", "user"}
	case "host.os.type":
		return []string{"android", "ios", "linux", "macos", "unix", "windows"}
	}
	return nil
}

// misspelt gives the prescribed value that a text is one slip away from, or nothing: sources have values of their own.
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
