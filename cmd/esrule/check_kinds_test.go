package main

import (
	"bytes"
	"strings"
	"testing"
)

// check ends with how many rules of each type run, and how many are skipped, and why.
func TestCheckCountsTypes(t *testing.T) {
	esql := strings.NewReplacer(`language = "eql"`, `language = "esql"`, `type = "eql"`,
		`type = "esql"`).Replace(ruleText("b", "b"))
	setEnvironment(t)
	var out bytes.Buffer
	code := run(t.Context(), newApp(strings.NewReader(""), &out, &out), []string{"check", "--rules",
		writeFile(t, "a.toml", ruleText("a", "a")), "--rules", writeFile(t, "b.toml", esql)})
	want := "The rules by type:\n  run  skipped  type\n    1        0  eql\n" +
		"    0        1  esql (1 type esql)\n"
	if code != int(exitCovered) || !strings.HasSuffix(out.String(), want) {
		t.Errorf("got exit code %d and\n%s\nwant 0 and at the end\n%s", code, out.String(), want)
	}
}
