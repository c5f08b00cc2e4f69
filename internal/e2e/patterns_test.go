package e2e

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A rule with a wrong index pattern does not run, by name and with exit code 1; the others do.
// Other patterns in place of the rules' own let it run.
func TestBadPatternConcernsOneRule(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Create(s.name("events-1"), ecs)
	const query = `file where file.extension == "aspx"`
	ruleOver := func(name, index string) string {
		text := contentOf(t, writeRule(t, query))
		text = strings.ReplaceAll(text, `["logs-*"]`, index)
		text = strings.ReplaceAll(text, "33333333-3333-4333-8333-333333333333", name)
		return writeFile(t, name+".toml", strings.ReplaceAll(text, "A rule of this test\"",
			name+"\""))
	}
	good := ruleOver("good", `["`+s.name("events-*")+`"]`)
	f := func(why, index, want string) {
		t.Helper()
		bad := ruleOver("bad", index)
		s.put("events-1", why, match(time.Minute))
		rules := []string{"--rules", good, "--rules", bad}
		named := []string{"bad.toml:", want}
		s.run(append([]string{"run", "--once"}, rules...)...).want(t, 1).says(t, named...)
		s.run(append([]string{"status"}, rules...)...).want(t, 1).says(t, named...)
		s.run(append([]string{"check"}, rules...)...).want(t, 3).says(t, named...)
		s.run("run", "--once", "--rules", bad).want(t, 2).says(t, named...)
	}
	f("date math", `["<logs-{now/d}>"]`, "is date math")
	f("beside a good one", `["`+s.name("events-*")+`", "Logs-*"]`, "capital letter")
	f("empty", `[""]`, "is empty")
	f("none", `[]`, "index is empty")
	f("blank", `[" logs-*"]`, "holds a space")
	f("comma", `["a,b"]`, "holds a comma")
	f("no name", `[".."]`, "is no name")
	f("all", `["_all"]`, "stands for every index")
	f("only excludes", `["-logs-x"]`, "only excludes")
	f("no text", `[3]`, "must be text")
	f("no list", `"logs-*"`, "must be a list of texts")
	f("own", `["`+s.signalsIndex()+`"]`, "one of the three indices that esrule writes")
	s.wantFound("all", "beside a good one", "blank", "comma", "date math", "empty", "no list",
		"no name",
		"no text", "none", "only excludes", "own")

	s.put("events-1", "other patterns", match(time.Minute))
	s.more["INDEX"] = s.name("events-*")
	s.run("run", "--once", "--rules", ruleOver("bad", `["<logs-{now/d}>"]`)).want(t, 0)
}

// An exclusion that names an alias takes nothing out in Elasticsearch: run and check say so.
func TestExcludedAlias(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.Do("PUT", s.name("events-1")+"/_alias/"+s.name("events-old"), nil)
	s.put("events-1", "a", match(time.Minute))
	f := func(exclusion string, nothing bool) {
		t.Helper()
		s.patterns = []string{s.name("events-*"), "-" + s.name(exclusion)}
		for _, args := range [][]string{{"run", "--once"}, {"check"}} {
			r := s.run(args...)
			if got := strings.Contains(r.stdout+r.stderr, "takes nothing out"); got != nothing {
				t.Errorf("%v without %s: said %v that it takes nothing out, want %v\n%s", args,
					exclusion, got, nothing, r.stderr)
			}
		}
	}
	f("events-old", true)
	f("events-none", false)
	s.wantFound("a")
	f("events-old*", false)
	f("events-1", false)
}

func contentOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
