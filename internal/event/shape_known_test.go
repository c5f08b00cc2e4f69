package event

import (
	"fmt"
	"strings"
	"testing"
)

// TestShapesAreKnown holds that lines written like one before are passed, and which are not like
// it.
func TestShapesAreKnown(t *testing.T) {
	f := func(first, second string, want bool) {
		t.Helper()
		var fields Fields
		fields.Add("pid")
		fields.Add("file.path")
		e := New(&fields)
		for _, line := range []string{first, second} {
			if _, ok := e.Skim([]byte(line)); !ok {
				t.Fatalf("%s: not plain", line)
			}
		}
		if got := e.skimmer.lines.known == 1; got != want {
			t.Errorf("%s behind %s: known: got %v, want %v", second, first, got, want)
		}
	}
	f(`{}`, `{}`, true)
	f(`{"pid":1}`, `{"pid":"x\"y"}`, true)
	f(`{"pid":1}`, `{"pid":null}`, true)
	f(`{"pid":1}`, `{"pid": 1}`, false)
	f(`{"pid":1}`, `{"pid":[1]}`, false)
	f(`{"pid":1}`, `{"pid":{}}`, false)
	f(`{"pid":1}`, `{"pie":1}`, false)
	f(`{"pid":1}`, `{}`, false)
	f(`{"pid":[1,2]}`, `{"pid":[3,4]}`, true)
	f(`{"pid":[1,2]}`, `{"pid":[1,2,3]}`, false)
	f(`{"pid":[]}`, `{"pid":[1]}`, false)
	f(`{"x":{"y":[{}]},"file":{"path":"a"}}`, `{"x":{"y":[{}]},"file":{"path":"b"}}`, true)
	f(`{"_id":"1","_source":{"pid":1},"sort":[1]}`, `{"_id":"2","_source":{"pid":2},"sort":[2]}`,
		true)
	f(`{"_id":"1","_source":{}}`, `{"_id":"2","_source":{}}`, true)
	f(`{"_id":"1","_source":{"pid":1}}`, `{"_id":"2","pid":1}`, false)
}

// TestShapesAreBounded holds the room that is taken where nothing is alike.
func TestShapesAreBounded(t *testing.T) {
	f := func(lines int, line func(n int) string, wantTries, wantGaps, wantOthers int) {
		t.Helper()
		var fields Fields
		fields.Add("pid")
		e := New(&fields)
		for n := range lines {
			e.Skim([]byte(line(n)))
		}
		k := &e.skimmer.lines
		if n := len(e.skimmer.marks); n > mostGaps {
			t.Errorf("%.100s: got %d marks, want at most %d", line(1), n, mostGaps)
		}
		others := 0
		for g := k.first; g != nil; g = g.other {
			others++
		}
		if k.tries != wantTries || k.gaps != wantGaps || others != wantOthers {
			t.Errorf("%.100s: got %d tries, %d gaps, %d others; want %d, %d, %d", line(1), k.tries,
				k.gaps, others, wantTries, wantGaps, wantOthers)
		}
	}
	const lines = 10 * triesToTell
	f(lines, func(int) string { return `{"pid":1}` }, lines, 2, 1)
	f(lines, func(n int) string { return fmt.Sprintf(`{"x%d":1,"pid":1}`, n) }, triesToTell,
		3*mostOthers, mostOthers)
	f(lines, func(n int) string { return fmt.Sprintf(`{"pid":1,"x%d":1}`, n) }, triesToTell,
		1+2*mostOthers, 1)
	f(2, func(int) string { return `{"pid":[1` + strings.Repeat(",1", mostGaps) + `]}` }, 2, 0, 0)
	f(2, func(int) string { return `{"pid":[1` + strings.Repeat(",1", mostGaps-2) + `]}` }, 2,
		mostGaps, 1)
	f(3, func(n int) string {
		return fmt.Sprintf(`{"x%d":[1`, n) + strings.Repeat(",1", mostGaps-4) + `]}`
	}, 3, mostGaps, 2)
	f(2, func(int) string { return `{"x":[` + strings.Repeat("[],", mostGapBytes/3) + `1]}` }, 2, 0,
		0)
}
