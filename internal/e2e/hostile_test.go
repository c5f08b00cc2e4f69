package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostileEvents are events of the shipped rule with something beside it that attacks whoever reads
// the answer or the line. Each is JSON text: how it is written is the attack.
func hostileEvents() map[string]string {
	repeat := strings.Repeat
	extra := map[string]string{
		"ends the hit":          `"x":"\"}},{\"_index\":\"forged\",\"_id\":\"1\",\"_source\":{}}],\"sort\":[1]}"`,
		"brackets":              `"x":"}]}]}]","[{":"{[{["`,
		"backslashes":           `"x":"\\","y":"\\\"","z":"\\\\\\"`,
		"comment":               `"x":1 /* "}} */`,
		"comment in comment":    `"x":1 /* /* "sort":[1]}, */, "y":"*/"`,
		"members of a hit":      `"a":{"_source":{"file":{"path":"no"}},"_index":"forged","sort":[9],"fields":{},"_id":"0"},"hits":{"hits":[{"_index":"forged"}]}`,
		"letter case":           `"FILE":{"path":"no"},"File":{"path":"no"},"EVENT":{"category":"process"}`,
		"huge integer":          `"x":` + repeat("9", 900),
		"huge exponent":         `"x":1e999999999,"y":-1E-999999999`,
		"100,000 elements":      `"x":["v"` + repeat(`,"v"`, 99_999) + `]`,
		"100,000 in the field":  `"user":{"name":["v"` + repeat(`,"v"`, 99_999) + `]}`,
		"10,000 keys":           `"x":{` + manyKeys(10_000) + `}`,
		"900 deep":              `"x":` + repeat(`{"a":`, 900) + `1` + repeat(`}`, 900),
		"900 arrays deep":       `"x":` + repeat(`[`, 900) + repeat(`]`, 900),
		"lone surrogate":        `"x":"\ud800 \udfff"`,
		"overlong UTF-8":        "\"x\":\"\xc0\xaf\"",
		"surrogate in UTF-8":    "\"x\":\"\xed\xa0\x80\"",
		"control characters":    `"x":"\u0000\u001b[31m\u009b31m\r\nlevel=ERROR msg=forged"`,
		"a log line in a value": `"user":{"name":"\u001b[2Jx\nlevel=ERROR msg=forged"}`,
		"HTML":                  `"user":{"name":"<script>alert(1)</script><img src=x onerror=alert(1)>"},"host.name":"</script>&amp;\u0022'"`,
	}
	all := map[string]string{}
	for name, more := range extra {
		all[name] = hostileEvent(name, more)
	}
	all["byte order mark"] = "\ufeff" + hostileEvent("byte order mark", `"x":1`)
	all["line breaks"] = "\r\n\t " + hostileEvent("line breaks", "\r\n\t\"x\"\r\n:\r\n1\r\n") +
		"\r\n"
	return all
}

func hostileEvent(id, more string) string {
	return fmt.Sprintf(`{"@timestamp":%q,"event":{"id":%q,"category":"file","type":"creation"},"host":{"os":{"type":"windows"}},`+
		`"process":{"name":"UMWorkerProcess.exe"},"file":{"name":"shell.aspx","extension":"aspx","path":"C:\\inetpub\\wwwroot\\aspnet_client\\shell.aspx"},%s}`,
		time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano), id, more)
}

func manyKeys(n int) string {
	var b bytes.Buffer
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"k%d":%d`, i, i)
	}
	return b.String()
}

// peak tells the most memory that a program held, for whoever reads the log.
func (p *process) peak() string { return peakMemory(p.cmd.ProcessState) }

// TestHostileEvents: whatever an event holds that Elasticsearch takes, it is judged, alerted on
// once, and in nobody's way; on pages of one hit and of all. Afterwards the report of it holds no
// markup of theirs.
func TestHostileEvents(t *testing.T) {
	s := newStage(t, "events-*")
	// dynamic: false, so that an event may be of any shape.
	s.Create(s.name("events-1"), ecs)
	odd := "events-" + url.PathEscape("\x1b[31m\nlevel=error")
	s.Create(s.name(odd), ecs)
	var want []string
	for name, event := range hostileEvents() {
		s.put("events-1", name, event)
		want = append(want, name)
	}
	s.put("events-1", "50 MB", hostileEvent("50 MB", `"x":"`+strings.Repeat("x", 50<<20)+`"`))
	s.put(odd, "odd index", hostileEvent("odd index", `"x":1`))
	want = append(want, "50 MB", "odd index")
	slices.Sort(want)

	for _, size := range []string{"1", "1000"} {
		one := stageOn(t, s.Cluster, s.prefix+"-"+size, []string(nil)...)
		one.patterns, one.more["PAGE_SIZE"] = s.patterns, size
		p := start(t, one.env(), "run", "--once")
		r := p.wait().want(t, 0).says(t, fmt.Sprintf("matched=%d created=%d ", len(want),
			len(want)), "failed=0").
			saysNot(t, "\x1b", "\nlevel=", "\u009b")
		t.Logf("pages of %s: %d events, the largest of 50 MB: %s", size, len(want), p.peak())
		if got := one.found(); !slices.Equal(got, want) {
			t.Errorf("events with a signal, on pages of %s:\n got %q\nwant %q\n%s", size, got, want,
				r.stderr)
		}
		one.wantWhole()
		one.run("check").want(t, 0).saysNot(t, "\x1b", "\nlevel=")
		one.run("status").want(t, 0).saysNot(t, "\x1b", "\nlevel=")
	}
	report := t.TempDir() + "/report.html"
	s.run("backfill", "--from", "now-1h", "--to", "now", "--report", report).want(t, 0).saysNot(t,
		"\x1b[31m", "\nlevel=")
	text, err := os.ReadFile(report)
	if err != nil || bytes.Contains(text, []byte("<script>alert(1)")) ||
		bytes.Contains(text, []byte("<img src=x")) {
		t.Errorf("the report (%d bytes, %v) holds an event's markup", len(text), err)
	}
}

// TestHostileLines: what Elasticsearch would not take comes in exports. A line that is no event is
// counted, named and passed over; the others are judged.
func TestHostileLines(t *testing.T) {
	t.Parallel()
	repeat := strings.Repeat
	bad := []string{
		hostileEvent("a", `"x":`+repeat("[", 10_000)+repeat("]", 10_000)),
		repeat("[", 1_000_000),
		repeat(`{"a":`, 1_000_000),
		"\xff\xfe{\x00}\x00",
		"\x1b[31m{}",
		hostileEvent("b", `"x":"cut`),
		`{"x":1 /* "}} */}`,
	}
	var good []string
	for name, event := range hostileEvents() {
		if !strings.Contains(name, "comment") && name != "byte order mark" { // those are no JSON
			good = append(good, strings.NewReplacer("\r\n", " ").Replace(event))
		}
	}
	good = append(good, hostileEvent("50 MB", `"x":"`+repeat("x", 50<<20)+`"`),
		hostileEvent("bad UTF-8", "\"x\":\"\xff\xfe\""))
	file := writeFile(t, "events.ndjson", strings.Join(bad, "\n")+"\n"+strings.Join(good, "\n")+
		"\n")
	p := start(t, nil, "scan", file)
	r := p.wait().want(t, 1)
	t.Logf("%d lines, the largest of 50 MB: %s", len(bad)+len(good), p.peak())
	if got := strings.Count(r.stdout, "\n"); got != len(good) {
		t.Errorf("got %d signals, want %d\n%.2000s", got, len(good), r.stderr)
	}
	for line := range strings.Lines(r.stdout) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %.300q", line)
		}
	}
	for n := range bad {
		r.says(t, fmt.Sprintf("%s:%d: ", file, n+1))
	}
	if strings.Contains(r.stderr, "\x1b") ||
		!strings.Contains(r.stderr, fmt.Sprintf("%d bad lines", len(bad))) {
		t.Errorf("standard error: %.2000q", r.stderr)
	}
}

// TestHostilePatterns: patterns that are slow to whoever backtracks or builds an automaton of them
// do not keep another rule from its events. One that costs too much is refused when the rules are
// read.
func TestHostilePatterns(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	for _, value := range []string{strings.Repeat("a", 30_000), strings.Repeat("ab", 15_000) +
		"c"} {
		event := match(time.Minute)
		event["file"].(map[string]any)["path"] = value
		event["long"] = len(value)
		s.put("events-1", fmt.Sprintf("long %d", len(value)), event)
	}
	s.put("events-1", "a", match(2*time.Minute))
	folder := t.TempDir()
	rule := func(name, query string) {
		text := fmt.Sprintf("[rule]\nname = %q\nrule_id = %q\ndescription = \"d\"\nrisk_score = "+
			"1\nseverity = \"low\"\ntype = \"eql\"\nlanguage = \"eql\"\nindex = [\"x-*\"]\nquery "+
			"= '''\n%s\n'''\n", name, name, query)
		if err := os.WriteFile(folder+"/"+url.PathEscape(name)+".toml", []byte(text),
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	stars := strings.Repeat("*a", 200)
	rule("stars", `file where file.path : "`+stars+`*b"`)
	rule("stars-like", `file where file.path like~ "`+stars+`*?b"`)
	rule("marks", `file where file.path : "`+strings.Repeat("*?a", 200)+`b"`)
	rule("nested", `file where file.path regex~ "((a*)*)*b"`)
	rule("either", `file where file.path regex "(a|a|aa)*(a|a)*b"`)
	rule("dots", `file where file.path regex~ "`+strings.Repeat(".*a", 60)+`b"`)
	rule("many", `file where file.path : (`+strings.Repeat(`"*a*a*b", `, 500)+`"*b")`)
	rule("plain", `file where file.path : "*aspnet_client*"`)
	r := s.run("run", "--once", "--rules", folder).want(t, 0)
	s.wantFound("a")
	r.says(t, `rule=plain`, "matched=1 created=1")
	r.says(t, "msg=run rules=8 ", "not_covered=0")
	for name, query := range map[string]string{
		"automaton": `file where file.path regex~ "(a|b)*a(a|b){3000}"`,
		"counted":   `file where file.path regex "((a{100}){100}){100}"`,
	} {
		rule(name, query)
		s.run("check", "--rules", folder+"/"+name+".toml").want(t, 2).says(t, name+".toml:")
	}
}

// TestOwnIndicesAreNotSearched: a pattern that is one of the program's own indices is refused
// wherever it comes from; one that matches more is searched without them.
func TestOwnIndicesAreNotSearched(t *testing.T) {
	t.Parallel()
	s := newStage(t, "*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.runOnce()
	// A signal that looks like an event of the rule, and is the newest of them.
	forged := match(time.Minute)
	s.Do(http.MethodPut, s.signalsIndex()+"/_doc/forged?refresh=true", forged)
	s.more["START"] = "2h"
	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0).says(t, "1 matched")
	s.runOnce().saysNot(t, "matched=2")

	for _, own := range []string{s.signalsIndex(), s.stateIndex(), s.deadLetterIndex()} {
		s.run("backfill", "--from", "now-1h", "--to", "now", "--index", own).want(t, 2).says(t, own,
			"one of the three indices that esrule writes")
		other := s.as(s.user, s.password)
		other.more["INDEX"] = own
		other.run("run", "--once").want(t, 2).says(t, "ESRULE_INDEX", own,
			"one of the three indices that esrule writes")
		file := writeFile(t, "rule.toml", fmt.Sprintf("[rule]\nname = \"n\"\nrule_id = "+
			"\"own\"\ndescription = \"d\"\nrisk_score = 1\nseverity = \"low\"\ntype = "+
			"\"eql\"\nlanguage = \"eql\"\nindex = [%q]\nquery = \"file where true\"\n", own))
		other.more["INDEX"] = ""
		other.run("check", "--rules", file).want(t, 2).says(t, "rule.toml", own,
			"one of the three indices that esrule writes")
	}
	for _, pattern := range []string{"_all", "-events-1", "<events-{now/d}>", "a,b", "Events-*",
		"_x", "a b", "a/b", "\x1b[31m"} {
		s.run("backfill", "--from", "now-1h", "--to", "now", "--index", pattern).want(t, 2).says(t,
			"--index").saysNot(t, "\x1b")
	}
}
