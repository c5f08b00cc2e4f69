package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A pattern without an index keeps nobody from searching the others, and check says it.
func TestPatternWithoutIndex(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*", "nothing-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.runOnce().says(t, `level=WARN msg="no index that may be read matches a pattern: nothing is searched there until one does" pattern=`+s.name("nothing-*"))
	s.wantFound("a")
	s.run("check").want(t, 0).says(t, s.name("nothing-*")+": 0 indices",
		"no index matches the pattern")
}

// A field of the rule that an index does not map is missing in its events. check says whether the
// rule can fire without. An exclusion takes out of the patterns before it, and a pattern that is
// not searched stays open by its name while the others are searched.
func TestPatternsOfARule(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*", "other-*")
	for _, name := range []string{"events-1", "events-old", "other-old"} {
		s.Create(s.name(name), ecs)
		s.put(name, name, match(time.Minute))
	}
	s.patterns = slices.Insert(s.patterns, 1, "-"+s.name("*-old"))
	s.runOnce()
	s.wantFound("events-1", "other-old")
	s.wantWhole()
	s.run("check").want(t, 0).saysNot(t, s.name("events-old"))
	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0).says(t, "0 signals created")

	for _, pattern := range []string{"far:logs-*", "logs-x::failures"} {
		s.patterns = append(s.patterns[:3:3], pattern)
		s.run("run", "--once").want(t, 1).says(t, pattern, "open")
		s.run("check").want(t, 3).says(t, pattern, "not searched")
		s.run("status").want(t, 1).says(t, pattern)
		s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 1).says(t, pattern).
			saysNot(t, "came and went")
	}
	s.patterns = s.patterns[:3]
	s.runOnce() // what is not the rule's any more is not waited for
	s.wantWhole()

	s.patterns = []string{"-" + s.name("*-old"), s.name("events-*")}
	s.run("run", "--once").want(t, 2).says(t, "no pattern with * before it")
}

func TestMappingLacksField(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	const without = `{"mappings": {"dynamic": false, "properties": {"@timestamp": {"type": "date"},
		"event": {"properties": {"category": {"type": "keyword"}, "type": {"type": "keyword"}}},
		"host": {"properties": {"os": {"properties": {"type": {"type": "keyword"}}}}},
		"process": {"properties": {"name": {"type": "keyword"}}},
		"file": {"properties": {"path": {"type": "keyword"}, `
	s.Create(s.name("events-no-name"), without+`"extension": {"type": "keyword"}}}}}}`)
	s.put("events-no-name", "can-fire", match(time.Minute))
	s.run("check").want(t, 0).says(t, s.name("events-no-name"), "not mapped", "file.name",
		"event.ingested")

	s.Create(s.name("events-no-extension"), without+`"name": {"type": "keyword"}}}}}}`)
	s.put("events-no-extension", "never", match(time.Minute))
	s.run("check").want(t, 3).says(t, s.name("events-no-extension")+
		": the rule can never fire: not mapped: ", "file.extension", "1 problem")

	s.runOnce()
	s.wantFound("can-fire")
}

// An index without _source cannot be judged: it is named and stays open; the others are covered.
func TestIndexWithoutSource(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.Create(s.name("events-blind"),
		`{"mappings": {"_source": {"enabled": false}, "properties": {"@timestamp": {"type": "date"},
		"event.category": {"type": "keyword"}, "event.type": {"type": "keyword"}, "host.os.type": {"type": "keyword"},
		"process.name": {"type": "keyword"}, "file.extension": {"type": "keyword"}, "file.path": {"type": "keyword"}, "file.name": {"type": "keyword"}}}}`)
	s.put("events-1", "seen", match(time.Minute))
	s.put("events-blind", "unseen", match(time.Minute))

	s.run("check").want(t, 3).says(t, s.name("events-blind"), "no _source")
	s.run("run", "--once").want(t, 1).says(t, s.name("events-blind"), "no _source",
		"not everything was covered")
	s.wantFound("seen")
	s.run("status").want(t, 1).says(t, "open", s.name("events-blind"))

	// What is gone is not waited for, and named once more.
	s.Delete(s.name("events-blind"))
	s.runOnce().says(t, "an index was deleted before it was covered", s.name("events-blind"))
	s.wantFound("seen")
	s.wantWhole()
	s.run("status").want(t, 0)
}

// Events of odd shapes are judged as Elasticsearch's EQL would judge them. Each is an event of the
// rule with one thing about it changed.
func TestOddEvents(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	var want []string
	f := func(id string, matches bool, change func(recorded)) {
		t.Helper()
		e := recorded(match(time.Minute))
		change(e)
		s.put("events-1", id, e)
		if matches {
			want = append(want, id)
		}
	}
	set := func(path string, value any) func(recorded) {
		return func(e recorded) { e.set(path, value) }
	}
	const owa = `C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\`
	inOWA := func(name any) func(recorded) {
		return func(e recorded) {
			e.set("file.path", owa+"x.aspx")
			e.set("file.name", name)
		}
	}
	f("scalar-category", true, set("event.category", "file"))
	f("two-types", true, set("event.type", []any{"start", "creation"}))
	f("array-in-array", true, set("event.type", []any{[]any{"creation"}}))
	f("array-of-processes", true, set("process.name", []any{nil, "w3wp.exe", "umservice.exe"}))
	f("null-process", false, set("process.name", nil))
	f("empty-process", false, set("process.name", []any{}))
	f("empty-text", false, set("process.name", ""))
	f("number-for-text", false, set("file.extension", 5))
	f("boolean-for-text", false, set("file.extension", true))
	f("letter-case", false, set("host.os.type", "Windows")) // == minds the case
	f("two-systems", true, set("host.os.type", []any{"linux", "windows"}))
	f("epoch", true, set("@timestamp", time.Now().Add(-time.Minute).UnixMilli()))
	f("epoch-as-text", true,
		set("@timestamp", strconv.FormatInt(time.Now().Add(-time.Minute).UnixMilli(), 10)))
	f("other-zone", true, set("@timestamp",
		time.Now().Add(-time.Minute).In(time.FixedZone("", -8*3600)).Format(time.RFC3339)))
	f("before-the-window", false,
		set("@timestamp", time.Now().Add(-30*time.Hour).UTC().Format(time.RFC3339)))
	f("late", true, func(e recorded) { // an old event that arrived now
		e.set("@timestamp", time.Now().Add(-30*time.Hour).UTC().Format(time.RFC3339))
		e.set("event.ingested", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	})
	f("dotted-keys", true, func(e recorded) {
		delete(e, "file")
		delete(e, "host")
		e["host.os"] = map[string]any{"type": "windows"}
		e["file.path"], e["file.extension"] = `d:\inetpub\wwwroot\aspnet_client\a\b.js`, "js"
	})
	f("array-of-objects", true, func(e recorded) {
		e["file"] = []any{map[string]any{"name": "x"}, e["file"]}
	})
	f("longer-than-indexed", true, set("file.path", `C:\inetpub\wwwroot\aspnet_client\`+
		strings.Repeat("x", 2000)))
	f("a-signal", false, set("event.kind", "signal"))
	f("no-name", true, inOWA(nil))
	f("no-names", true, inOWA([]any{}))
	f("excluded-name", false, inOWA("LOGON.aspx"))
	f("excluded-among-names", false, inOWA([]any{"x.aspx", "logon.aspx"}))
	f("object-for-unmapped", true, set("labels.a.b", map[string]any{"c": []any{nil, 1.5, "x"}}))

	s.runOnce()
	s.wantFound(want...)
	s.wantWhole()
}

// A field of a type that the rule's text cannot be is missing there, as for Elasticsearch, and
// fails no other index.
func TestWrongType(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "good", match(time.Minute))
	s.Create(s.name("events-odd"),
		`{"mappings": {"dynamic": false, "properties": {"@timestamp": {"type": "date"},
		"event.category": {"type": "keyword"}, "event.type": {"type": "keyword"}, "host.os.type": {"type": "keyword"},
		"process.name": {"type": "keyword"}, "file.path": {"type": "keyword"}, "file.name": {"type": "keyword"},
		"file.extension": {"type": "long", "ignore_malformed": true}}}}`)
	s.put("events-odd", "aspx-as-long", match(time.Minute))
	s.runOnce()
	s.wantFound("good")
}
