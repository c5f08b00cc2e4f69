package signal

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
)

// What is remembered of a rule is what is written without it.
func TestTexts(t *testing.T) {
	texts := NewTexts()
	f := func(r *rule.Rule, event string) {
		t.Helper()
		m := Match{Rule: r, Events: []Event{{Index: "i", ID: "1", Source: []byte(event)}}}
		x := Execution{ID: "x", Now: func() time.Time { return time.UnixMilli(0) }}
		without, err := New(m, x)
		if err != nil {
			t.Fatal(err)
		}
		x.Texts = texts
		with, err := New(m, x)
		if err != nil {
			t.Fatal(err)
		}
		forms := func(s Signal) (all [][]byte) {
			reduced, err := s.Reduced("why")
			if err != nil {
				t.Fatal(err)
			}
			bare, err := s.WithoutEvent("why")
			if err != nil {
				t.Fatal(err)
			}
			return [][]byte{s.Document, reduced, bare, s.Widened().Document}
		}
		want := forms(without)
		for i, got := range forms(with) {
			if !bytes.Equal(got, want[i]) {
				t.Errorf("%s, form %d:\n got %s\nwant %s", event, i, got, want[i])
			}
		}
	}
	body := &rule.EventQuery{Query: &cond.Query{Text: `any where a : "<>"`}}
	plain := &rule.Rule{Head: rule.Head{ID: "r", Name: "<a> \u2028 \"b\""}, Body: body}
	taking := &rule.Rule{Head: rule.Head{ID: "r2", Name: "b", NameOverride: "message",
		Severity: "low", RiskScore: 47.5, Type: "query", Note: string(make([]byte, 3000)),
		Tags: []string{"x", "é"}, Threat: []rule.Threat{{Framework: "MITRE"}}}, Body: body}
	for _, event := range []string{fullEvent, windowsEvent, plainEvent, `{}`,
		`{"message":"m\"\\"}`} {
		f(plain, event)
		f(taking, event)
	}
}

func FuzzText(f *testing.F) {
	for _, text := range []string{"", `C:\x "y"`, "a\x00\b\f\n\r\t\x1f\x7f", "é\u2028\xff", "<&>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want jsonText
		if err := want.encode(text); err != nil {
			t.Fatal(err)
		}
		if err := got.text(text); err != nil || got.String() != want.String() {
			t.Errorf("%q: got %s, want %s, %v", text, got.String(), want.String(), err)
		}
		var back string
		if err := json.Unmarshal(got.Bytes(), &back); err != nil {
			t.Errorf("%q: %s: %v", text, got.String(), err)
		}
	})
}
