package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
)

// recorded is one event of the corpus as a tree that can be changed.
type recorded map[string]any

// readRecorded reads a file of events/, plain or gzip, lines being a bare `_source` or a hit.
func readRecorded(t *testing.T, name string) []recorded {
	t.Helper()
	file, err := os.Open(filepath.Join(estest.Corpus(t), "events", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var text io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if text, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var events []recorded
	for lines := bufio.NewReader(text); ; {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			events = append(events, decode(t, line))
		}
		if err == io.EOF {
			return events
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func decode(t *testing.T, text []byte) recorded {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // 64-bit ids must not become floats
	var event recorded
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if source, isHit := event["_source"].(map[string]any); isHit {
		return source
	}
	return event
}

// get gives what stands at a path, through objects and literal dotted keys; nil where there is
// nothing.
func (r recorded) get(path string) any {
	if v, ok := r[path]; ok {
		return v
	}
	for key, value := range r {
		rest, below := strings.CutPrefix(path, key+".")
		if child, ok := value.(map[string]any); ok && below {
			if v := recorded(child).get(rest); v != nil {
				return v
			}
		}
	}
	return nil
}

// set puts a value where the event has the path, or below the nearest object that it has.
func (r recorded) set(path string, value any) {
	if _, ok := r[path]; ok || !strings.Contains(path, ".") {
		r[path] = value
		return
	}
	key, rest, _ := strings.Cut(path, ".")
	child, ok := r[key].(map[string]any)
	if !ok {
		child = map[string]any{}
		r[key] = child
	}
	recorded(child).set(rest, value)
}

func (r recorded) clone() recorded { return cloneObject(r) }

func cloneObject(o map[string]any) map[string]any {
	c := maps.Clone(o)
	for key, value := range c {
		if child, ok := value.(map[string]any); ok {
			c[key] = cloneObject(child)
		}
	}
	return c
}

// moveTo places an event in time, each timestamp in the form in which its source wrote it. What the
// source does not have it does not get.
func (r recorded) moveTo(t *testing.T, at time.Time) {
	t.Helper()
	written := r.get("@timestamp")
	if written == nil {
		// a pipeline's test input; its shipper would have set one
		written = "2006-01-02T15:04:05.000Z"
	}
	r.set("@timestamp", inFormOf(t, written, at))
	if ingested := r.get("event.ingested"); ingested != nil {
		r.set("event.ingested", inFormOf(t, ingested, at.Add(20*time.Second)))
	}
}

// inFormOf writes a moment as another one is written: as epoch milliseconds, or in ISO 8601 with
// its digits and zone.
func inFormOf(t *testing.T, written any, at time.Time) any {
	t.Helper()
	const seconds = "2006-01-02T15:04:05"
	switch w := written.(type) {
	case json.Number:
		return json.Number(strconv.FormatInt(at.UnixMilli(), 10))
	case string:
		old, err := time.Parse(time.RFC3339Nano, w)
		if err != nil {
			t.Fatalf("timestamp %q: %v", w, err)
		}
		return at.In(old.Location()).Format(seconds) + w[len(seconds):]
	default:
		t.Fatalf("timestamp %v is neither a number nor a text", written)
		return nil
	}
}

// shape is how a source writes what it says of an event in general.
type shape struct{ scalars bool }

func (s shape) values(v string) any {
	if s.scalars {
		return v
	}
	return []any{v}
}

// fill says of an event that it is the creation of a file on Windows: where it says nothing, or,
// with force, in any case.
func (s shape) fill(r recorded, force bool) {
	for path, value := range map[string]any{
		"event.category": s.values("file"), "event.type": s.values("creation"),
		"host.os.type": "windows",
	} {
		if force || r.get(path) == nil {
			r.set(path, value)
		}
	}
}

// variant is what a copy gets in the place of its file and process.
type variant struct {
	process, path, name, extension string
}

func (v variant) putInto(r recorded) {
	r.set("process.name", v.process)
	r.set("file.path", v.path)
	r.set("file.name", v.name)
	r.set("file.extension", v.extension)
}

// variants are matches and near misses for each branch of the rule. Which is which is for the
// matcher to say; that every branch has both is seen in branchesOf.
func variants() []variant {
	const (
		root = `C:\inetpub\wwwroot\aspnet_client\`
		owa  = `C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\`
		ecp  = `D:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\ecp\auth\`
		um   = "UMWorkerProcess.exe"
	)
	var all []variant
	add := func(process, folder, name string) {
		extension := name[strings.LastIndexByte(name, '.')+1:]
		all = append(all, variant{process, folder + name, name, extension})
	}
	add(um, root, "discover.aspx")
	add("UmService.exe", strings.ToUpper(root)+`SYSTEM_WEB\`, "SUPP0RT.ASPX")
	add("umservice.exe", root, "help.php")
	add("w3wp.exe", root, "process.aspx")
	add(um, root, "extension.txt")
	add(um, `C:\inetpub\wwwroot\aspnet_clients\`, "folder.aspx")
	add(um, owa, "outlookzh.aspx")
	add(um, owa, "logon.aspx")
	add(um, owa, "LogOff.ASPX")
	add(um, owa+`version\15.1\`, "below-version.js")
	add(um, owa+strings.Repeat(`deep\`, 240), "ignored-above.jsp") // longer than the index keeps
	add(um, ecp, "web.asmx")
	add(um, ecp, "TimeoutLogoff.aspx")
	add(um, ecp, "TimeoutLogout.aspx")
	add(um, `E:\Exchange2016\FrontEnd\HttpProxy\ecp\auth\`, "custom-path.aspx")
	return all
}

// clock hands out the moments of the searched window, each once: the time is a part of every
// identity, so no two events are one. Whole seconds, for a source may write no fraction.
type clock struct{ next time.Time }

func (c *clock) tick() time.Time {
	c.next = c.next.Add(2 * time.Second)
	return c.next
}

// copies gives the events of a source moved into the window, and behind them those with the rule's
// values in them: the whole of the variants on each of a choice of events, and one variant on each
// other event. most bounds the choice.
func copies(t *testing.T, events []recorded, s shape, c *clock, most int) []recorded {
	t.Helper()
	all := variants()
	var made []recorded
	add := func(from recorded, v variant, force bool) {
		r := from.clone()
		v.putInto(r)
		s.fill(r, force)
		r.moveTo(t, c.tick())
		made = append(made, r)
	}
	chosen := (len(events) + most - 1) / most // every how many events
	for i, event := range events {
		if i%chosen != 0 {
			continue
		}
		add(event, all[i/chosen%len(all)], false)
		for _, v := range all[:min(len(all), most)] {
			add(event, v, true)
		}
	}
	moved := slices.Clone(events)
	for i := range moved {
		moved[i] = events[i].clone()
		moved[i].moveTo(t, c.tick())
	}
	return append(moved, made...)
}

// ndjson writes events for a bulk request.
func ndjson(t *testing.T, events []recorded) io.Reader {
	t.Helper()
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	for _, e := range events {
		if err := lines.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return &text
}

// branchOf names the part of the rule that a path is for.
func branchOf(path string) string {
	path = strings.ToLower(path)
	for _, branch := range []string{"aspnet_client", `owa\auth`, `ecp\auth`} {
		if strings.Contains(path, branch) {
			return branch
		}
	}
	return fmt.Sprintf("none (%s)", path)
}
