package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeRule makes a rule file from a query; the query's first line is line 14 of the file.
func writeRule(t *testing.T, query string) string {
	t.Helper()
	return writeFile(t, "rule.toml", `[rule]
author = ["esrule"]
description = "A rule of this test."
from = "now-9m"
index = ["logs-*"]
language = "eql"
license = "Apache-2.0"
name = "A rule of this test"
risk_score = 21
rule_id = "33333333-3333-4333-8333-333333333333"
severity = "low"
type = "eql"
query = '''
`+query+`
'''
`)
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A rule file with a mistake: the place, the line with a caret, what to do, and exit code 2, before
// anything is asked of a cluster.
func TestMalformedRules(t *testing.T) {
	t.Parallel()
	f := func(file string, want ...string) {
		t.Helper()
		for _, command := range []string{"run --once", "check", "setup"} {
			args := append(strings.Fields(command), "--rules", file)
			r := run(t, []string{"ESRULE_ELASTICSEARCH_URL=http://127.0.0.1:1"}, args...).want(t,
				2).says(t, want...)
			if r.stdout != "" {
				t.Errorf("%s: standard output: got %q, want none", r.args, r.stdout)
			}
		}
	}
	toml := writeFile(t, "rule.toml", "[rule]\nname = \"Never closed\nseverity = \"low\"\n")
	f(toml, toml+":2:", `name = "Never closed`, "^")
	missing := writeFile(t, "rule.toml", "[rule]\nname = \"No query\"\n")
	f(missing, missing+":", "query")
	query := writeRule(t, `process where process.name : process.parent.name`)
	f(query, query+":14:30: ", "    process where process.name : process.parent.name\n",
		strings.Repeat(" ", 4+29)+"^^^^^")
	two := writeRule(t, "process where process.name == or\n  file.path : (\"a\"")
	f(two, two+":14:", two+":15:")
	nowhere := filepath.Join(t.TempDir(), "nowhere.toml")
	f(nowhere, nowhere+": ")
}

// A rule of a kind that is not supported is skipped by name; with none left there is nothing to
// run.
func TestUnsupportedRule(t *testing.T) {
	t.Parallel()
	piped := writeRule(t, "process where true | head 5")
	run(t, nil, "check", "--rules", piped).want(t, 2).says(t, "A rule of this test", "pipe",
		"no rule is left")
}

// A misspelled variable would silently mean its default.
func TestUnknownVariable(t *testing.T) {
	t.Parallel()
	f := func(variable string, want ...string) {
		t.Helper()
		run(t, []string{variable}, "run", "--once").want(t, 2).says(t, want...).saysNot(t,
			"hunter2")
	}
	f("ESRULE_PASSWORD=hunter2", "ESRULE_PASSWORD: no such variable; the nearest is "+
		"ESRULE_ELASTICSEARCH_PASSWORD")
	f("ESRULE_SHEDULE=@hourly", "ESRULE_SHEDULE: no such variable; the nearest is ESRULE_SCHEDULE")
	f("ESRULE_ELASTIC_URL=http://u:hunter2@h:1", "the nearest is ESRULE_ELASTICSEARCH_URL")
}

// No cluster at the address: asked again for a bounded time, then exit code 1, and the address
// without its credentials.
func TestNoCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the cluster is given up; -short is set")
	}
	t.Parallel()
	r := run(t, []string{"ESRULE_ELASTICSEARCH_URL=http://elastic:hunter2@127.0.0.1:1"}, "run",
		"--once").want(t, 1)
	r.says(t, "does not answer yet", "no cluster answers", "http://127.0.0.1:1",
		"check ESRULE_ELASTICSEARCH_URL")
	r.saysNot(t, "hunter2")
}

// What answers there and is no Elasticsearch is not waited for.
func TestNotElasticsearch(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	run(t, []string{"ESRULE_ELASTICSEARCH_URL=" + other.URL}, "run", "--once").want(t, 1).says(t,
		"not Elasticsearch", other.URL)
}
