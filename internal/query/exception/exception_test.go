package exception_test

import (
	"encoding/json"
	"testing"

	"esrule/internal/query/exception"
	"esrule/internal/query/kql"
)

// TestParse reads items as Kibana exports them.
func TestParse(t *testing.T) {
	f := func(item, want string) {
		t.Helper()
		var values map[string]any
		if err := json.Unmarshal([]byte(item), &values); err != nil {
			t.Fatal(err)
		}
		var got string
		if e, err := exception.Parse(values); err != nil {
			got = "error: " + err.Error()
		} else {
			got = kql.Print(e)
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", item, got, want)
		}
	}
	entry := func(fields, want string) {
		t.Helper()
		f(`{"type":"simple","os_types":[],"entries":[{"field":"a",`+fields+`}]}`, want)
	}
	entry(`"type":"match","operator":"included","value":"b c"`, `a: "b c"`)
	entry(`"type":"match","operator":"excluded","value":"b"`, `not a: "b"`)
	entry(`"type":"match","operator":"included","value":5`, `a: "5"`)
	entry(`"type":"match_any","operator":"included","value":["b","c"]`, `a: ("b" or "c")`)
	entry(`"type":"match_any","operator":"excluded","value":["b","c"]`, `not a: ("b" or "c")`)
	entry(`"type":"exists","operator":"included"`, `a: *`)
	entry(`"type":"exists","operator":"excluded"`, `not a: *`)
	entry(`"type":"wildcard","operator":"included","value":"b*?"`, `wildcard(a, "b*?")`)
	entry(`"type":"wildcard","operator":"excluded","value":"b*"`, `not wildcard(a, "b*")`)
	entry(`"type":"nested","entries":[
		{"field":"b","type":"match","operator":"included","value":"x"},
		{"field":"c","type":"match","operator":"excluded","value":"y"}]`,
		`a: { b: "x" and not c: "y" }`)
	f(`{"os_types":["linux","macos"],"entries":[{"field":"a","type":"exists","operator":"included"}]}`,
		`(host.os.type: "linux" or host.os.name.caseless: "linux" or host.os.type: "macos" or `+
			`host.os.name.caseless: "macos") and a: *`)

	// What is not evaluated is named.
	entry(`"type":"list","operator":"included","list":{"id":"hosts","type":"keyword"}`,
		`error: entry 1: the value list hosts of a is not in the export`)
	entry(`"type":"match","operator":"included"`, `error: entry 1: its value for a is no text`)
	entry(`"type":"match_any","operator":"included","value":[]`,
		`error: entry 1: it has no values for a`)
	entry(`"type":"match","operator":"includes","value":"b"`,
		`error: entry 1: the operator includes is not evaluated`)
	entry(`"type":"fuzzy","operator":"included","value":"b"`,
		`error: entry 1: an entry of type "fuzzy" is not evaluated`)
	entry(`"type":"match","operator":"included","value":"b","case_insensitive":true`,
		`error: entry 1: an entry of type match with the key "case_insensitive" is not evaluated`)
	entry(`"type":"nested","entries":[]`, `error: entry 1: it has no entries`)
	f(`{"entries":[]}`, `error: it has no entries`)
	f(`{"type":"other","entries":[]}`, `error: an item of type other is not evaluated`)
	f(`{"entries":[{"type":"exists"}]}`, `error: entry 1: it has no field`)
}
