package scan_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
)

func rulesOf(t testing.TB, queries ...string) *scan.Rules {
	t.Helper()
	rules := scan.NewRules()
	for i, text := range queries {
		q, err := eql.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		r := &rule.Rule{Head: rule.Head{ID: rule.ID(fmt.Sprint("rule-", i)),
			Name: fmt.Sprint("Rule ", i), Severity: "low"}, Body: &rule.EventQuery{Query: q}}
		if err := rules.Add(r); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return rules
}

func input(name, text string) scan.Input {
	return scan.Input{Name: name, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// result is a scan in words: a line a signal ("rule-0 name"), a line a complaint.
type result struct {
	lines   []string
	results []string // of thresholds
	summary scan.Summary
	err     error
}

func run(rules *scan.Rules, inputs ...scan.Input) result {
	var r result
	r.summary, r.err = scan.Run(context.Background(), rules, inputs, scan.Options{
		Execution: signal.Execution{ID: "x", Type: signal.Manual, Now: func() time.Time {
			return time.Unix(0, 0)
		}},
		Signal: func(one *rule.Rule, s signal.Signal) error {
			var doc struct {
				Name   json.RawMessage // a text, or of a hit's fields the list of one
				Result json.RawMessage `json:"kibana.alert.threshold_result"`
			}
			err := json.Unmarshal(s.Document, &doc)
			if doc.Result != nil {
				r.results = append(r.results, string(doc.Result))
			}
			r.lines = append(r.lines,
				fmt.Sprintf("%s %s", one.ID, strings.Trim(string(doc.Name), `["]`)))
			return err
		},
		Bad: func(err error) { r.lines = append(r.lines, "bad "+err.Error()) },
	})
	return r
}

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestScan(t *testing.T) {
	rules := rulesOf(t, `any where name : "bad*"`, `file where true`)
	f := func(why, text string, want ...string) {
		t.Helper()
		got := run(rules, input("f", text))
		if strings.Join(got.lines, "\n") != strings.Join(want, "\n") || got.err != nil {
			t.Errorf("%s: %.200q:\n got %q, %v\nwant %q", why, text, got.lines, got.err, want)
		}
	}
	f("nothing", "")
	f("a bare event", `{"name":"bad"}`, "rule-0 bad")
	f("a line end", "{\"name\":\"bad\"}\n", "rule-0 bad")
	f("Windows line ends and empty lines", "{\"name\":\"bad1\"}\r\n\r\n  {\"name\":\"bad2\"}\r\n",
		"rule-0 bad1", "rule-0 bad2")
	f("two rules on one event", `{"name":"bad","event":{"category":["file"]}}`, "rule-0 bad",
		"rule-1 bad")
	f("a hit", `{"_index":"i","_id":"1","_source":{"name":"bad"}}`, "rule-0 bad")
	f("a bare event with a text for _source", `{"_source":"agent","name":"bad"}`, "rule-0 bad")
	f("one identity, one signal",
		"{\"name\":\"bad\",\"pid\":1}\n{\"pid\":1,\"name\":\"bad\"}\n{\"name\":\"bad\",\"pid\":2}",
		"rule-0 bad", "rule-0 bad")
	zeek := func(name, at, url string) string {
		return fmt.Sprintf(`{"name":"bad%s","@timestamp":"2026-01-01T00:00:00.%sZ","event":{"id":"C1"},`+
			`"url":{"original":%q}}`+"\n", name, at, url)
	}
	f("events that share an id", zeek("1", "000", "/a")+zeek("2", "000", "/b")+zeek("1", "000",
		"/a")+
		zeek("3", "000001", "/a"), "rule-0 bad1", "rule-0 bad2", "rule-0 bad3")
	f("an event and the hit of it",
		"{\"name\":\"bad\"}\n{\"_index\":\"i\",\"_id\":\"1\",\"_source\":{\"name\":\"bad\"}}",
		"rule-0 bad")
	f("gzip", packed("{\"name\":\"bad\"}\n"), "rule-0 bad")
	f("gzip of two members", packed("{\"name\":\"bad1\"}\n")+packed(`{"name":"bad2"}`),
		"rule-0 bad1", "rule-0 bad2")
	f("a broken line", "{\"name\":\"bad1\"}\n{\"name\":\n{\"name\":\"bad2\"}",
		`bad f:2: not JSON: unexpected end of JSON input`, "rule-0 bad1", "rule-0 bad2")
	f("lines that are no objects", "[1]\n1\n\"x\"\nnull", "bad f:1: not a JSON object",
		"bad f:2: not a JSON object", "bad f:3: not a JSON object", "bad f:4: not a JSON object")
	f("cut gzip", packed("{\"name\":\"bad\"}\n")[:30], "rule-0 bad",
		"bad f: breaks off at line 2: unexpected EOF")
	deep := strings.Repeat(`{"x":`, 900) + `1` + strings.Repeat(`}`, 900)
	f("a deep event", `{"deep":`+deep+`,"name":"bad"}`, "rule-0 bad")
	f("a deep hit", `{"_index":"i","_source":{"deep":`+deep+`,"name":"bad"}}`, "rule-0 bad")
	f("a long line", `{"pad":"`+strings.Repeat("x", 5<<20)+`","name":"bad"}`+"\n"+`{"name":"bad2"}`,
		"rule-0 bad", "rule-0 bad2")
	f("an alert is not alerted on", `{"name":"bad","event":{"kind":"signal"}}`)
}

// TestManyBadLines: the first ones are named, all are counted by cause.
func TestManyBadLines(t *testing.T) {
	text := strings.Repeat("{\"a\":\n", 7) + strings.Repeat("7\n", 100_000) + `{"name":"bad"}`
	got := run(rulesOf(t, `any where name : "bad*"`), input("f", text), input("g", "x\n"))
	in := got.summary.ByInput[0]
	want := []scan.BadCount{
		{Cause: "not JSON: unexpected end of JSON input", Lines: 7, First: 1},
		{Cause: "not a JSON object", Lines: 100_000, First: 8},
	}
	if len(got.lines) != scan.MostBad+2 || in.BadLines != 100_007 || !slices.Equal(in.Bad, want) {
		t.Errorf("got %q, %d bad lines, %+v, want %+v", got.lines, in.BadLines, in.Bad, want)
	}
	var odd strings.Builder
	for c := 'a'; c <= 'z'; c++ {
		fmt.Fprintf(&odd, "%c\n", c)
	}
	in = run(rulesOf(t, `any where true`), input("f", odd.String())).summary.ByInput[0]
	if n := len(in.Bad); n > 9 || in.Bad[n-1].Cause != "other causes" {
		t.Errorf("got %d causes: %+v", n, in.Bad)
	}
}

func TestLoneSurrogatesMatchAsOnACluster(t *testing.T) {
	got := run(rulesOf(t, `any where file.name : ("bad?.exe", "?ad.exe")`),
		input("a", `{"name":"1","file":{"name":"bad\ud800.exe"}}
{"name":"2","file":{"name":"\udfff\u0061d.exe"}}`))
	if want := []string{"rule-0 1", "rule-0 2"}; got.err != nil || !slices.Equal(got.lines, want) {
		t.Errorf("got %q, %v, want %q", got.lines, got.err, want)
	}
}

func TestEachRuleSeesTheEventsOfItsCategory(t *testing.T) {
	rules := rulesOf(t, `file where name != null`, `process where name != null`,
		`any where name == "x"`, `"file" where name == "x"`)
	got := run(rules, input("f", `{"name":"x","event":{"category":["process","file"]}}
{"name":"y","event.category":"file"}
{"name":"x"}
{"name":"x","event":{"category":"File"}}`))
	want := "rule-0 x\nrule-1 x\nrule-2 x\nrule-3 x\nrule-0 y\nrule-2 x\nrule-2 x"
	if strings.Join(got.lines, "\n") != want {
		t.Errorf("got %q\nwant %q", got.lines, want)
	}
}

func TestOrderIsTheInputs(t *testing.T) {
	rules := rulesOf(t, `any where name : "bad*"`)
	var inputs []scan.Input
	var want []string
	for file := range 3 {
		var text strings.Builder
		for i := range 20_000 { // several chunks
			fmt.Fprintf(&text, `{"name":"good","pad":"%0200d"}`+"\n", i)
			if i%1000 == 0 {
				fmt.Fprintf(&text, `{"name":"bad-%d-%d"}`+"\n", file, i)
				want = append(want, fmt.Sprintf("rule-0 bad-%d-%d", file, i))
			}
		}
		inputs = append(inputs, input(fmt.Sprint(file), text.String()))
	}
	got := run(rules, inputs...)
	if strings.Join(got.lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %d signals in another order, want %d", len(got.lines), len(want))
	}
	if s := got.summary; s.Events != 60_060 || s.Matched != 60 || s.Created != 60 ||
		s.Inputs != 3 || s.BadLines != 0 {
		t.Errorf("summary: %+v", s)
	}
}

func TestInputThatCannotBeOpened(t *testing.T) {
	rules := rulesOf(t, `any where true`)
	missing := scan.Input{Name: "gone", Open: func() (io.ReadCloser, error) {
		return nil, errors.New("no such file")
	}}
	got := run(rules, missing, input("f", `{"name":"x"}`))
	if want := "bad gone: no such file\nrule-0 x"; strings.Join(got.lines, "\n") != want ||
		got.summary.BadInputs != 1 {
		t.Errorf("got %q, %+v", got.lines, got.summary)
	}
}

func TestExplainedSignals(t *testing.T) {
	rules := rulesOf(t, `any where name : "bad*"`, `any where pid > 1 or name == "x"`)
	var got []string
	_, err := scan.Run(context.Background(), rules,
		[]scan.Input{input("f", `{"name":"bad","pid":7,"name2":"n"}
{"name":"good"}
{"name":"bad","pid":7,"name2":"n"}`)}, scan.Options{
			Signal: func(r *rule.Rule, _ signal.Signal) error {
				got = append(got, "signal "+string(r.ID))
				return nil
			},
			Explained: func(s signal.Signal, x *match.Explanation) {
				leaf := x
				for len(leaf.Operands) > 0 {
					leaf = leaf.Operands[0]
				}
				got = append(got, fmt.Sprintf("%v %s", x.Holds, leaf.Text))
				for _, field := range leaf.Fields {
					got = append(got, fmt.Sprintf("%s %q", field.Path, field.Values))
				}
			},
		})
	want := []string{"signal rule-0", `true name : "bad*"`, `name ["bad"]`, "signal rule-1",
		`true pid > 1`, `pid ["7"]`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

func TestHowFarInputsWereRead(t *testing.T) {
	missing := scan.Input{Name: "gone", Open: func() (io.ReadCloser, error) {
		return nil, errors.New("no such file")
	}}
	got := run(rulesOf(t, `any where true`), input("a", "{}\n1\n{}\n2"), missing,
		input("cut", packed("{\"name\":\"x\"}\n")[:30]), input("empty", ""))
	var words []string
	for _, c := range got.summary.ByInput {
		words = append(words, fmt.Sprintf("%s: %d events, %d bad, %v, whole %v, %v", c.Name,
			c.Events, c.BadLines, c.FirstBad, c.Whole, c.Err))
	}
	want := []string{
		"a: 2 events, 2 bad, a:2: not a JSON object, whole true, <nil>",
		"gone: 0 events, 0 bad, <nil>, whole false, gone: no such file",
		"cut: 1 events, 0 bad, <nil>, whole false, cut: breaks off at line 2: unexpected EOF",
		"empty: 0 events, 0 bad, <nil>, whole true, <nil>",
	}
	if !slices.Equal(words, want) {
		t.Errorf("got %q\nwant %q", words, want)
	}
}

func TestSignalThatCannotBeGivenOutEndsTheScan(t *testing.T) {
	full := errors.New("disk full")
	_, err := scan.Run(context.Background(), rulesOf(t, `any where true`),
		[]scan.Input{input("f", strings.Repeat("{}\n", 1000))}, scan.Options{
			Signal: func(*rule.Rule, signal.Signal) error { return full }, Bad: func(error) {},
		})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

func TestCancelledScanEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	endless := scan.Input{Name: "endless", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(endlessLines{}), nil
	}}
	go func() {
		time.Sleep(50 * time.Millisecond)
		cancel()
	}()
	if _, err := scan.Run(ctx, rulesOf(t, `any where name == "x"`), []scan.Input{endless},
		scan.Options{Bad: func(error) {}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type endlessLines struct{}

func (endlessLines) Read(p []byte) (int, error) {
	return copy(p, "{\"name\":\"y\"}\n"), nil
}
