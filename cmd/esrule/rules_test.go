package main

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/config"
	"esrule/internal/query/rule"
)

// ruleText is a rule that is good as it stands.
func ruleText(id, name string) string {
	return `[rule]
author = ["esrule"]
description = "A process that is called ` + name + `."
from = "now-9m"
index = ["logs-*"]
language = "eql"
license = "Apache-2.0"
name = "` + name + `"
risk_score = 21
rule_id = "` + id + `"
severity = "low"
type = "eql"
query = '''
process where process.name : "` + name + `"
'''
`
}

func TestLoadRules(t *testing.T) {
	const (
		builtIn = rule.ID("6cd1779c-560f-4b68-a8f1-11009b27fe63")
		one     = rule.ID("11111111-1111-4111-8111-111111111111")
		two     = rule.ID("22222222-2222-4222-8222-222222222222")
	)
	fileOne, fileTwo := writeFile(t, "one.toml", ruleText(string(one), "one.exe")),
		writeFile(t, "two.toml", ruleText(string(two), "two.exe"))

	f := func(flags, variable []string, want ...rule.ID) {
		t.Helper()
		a := newApp(strings.NewReader(""), io.Discard, io.Discard)
		a.rulePaths = flags
		set, err := a.loadRules(config.Config{Rules: variable})
		if err != nil {
			t.Errorf("--rules %q, ESRULE_RULES %q: %v", flags, variable, err)
			return
		}
		var got []rule.ID
		for _, r := range set.Rules {
			got = append(got, r.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("--rules %q, ESRULE_RULES %q (-want +got):\n%s", flags, variable, diff)
		}
	}
	f(nil, nil, builtIn)
	f(nil, []string{fileOne}, one)
	f([]string{fileTwo}, []string{fileOne}, two)
	f([]string{filepath.Dir(fileOne), fileTwo}, nil, one, two)
}

// Every mistake in every file is told at once, and the exit code says that the rules are wrong.
func TestLoadRulesMalformed(t *testing.T) {
	good := ruleText("11111111-1111-4111-8111-111111111111", "one.exe")
	query := writeFile(t, "query.toml",
		strings.Replace(good, `: "one.exe"`, `: process.parent.name`, 1))
	syntax := writeFile(t, "syntax.toml", "[rule\n")
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	_, err := a.loadRules(config.Config{Rules: []string{query, syntax, "nowhere"}})
	checkRefused(t, err, "the rules cannot be read:\n"+query+":14:", "^^^", "\n"+syntax+":1",
		"\nnowhere: ")
	if coded, ok := errors.AsType[*exitError](err); !ok || coded.code != exitUsage {
		t.Errorf("got %#v, want exit code %d", err, exitUsage)
	}
}

// Flags choose rules in place of their variables, and a value that fits none ends the command.
func TestChooseRules(t *testing.T) {
	tagged := func(id, tag string) string {
		return writeFile(t, id+".toml", strings.Replace(ruleText(id, id), "[rule]",
			"[rule]\ntags = [\""+tag+"\"]", 1))
	}
	paths := []string{"--rules", tagged("a", "Linux"), "--rules", tagged("b", "Windows")}
	f := func(variable string, code exitCode, want string, flags ...string) {
		t.Helper()
		setEnvironment(t, variable)
		var out, errOut bytes.Buffer
		got := run(t.Context(), newApp(strings.NewReader(""), &out, &errOut),
			append(append([]string{"check"}, paths...), flags...))
		both := out.String() + errOut.String()
		if got != int(code) || !strings.Contains(both, want) {
			t.Errorf("%s, %q: got exit code %d and %s, want %d and %q", variable, flags, got, both,
				code, want)
		}
	}
	f("ESRULE_TAG=", exitCovered, "2 rules checked")
	f("ESRULE_TAG=linux", exitCovered,
		"1 rules checked, 0 skipped, 0 problems\n1 rules are left out")
	f("ESRULE_TAG=linux", exitCovered, "b (b)", "--tag", "Windows")
	f("ESRULE_EXCLUDE_RULE=a", exitCovered, "b (b)")
	f("ESRULE_SEVERITY=low", exitCovered, "a (a)", "--rule-id", "a")
	f("ESRULE_RULE_ID=c", exitUsage, `--rule-id "c" (ESRULE_RULE_ID) fits no rule`)
	f("ESRULE_TAG=", exitUsage, `the nearest is "Windows"`, "--tag", "Widnows")
}
