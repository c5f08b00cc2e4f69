package main

import (
	"io"
	"strings"
	"testing"
)

// Every command is there once and shows how it is used, and says what it is in one line.
func TestCommands(t *testing.T) {
	root := newRootCommand(newApp(strings.NewReader(""), io.Discard, io.Discard))
	seen := map[string]bool{}
	for _, cmd := range root.Commands() {
		name := cmd.Name()
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		if name == "help" {
			continue // cobra's own
		}
		if !strings.Contains(cmd.Example, "esrule "+name) {
			t.Errorf("%s: the example does not show it: %q", name, cmd.Example)
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") ||
			strings.Contains(cmd.Short, "\n") {
			t.Errorf("%s: %q is not a line without a full stop", name, cmd.Short)
		}
		if cmd.RunE == nil || cmd.Run != nil {
			t.Errorf("%s: has to return its error, through RunE", name)
		}
	}
	for _, name := range []string{"run", "setup", "check", "explain", "status", "version"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}
