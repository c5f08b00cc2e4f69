package scan_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// inUTF16 writes a text as UTF-16, a byte order mark in front where the text has one.
func inUTF16(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// TestShapes: what exports look like. Each shape holds events that match, and all of them are
// found.
func TestShapes(t *testing.T) {
	rules := rulesOf(t, `file where name : "bad*"`)
	f := func(why, text string, want ...string) {
		t.Helper()
		got := run(rules, input("f", text))
		if strings.Join(got.lines, "\n") != strings.Join(want, "\n") || got.err != nil {
			t.Errorf("%s: %.300q:\n got %q, %v\nwant %q", why, text, got.lines, got.err, want)
		}
		if got := got.summary.ByInput[0].Unjudged(); got != "" {
			t.Errorf("%s: %.300q: not judged: %s", why, text, got)
		}
	}
	event := func(n int) string {
		return fmt.Sprintf(`{"name":"bad%d","event":{"category":["file"]}}`, n)
	}
	pretty := func(n int) string {
		return fmt.Sprintf("{\n  \"name\" : \"bad%d\",\r\n  \"event\" : {\n    \"category\" : [ "+
			"\"file\" ]\n  }\n}", n)
	}
	hit := func(n int) string {
		return fmt.Sprintf(`{"_index":"i","_id":"%d","_source":%s}`, n, event(n))
	}
	fields := func(n int) string {
		return fmt.Sprintf(`{"_index":"i","_id":"%d","fields":{"name":["bad%d"],"event.category":["file"]}}`, n, n)
	}
	answer := func(hits ...string) string {
		return fmt.Sprintf(`{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1},`+
			`"hits":{"total":{"value":%d},"max_score":1.0,"hits":[`, len(hits)) +
			strings.Join(hits, ",") + `]},"aggregations":{"x":{"hits":{"hits":[]},"s":"]}"}}}`
	}
	two := []string{"rule-0 bad1", "rule-0 bad2"}
	lines := event(1) + "\n" + event(2) + "\n"

	f("a byte order mark", "\ufeff"+lines, two...)
	f("files with marks, joined", "\ufeff"+event(1)+"\n\ufeff"+event(2), two...)
	f("UTF-16 with a mark", inUTF16("\ufeff"+lines, binary.LittleEndian), two...)
	f("the other order", inUTF16("\ufeff"+lines, binary.BigEndian), two...)
	f("UTF-16 without a mark", inUTF16(lines, binary.LittleEndian), two...)
	f("the other order", inUTF16(lines, binary.BigEndian), two...)
	f("UTF-16 in gzip", packed(inUTF16("\ufeff"+lines, binary.LittleEndian)), two...)
	f("beyond the BMP", inUTF16(`{"pad":"😀","name":"bad1","event":{"category":"file"}}`,
		binary.BigEndian), "rule-0 bad1")

	f("pretty-printed", pretty(1)+"\n"+pretty(2)+"\n", two...)
	f("Windows line ends", strings.ReplaceAll(pretty(1)+"\n"+pretty(2), "\n", "\r\n"), two...)
	f("pretty-printed, then lines", pretty(1)+"\n"+event(2), two...)
	f("an array", "["+event(1)+","+event(2)+"]", two...)
	f("an array over lines", "[\n"+pretty(1)+",\n"+pretty(2)+"\n]\n", two...)
	f("arrays, a line each", "["+event(1)+"]\n["+event(2)+"]\n", two...)
	f("an array of hits", "["+hit(1)+","+fields(2)+"]", two...)
	f("trailing commas", event(1)+",\n"+event(2)+",\n", two...)

	f("an answer", answer(hit(1), hit(2)), two...)
	f("answers, a line each", answer(hit(1))+"\n"+answer(hit(2)), two...)
	f("an answer without hits, then one with", answer()+"\n"+answer(hit(1), hit(2)), two...)
	f("a pretty-printed answer", "{\n \"took\" : 3,\n \"hits\" : {\n  \"hits\" : [\n"+hit(1)+",\n"+
		hit(2)+"\n]\n}\n}\n", two...)
	f("of filter_path", `{"hits":{"hits":[{"_source":`+event(1)+`},{"_source":`+event(2)+`}]}}`,
		two...)
	f("of _msearch", `{"took":1,"responses":[`+answer(hit(1))+","+answer(hit(2))+`]}`, two...)
	f("of _async_search", `{"id":"x","is_partial":false,"response":`+answer(hit(1), hit(2))+`}`,
		two...)
	f("of Kibana", `{"rawResponse":`+answer(hit(1), hit(2))+`}`, two...)
	f("inner hits", answer(strings.TrimSuffix(hit(1), "}")+`,"inner_hits":{"x":`+answer(hit(3))+
		`}}`, hit(2)), two...)
	f("an event that begins as an answer",
		`{"took":1,"hits":{"n":1},"name":"bad1","event":{"category":"file"}}`, "rule-0 bad1")

	f("fields alone", fields(1)+"\n"+fields(2), two...)
	f("fields and no source", `{"_source":null,`+fields(1)[1:], "rule-0 bad1")
	f("fields beside", `{"_index":"i","_id":"1","_source":{"name":"bad1"},"fields":{"event.category":["file"]}}`, "rule-0 bad1")
	f("a bare event's fields are its own",
		`{"name":"good","event":{"category":"file"},"fields":{"name":"bad"}}`)
	f("a source that is a text",
		`{"_index":"i","_id":"1","_source":"{\"name\":\"bad1\",\"event\":{\"category\":\"file\"}}"}`, "rule-0 bad1")
	f("a bulk request", `{"index":{"_index":"i"}}`+"\n"+event(1)+"\n"+`{"create":{}}`+"\n"+event(2),
		two...)
	f("Logstash", `{"@version":"1",`+event(1)[1:], "rule-0 bad1")
}

// TestBrokenShapes: what is cut off or wrong is named, and what is beside it judged.
func TestBrokenShapes(t *testing.T) {
	rules := rulesOf(t, `any where name : "bad*"`)
	f := func(why, text string, want ...string) {
		t.Helper()
		got := run(rules, input("f", text))
		if strings.Join(got.lines, "\n") != strings.Join(want, "\n") || got.err != nil {
			t.Errorf("%s: %.300q:\n got %q, %v\nwant %q", why, text, got.lines, got.err, want)
		}
	}
	f("a cut answer", `{"took":1,"hits":{"hits":[{"_source":{"name":"bad1"}},{"_so`,
		"bad f:2: not JSON: unexpected end of JSON input", "rule-0 bad1",
		"bad f: breaks off at line 3: unexpected EOF")
	f("an answer cut after a hit", `{"took":1,"hits":{"hits":[{"_source":{"name":"bad1"}}`,
		"rule-0 bad1", "bad f: breaks off at line 2: unexpected EOF")
	f("a cut document", "{\n\"name\":\"bad1\"\n}\n{\n\"name\":",
		"bad f:4: not JSON: unexpected end of JSON input", "rule-0 bad1")
	f("an array of others", "[\n{\"name\":\"bad1\"},\n7,\n\"x\"]", "bad f:3: not a JSON object",
		"bad f:4: not a JSON object", "rule-0 bad1")
	f("a line end in a text", "{\n\"_source\":{\"name\":\"bad\n1\"}\n}\n{\"name\":\"bad2\"}",
		`bad f:1: not JSON: invalid character '\x00' in string literal`, "rule-0 bad2")
	f("half a character", inUTF16(`{"name":"bad1"}`, binary.LittleEndian)+"x",
		"rule-0 bad1", "bad f: breaks off at line 1: a UTF-16 text ends within a character")
	f("zip", "PK\x03\x04xxxx", "bad f: it is a zip archive, which scan does not unpack: unpack "+
		"it first (unzip -p FILE | esrule scan -)")
	f("zstd in gzip", packed("\x28\xb5\x2f\xfdxxxx"),
		"bad f: it is zstd, which scan does not unpack: unpack it first (zstd -dc FILE | esrule scan -)")
	f("NUL bytes", "{\"name\":\"bad1\"}\n\x00\x00\n",
		`bad f:2: not JSON: invalid character '\x00' looking for beginning of value`, "rule-0 bad1")
	f("CSV", "\"a\",\"b\"\n", `bad f:1: not JSON: invalid character ',' after top-level value`)
}

// TestPartialAnswers: what an answer to a search says that it lacks is named, and no clean end.
func TestPartialAnswers(t *testing.T) {
	rules := rulesOf(t, `any where name : "bad*"`)
	f := func(answer, want string) {
		t.Helper()
		got := run(rules, input("f", answer))
		in := got.summary.ByInput[0]
		switch {
		case got.err != nil || got.summary.Created == 0:
			t.Errorf("%s:\n got %d signals, %v", answer, got.summary.Created, got.err)
		case want == "" && (!in.Whole || in.Err != nil || len(got.lines) != got.summary.Created):
			t.Errorf("%s:\n got %v, %q, want nothing", answer, in.Err, got.lines)
		case want != "" && (in.Whole || in.Err == nil || !strings.Contains(in.Err.Error(), want)):
			t.Errorf("%s:\n got %v\nwant %q in it", answer, in.Err, want)
		case strings.Contains(fmt.Sprint(in.Err), "breaks off"):
			t.Errorf("%s: got %v", answer, in.Err)
		}
	}
	const hit = `{"_index":"i","_id":"1","_source":{"name":"bad1"}}`
	const hits = `"hits":{"total":{"value":1,"relation":"eq"},"hits":[` + hit + `]}`
	f(`{"took":1,"timed_out":false,"_shards":{"total":2,"successful":2,"skipped":1,"failed":0},`+
		hits+`}`, "")
	f(`{"took":1,`+hits+`}`, "")
	f(`{"took":1,"hits":{"hits":[`+hit+`]}}`, "")
	f(`{"took":1,"_shards":{"total":2,"successful":1,"failed":1},`+hits+`}`,
		"line 1: 1 shards did not answer")
	f(`{"took":1,"_shards":{"total":5,"successful":4,"failed":0},`+hits+`}`,
		"1 shards did not answer")
	f(`{"took":1,`+hits+`,"_shards":{"failed":1,"failures":[{"a":{"b":"]}"},"c":[1]}]}}`,
		"1 shards did not answer")
	f(`{"took":1,"timed_out":true,`+hits+`}`, "timed_out: true")
	f("{\n"+`"hits":{"hits":[`+"\n"+hit+`],"total":1},`+"\n"+`"timed_out":true,"took":1}`,
		"line 2: it timed out")
	f(`{"took":1,`+hits+`,"terminated_early":true}`, "terminated_early")
	f(`{"took":1,"_clusters":{"total":2,"successful":1,"skipped":1},`+hits+`}`,
		"1 clusters did not answer")
	f(`{"id":"x","is_partial":true,"response":{`+hits+`}}`, "is_partial: true")
	f(`{"is_partial":false,"response":{"timed_out":true,`+hits+`}}`, "timed_out: true")
	f(`{"rawResponse":{`+hits+`,"_shards":{"total":2,"successful":1}}}`, "1 shards did not answer")
	f(`{"took":1,"responses":[{`+hits+`},{`+hits+`,"timed_out":true}]}`, "timed_out: true")
	f(`{"took":1,"responses":[{`+hits+`},{`+hits+`}]}`, "")
	f(`{"took":1,"hits":{"total":3,"hits":[`+hit+`]}}`, "found 3 events, of which 1 are here")
	f(`{"took":1,"hits":{"total":{"value":10000,"relation":"gte"},"hits":[`+hit+`]}}`,
		"found at least 10000")
	f(`{"took":1,"hits":{"total":{"value":1,"relation":"gte"},"hits":[`+hit+`]}}`,
		"found at least 1 ")
	page := func(hits ...string) string {
		return `{"took":1,"hits":{"total":{"value":2,"relation":"gte"},"hits":[` +
			strings.Join(hits, ",") + `]}}` + "\n"
	}
	f(page(hit, hit)+page(hit, hit), "found at least 2")
	f(page(hit, hit)+page(hit), "")
	f(page(hit, hit)+page(), "")
	paged := `{"took":1,"hits":{"total":2,"hits":[` + hit + `]}}` + "\n"
	f(paged+paged, "")
	f(`{"hits":{"total":1,"hits":[{"_index":"i","_id":"1","_source":{"name":"bad1"},`+
		`"inner_hits":{"x":{"hits":{"total":9,"hits":[]}}}}]}}`, "")
}

// TestUnjudged: what holds no event that a rule can read is not called clean.
func TestUnjudged(t *testing.T) {
	rules := rulesOf(t, `file where name : "bad*"`,
		`any where message : "x" or process.name == "y"`)
	f := func(why, text string, want ...string) {
		t.Helper()
		got := run(rules, input("f", text)).summary.ByInput[0].Unjudged()
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %s:\n got %q\nwant %q in it", why, text, got, part)
			}
		}
		if len(want) == 0 && got != "" {
			t.Errorf("%s: %s:\n got %q, want nothing", why, text, got)
		}
	}
	event := `{"@timestamp":"2026-01-01T00:00:00Z","name":"good","event":{"category":"file"}}`
	f("nothing", "")
	f("an event", event)
	f("an event among others without a category", event+"\n"+
		`{"@timestamp":"2026-01-01T00:00:00Z","name":"good"}`)
	f("evtx", `{"Event":{"System":{"EventID":1}}}`,
		"event.category was in 0 of 1 events, @timestamp in 0 of 1.", "with the keys Event", "evtx")
	f("evtx among events", event+"\n"+`{"Event":{"System":{"EventID":1}}}`, "in 1 of 2 events",
		"1 were not judged", "line 2")
	f("in event", `{"event":`+event+`}`, "inside the field `event`")
	f("in message", `{"message":"{\"event\":{\"category\":\"file\"}}"}`,
		"inside the field `message`")
	f("in message, as an agent ships it", event+"\n"+
		`{"@timestamp":"2026-01-01T00:00:00Z","message":"{\"event.category\":\"file\"}"}`,
		"1 were not judged", "line 2", "inside the field `message`")
	f("in json", `{"@timestamp":"2026-01-01T00:00:00Z","json":`+event+`}`,
		"inside the field `json`")
	f("deeper", `{"result":{"_raw":`+event+`}}`, "inside the field `result._raw`")
	f("a hit without anything", `{"_index":"i","_id":"1","_source":null}`, "without its event")
	f("in a hit", `{"_index":"i","_id":"1","_source":{"json":`+event+`}}`,
		"inside the field `json`")
	f("an error", `{"error":{"type":"x"},"status":404}`, "an error of Elasticsearch")
	f("an update", `{"update":{"_id":"1"}}`+"\n"+`{"doc":`+event+`}`, "inside the field `doc`")
	f("no category at all", `{"@timestamp":"2026-01-01T00:00:00Z","name":"good"}`,
		"event.category was in 0 of 1 events, @timestamp in 1 of 1. No event here can satisfy "+
			"the 1 rules that ask for a category.")
	f("an empty category", event+"\n"+`{"name":"good","event":{"category":null}}`)
	got := run(rulesOf(t, `any where name : "bad*"`),
		input("f", `{"name":"good"}`)).summary.ByInput[0].Unjudged()
	if got != "" {
		t.Errorf("no rule asks for a category: got %q, want nothing", got)
	}
}
