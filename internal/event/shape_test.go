package event_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esrule/internal/event"
)

// TestSkimmedShapes holds both ways of reading together on lines that are written alike but for
// their values, which is how one source writes, and some that are nearly so: nothing of a line may
// be taken for that of the line before.
func TestSkimmedShapes(t *testing.T) {
	paths := []string{"a", "a.b", "a.b.a", "b", "b.a", "b.c.a", "@timestamp"}
	const value = "%"
	object := func(t *rapid.T) string {
		return drawObjectOf(t, 4, func(*rapid.T) string { return value })
	}
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		var written []string
		for range rapid.IntRange(1, 3).Draw(t, "shapes") {
			if rapid.Bool().Draw(t, "hit") {
				written = append(written, `{"a":%,"_source":`+object(t)+`,"b":`+object(t)+`}`)
			} else {
				written = append(written, object(t))
			}
		}
		w := newTwoWays(paths...)
		for range rapid.IntRange(2, 8).Draw(t, "lines") {
			line := rapid.SampledFrom(written).Draw(t, "shape")
			for strings.Contains(line, value) {
				line = strings.Replace(line, value, drawScalar(t), 1)
			}
			if rapid.IntRange(0, 4).Draw(t, "odd") == 0 {
				at := rapid.IntRange(0, len(line)).Draw(t, "at")
				line = line[:at] + rapid.SampledFrom([]string{"", " ", ",", "{}", "}", "[", `"`,
					"1"}).Draw(t, "put in") + line[at:]
			}
			isPlain, wrong := w.read(line)
			if wrong != nil {
				t.Fatalf("%s: %v", line, wrong)
			}
			if first, _ := newTwoWays(paths...).read(line); first != isPlain {
				t.Fatalf("%s: plain: got %v behind others, and %v as the first", line, isPlain,
					first)
			}
			if isPlain {
				plain++
			}
		}
	})
	if plain == 0 {
		t.Error("no line was plain")
	}
}

// Lines whose keys are ever new must not take memory without end, and lines behind them are read as
// before.
func TestSkimForgetsKeysThatAreEverNew(t *testing.T) {
	w := newTwoWays("pid", "file.path")
	read := func(line string) {
		if plain, wrong := w.read(line); wrong != nil || !plain {
			t.Fatalf("%s: got plain %v, %v", line, plain, wrong)
		}
	}
	var fields event.Fields
	fields.Add("pid")
	e := event.New(&fields)
	var lines [][]byte
	for n := range 10_000 {
		line := fmt.Sprintf(`{"x%d":1,"pid":%d,"file":{"y%d":[1],"path":"p%d"}}`, n, n, n%7, n)
		read(line)
		lines = append(lines, []byte(line))
		e.Skim(lines[n])
	}
	next := 0
	if got := testing.AllocsPerRun(1000, func() { e.Skim(lines[next]); next++ }); got != 0 {
		t.Errorf("got %v allocations a line behind 10,000, want 0", got)
	}
	read(`{"pid":1}`)
}
