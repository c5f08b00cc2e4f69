package main

import (
	"bytes"
	"strings"
	"testing"

	"esrule/demo/samples"
)

// The demo is a test of the whole path: the built program, on a real server, over every sample.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Elasticsearch; -short is set")
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out, options{all: true}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"m365_defender", "healthview.aspx", `owa\auth\*`, "SIGNALS", "wrote 0 new signals",
		"E:\\Exchange2016",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output does not have %q:\n%s", want, out.String())
		}
	}
}

func TestVerdict(t *testing.T) {
	events := []samples.Event{
		{Source: "endpoint", Name: "match", Match: true},
		{Source: "endpoint", Name: "copy", Match: true, SameAs: "match"},
		{Source: "endgame", Name: "match", Match: true},
		{Source: "endgame", Name: "miss"},
	}
	all := []string{"endpoint.match", "endpoint.copy", "endgame.match", "endgame.miss"}
	f := func(candidates []string, found []string, want ...string) {
		t.Helper()
		accepted := map[string]bool{}
		for _, id := range candidates {
			accepted[id] = true
		}
		var signals []writtenSignal
		for _, id := range found {
			signals = append(signals, writtenSignal{event: id})
		}
		v := newVerdict(events, accepted, signals)
		ran := outcome{}
		ran.Candidates, ran.Created = v.total().candidates, v.total().wanted
		err := v.problem(ran, outcome{}, v.total().wanted)
		if (err == nil) != (len(want) == 0) {
			t.Errorf("candidates %v, signals for %v: got %v, want %q", candidates, found, err, want)
		}
		for _, part := range want {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("candidates %v, signals for %v: got %v, want %q", candidates, found, err,
					part)
			}
		}
	}
	f(all, []string{"endpoint.match", "endgame.match"})
	f(all[:3], []string{"endpoint.match", "endgame.match"})
	f(all, []string{"endpoint.copy", "endgame.match"})
	f(all, []string{"endpoint.match"}, "endgame.match: 0 signals, want 1")
	f(all, []string{"endpoint.match", "endpoint.copy", "endgame.match"},
		"endpoint.match: 2 signals, want 1")
	f(all, []string{"endpoint.match", "endgame.match", "endgame.miss"},
		"endgame.miss: 1 signals, want 0")
	f(all, []string{"endpoint.match", "endgame.match", "other"}, `"other", which is no sample`)
	f(all[1:], []string{"endpoint.match", "endgame.match"},
		"endpoint.match matches, but the pre-filter leaves it out")
}

func TestVerdictCountsRuns(t *testing.T) {
	f := func(change func(first, second *outcome, after *int), want string) {
		t.Helper()
		v := newVerdict([]samples.Event{{Source: "endpoint", Name: "match", Match: true}},
			map[string]bool{"endpoint.match": true}, []writtenSignal{{event: "endpoint.match"}})
		first, second, after := outcome{}, outcome{}, 1
		first.Candidates, first.Created = 1, 1
		change(&first, &second, &after)
		err := v.problem(first, second, after)
		if got := err != nil && strings.Contains(err.Error(), want); got != (want != "") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(_, _ *outcome, _ *int) {}, "")
	f(func(first, _ *outcome, _ *int) { first.Candidates = 2 }, "first run counts: 2, want 1")
	f(func(first, _ *outcome, _ *int) {
		first.Created = 0
	}, "first run counts as created: 0, want 1")
	f(func(_, second *outcome, _ *int) {
		second.Created = 1
	}, "second run counts as created: 1, want 0")
	f(func(_, _ *outcome, after *int) { *after = 2 }, "after the second run: 2, want 1")
}

func TestBranchOf(t *testing.T) {
	detection, _, err := shippedRule("")
	if err != nil {
		t.Fatal(err)
	}
	f := func(path, want string) {
		t.Helper()
		e := samples.Event{JSON: []byte(
			`{"event": {"category": "file", "type": "creation"}, "host": {"os": {"type": "windows"}},
			"process": {"name": "umservice.exe"}, "file": {"extension": "aspx", "path": "` + strings.ReplaceAll(path, `\`, `\\`) + `"}}`)}
		if got := branchOf(detection, e); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	f(`C:\inetpub\wwwroot\aspnet_client\x.aspx`, `wwwroot\aspnet_client\*`)
	f(`C:\P\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\x.aspx`, `owa\auth\*`)
	f(`C:\P\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\ecp\auth\x.aspx`, `ecp\auth\*`)
	f(`C:\P\x.aspx`, "")
}

func TestShorten(t *testing.T) {
	f := func(path string, most int, want string) {
		t.Helper()
		if got := shorten(path, most); got != want {
			t.Errorf("%s to %d: got %s, want %s", path, most, got, want)
		}
	}
	f(`C:\a\b.aspx`, 20, `C:\a\b.aspx`)
	f(`C:\a\b.aspx`, 11, `C:\a\b.aspx`)
	f(`C:\Program Files\Microsoft\x.aspx`, 22, `C:\…\Microsoft\x.aspx`)
	f(`C:\Program Files\Microsoft\x.aspx`, 20, `C:\…\x.aspx`)
	f(`C:\Länge\Größe\x.aspx`, 17, `C:\…\Größe\x.aspx`)
	f(`C:\Program Files\a-name-that-is-too-long.aspx`, 10, `C:\…\a-name-that-is-too-long.aspx`)
	f(`no-folder-at-all.aspx`, 10, `no-folder-at-all.aspx`)
}
