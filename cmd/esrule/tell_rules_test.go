package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esrule/internal/query/rule"
)

// Many rules that are skipped for one reason are one line.
func TestManySkippedAreOneLine(t *testing.T) {
	f := func(why string, skipped []rule.Skipped, want ...string) {
		t.Helper()
		var text bytes.Buffer
		warnSkipped(skipped, slog.New(slog.NewTextHandler(&text, nil)))
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%s: got %d lines, want %d:\n%s", why, len(lines), len(want), text.String())
		}
		for i, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%s: got %s, want %s in it", why, lines[i], part)
			}
		}
	}
	of := func(n int, kind, reason string) (all []rule.Skipped) {
		for i := range n {
			all = append(all, rule.Skipped{ID: rule.ID(fmt.Sprint(kind, i)), Name: "N", File: "f",
				Kind: kind, Reason: reason})
		}
		return all
	}
	f("few", of(2, "esql", "no"), `msg="a rule is skipped" rule=esql0 name=N file=f kind=esql `+
		`reason=no`, `rule=esql1`)
	f("many of one kind", append(of(152, "sequence", "no"), of(1, "esql", "nor")...),
		`msg="rules of one kind are skipped; esrule check names each" count=152 `+
			`first="[sequence0 sequence1 sequence2 sequence3 sequence4]" kind=sequence reason=no`,
		`msg="a rule is skipped" rule=esql0`)
}
