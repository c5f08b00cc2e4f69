package signal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esrule/internal/query/rule"
)

const testRule rule.ID = "0d3a2f6e-5d2b-4c07-9a55-6f0f3b1c2a10"

// A changed id is a second alert for every event that was alerted before. Where this test fails,
// the code is wrong.
func TestIdentityIsFixed(t *testing.T) {
	f := func(event string, want ID) {
		t.Helper()
		got, err := Identify(testRule, Event{Source: []byte(event)})
		if err != nil {
			t.Errorf("%s: %v", event, err)
		} else if got != want {
			t.Errorf("%s\n got %s\nwant %s", event, got, want)
		}
	}
	f(`{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"id":"a1","category":["file"],"type":["creation"],"action":"creation"},"agent":{"id":"ag"},"host":{"id":"h"},"process":{"pid":4,"name":"x.exe"},"file":{"path":"C:\\x"}}`,
		"29089e454611c1ba002c88355c86511a2d41dc3f902a60b7c29c241593675611")
	f(`{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"id":"a1"},"host":{"id":"h"}}`,
		"c9b041bcc42a3907778517d86c758f0a382d2b680eae0157f6986d77ed03bbe6")
	f(`{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"id":"a1"}}`,
		"e90ae678b0ee0107bf4fa83ecdb6a2580c9e0637f4335ad0da3fe377c5406ec5")
	f(`{"@timestamp":1772445600123,"winlog":{"computer_name":"pc","channel":"Microsoft-Windows-Sysmon/Operational","record_id":66}}`,
		"b74135cefbba74bbe8bb951e9983c89bf366ab088a173e5ffa820be7f041fdfc")
	f(`{"@timestamp":1772445600123,"event":{"category":"file","sequence":7},"file":{"path":"C:\\x"},"labels":[true,null,1.50]}`,
		"7864058027ae4989efa13ac4072529cca2e8de90625febd8f3c05d461e9879c4")
	f(`{"file":{"path":"C:\\x"}}`,
		"3f606884dbddda8045371e2886ace9b04583326641e716ed85efc5c2dc845d69")
	f(`{}`,
		"ce8ff1ada1656b3651b204651daaac08d594664903e363925a5e18e8e70cceba")
}

// fullEvent has every field that an identity of the first rung is made of.
const fullEvent = `{
	"@timestamp": "2026-03-02T10:00:00.123Z",
	"event": {"id": "a1", "category": ["file", "process"], "type": ["creation"], "action": "creation", "code": "11"},
	"agent": {"id": "ag"},
	"process": {"entity_id": "e", "pid": 4, "name": "x.exe", "command_line": "x -y"},
	"file": {"path": "C:\\x"}, "dll": {"path": "C:\\d"}, "registry": {"path": "HKLM\\x", "value": "v"},
	"source": {"ip": "10.0.0.1", "port": 1}, "destination": {"ip": "10.0.0.2", "port": 2, "domain": "d"},
	"dns": {"question": {"name": "q"}}
}`

const windowsEvent = `{"@timestamp":"2026-03-02T10:00:00.123Z",
	"winlog":{"computer_name":"pc","channel":"Sysmon","record_id":"66"},"event":{"code":"11"},"file":{"path":"C:\\x"}}`

const plainEvent = `{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"category":"file"},"file":{"path":"C:\\x"}}`

// identityOf is Identify on an event that was changed by replacing each old text with the new one
// after it.
func identityOf(t *testing.T, event string, oldnew ...string) ID {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(event, oldnew[i]) {
			t.Fatalf("no %s in %s", oldnew[i], event)
		}
	}
	id, err := Identify(testRule,
		Event{Source: []byte(strings.NewReplacer(oldnew...).Replace(event))})
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return id
}

func TestSameEventSameIdentity(t *testing.T) {
	f := func(event string, oldnew ...string) {
		t.Helper()
		if got, want := identityOf(t, event, oldnew...), identityOf(t, event); got != want {
			t.Errorf("%q in %s: got %s, want %s", oldnew, event, got, want)
		}
	}
	for _, event := range []string{fullEvent, windowsEvent, plainEvent} {
		// One instant, however it is written.
		f(event, `"2026-03-02T10:00:00.123Z"`, `"2026-03-02T12:00:00.123+02:00"`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `"2026-03-02T12:00:00.123+0200"`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `"2026-03-02T10:00:00.123987654Z"`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `"2026-03-02T10:00:00,123"`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `1772445600123`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `"1772445600123"`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `1772445600123.5`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `1.772445600123e12`)
		f(event, `"2026-03-02T10:00:00.123Z"`,
			`["2026-03-02T10:00:00.123Z","2026-03-02T10:00:00.123Z"]`)
		// What shipping and storing add.
		f(event, `"@timestamp"`,
			`"tags":["a"],"ecs":{"version":"8"},"data_stream":{"type":"logs"},"elastic_agent":{"id":"z"},"@timestamp"`)
		f(event, `"@timestamp"`,
			`"event.ingested":"2026-03-02T10:00:09Z","event":{"created":1},"@timestamp"`)
		f(event, `"@timestamp"`, `"agent":{"ephemeral_id":"e","version":"9"},"@timestamp"`)
		f(event, `"@timestamp"`, `"none":null,"empty":[],"hollow":{"in":{}},"@timestamp"`)
	}
	f(fullEvent, `"a1"`, `["a1"]`)
	f(fullEvent, `["file", "process"]`, `["process", "file", "process", null]`)
	f(fullEvent, `"pid": 4`, `"pid": "4"`)
	f(fullEvent, `"file": {"path": "C:\\x"}`, `"file.path": "C:\\x"`)
	f(fullEvent, `"agent": {"id": "ag"}`, `"agent": {"id": "ag"}, "host": {"id": "other"}`)
	f(fullEvent, `"agent": {"id": "ag"}`, `"host": {"id": "ag"}`)
	f(fullEvent, `"@timestamp"`,
		`"process.executable":"C:\\x.exe","user":{"name":"u"},"threat":[{"x":1}],"@timestamp"`)
	f(windowsEvent, `"winlog":{`, `"user":{"name":"u"},"winlog":{`)
	f(windowsEvent, `"66"`, `66`)
	f(windowsEvent, `"winlog":{"computer_name":"pc",`, `"winlog.computer_name":"pc","winlog":{`)
	f(windowsEvent, `"event":{`, `"event":{"id":"",`)
	f(plainEvent, `"event":{"category":"file"}`, `"event.category":["file"]`)
}

func TestOtherEventOtherIdentity(t *testing.T) {
	f := func(event string, oldnew ...string) {
		t.Helper()
		if got, other := identityOf(t, event, oldnew...), identityOf(t, event); got == other {
			t.Errorf("%q in %s: got %s for both", oldnew, event, got)
		}
	}
	for _, event := range []string{fullEvent, windowsEvent, plainEvent} {
		f(event, `00.123Z`, `00.124Z`)
		f(event, `"2026-03-02T10:00:00.123Z"`, `"not a date"`)
		f(event, `"@timestamp"`, `"time"`)
	}
	for _, value := range []string{
		`"a1"`, `"ag"`, `"file", `, `"creation"]`, `"creation",`, `"11"`, `"e"`, `4`, `"x.exe"`,
		`"x -y"`, `"C:\\x"`, `"C:\\d"`,
		`"HKLM\\x"`, `"v"`, `"10.0.0.1"`, `1}`, `"10.0.0.2"`, `2,`, `"d"}`, `"q"`,
	} {
		other := strings.NewReplacer("4", "5", "1}", "3}", "2,", "4,").Replace(value)
		if other == value {
			other = strings.Replace(value, `"`, `"o`, 1)
		}
		f(fullEvent, value, other)
	}
	f(fullEvent, `"x.exe"`, `["x.exe","y.exe"]`)
	f(fullEvent, `"name": "x.exe"`, `"title": "x.exe"`)
	f(fullEvent, `"id": "a1"`, `"ID": "a1"`)
	f(windowsEvent, `"66"`, `"67"`)
	f(windowsEvent, `"pc"`, `"pc2"`)
	f(windowsEvent, `"Sysmon"`, `"Security"`)
	f(plainEvent, `"C:\\x"`, `"C:\\y"`)
	f(plainEvent, `"path"`, `"name"`)
	f(plainEvent, `"file":{`, `"ecsx":1,"file":{`)
	f(plainEvent, `"category":"file"`, `"category":"file","sequence":1`)
	f(plainEvent, `{"path":"C:\\x"}`, `{"path":"C:\\x","ext":"x"}`)

	if a, b := identityOf(t, plainEvent), identityOf(t, fullEvent); a == b {
		t.Errorf("two events: %s for both", a)
	}
	other, err := Identify("another rule", Event{Source: []byte(plainEvent)})
	if err != nil || other == identityOf(t, plainEvent) {
		t.Errorf("under another rule: got %s, %v, want another id", other, err)
	}
}

// Parts are delimited: what one field loses another may not gain unseen.
func TestIdentityKeepsFieldsApart(t *testing.T) {
	seen := map[ID]string{}
	for _, event := range []string{
		`{"a":"b"}`, `{"ab":""}`, `{"a":["b",""]}`, `{"a":["b","c"]}`, `{"a":"bc"}`,
		`{"a":"b","c":""}`, `{"a":{"b":"c"}}`, `{"a":"b.c"}`,
		`{"event":{"id":"x"},"agent":{"id":"y"}}`, `{"event":{"id":"x","category":"y"}}`,
		`{"event":{"id":"x","type":"y"}}`,
		`{"event":{"id":["x","y"]}}`, `{"event":{"id":"xy"}}`,
	} {
		id, err := Identify(testRule, Event{Source: []byte(event)})
		if err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		if before, ok := seen[id]; ok {
			t.Errorf("%s and %s: got %s for both", before, event, id)
		}
		seen[id] = event
	}
}

// Any way to spell an event gives the same identity: members in another order, arrays reordered and
// with repetitions, objects written as dotted keys.
func TestSpellingDoesNotChangeIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.MapOfN(
			rapid.SampledFrom([]string{
				"@timestamp", "event.id", "event.category", "event.code", "agent.id", "host.id",
				"process.pid", "file.path", "file.Ext.x.y",
				"winlog.computer_name", "winlog.channel", "winlog.record_id", "labels.a",
				"labels.b.c",
			}),
			rapid.SliceOfN(rapid.SampledFrom([]string{`"a"`, `"b"`, `1`, `1.0`, `true`, `""`,
				`"2026-03-02T10:00:00Z"`}), 1, 3),
			0, 14).Draw(t, "leaves")
		a, b := spell(t, leaves, "a"), spell(t, leaves, "b")
		idA, errA := Identify(testRule, Event{Source: a})
		idB, errB := Identify(testRule, Event{Source: b})
		if errA != nil || errB != nil || idA != idB {
			t.Fatalf("%s\n%s\ngot %s, %v and %s, %v", a, b, idA, errA, idB, errB)
		}
	})
}

func spell(t *rapid.T, leaves map[string][]string, name string) []byte {
	var paths []string
	for path := range leaves {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, path := range rapid.Permutation(paths).Draw(t, name) {
		if i > 0 {
			b.WriteByte(',')
		}
		values := rapid.Permutation(leaves[path]).Draw(t, name)
		if rapid.Bool().Draw(t, name) {
			values = append(values, values[0], "null")
		}
		key, open := "", 0
		segments := strings.Split(path, ".")
		for i, segment := range segments {
			key += segment
			switch {
			case i == len(segments)-1:
			case rapid.Bool().Draw(t, name):
				fmt.Fprintf(&b, "%q:{", key)
				key = ""
				open++
			default:
				key += "."
			}
		}
		fmt.Fprintf(&b, "%q:[%s]%s", key, strings.Join(values, ","), strings.Repeat("}", open))
	}
	b.WriteByte('}')
	if !json.Valid(b.Bytes()) {
		t.Fatalf("the test wrote %s", b.Bytes())
	}
	return b.Bytes()
}
