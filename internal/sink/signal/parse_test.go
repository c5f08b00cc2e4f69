package signal

import (
	"errors"
	"strings"
	"testing"
)

// What is read fast is what encoding/json reads: an event's identity is made of it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		fullEvent, windowsEvent, plainEvent, `{}`, `[]`, ` [1, -0, 1.50, 1e5, 1E+2] `, `""`, `null`,
		`{"a":1,"a":[{"b":null},true,false,[]],"":{"\u0061\n\\\"\/":"\ud83d\ude00é"}}`,
		`"\ud800"`, `"\ud800\u0041"`, `"\udc00\ud800"`, "\"\xff\xc3\"", "\"a\tb\"", `"\x"`, `01`,
		`1.`, `+1`, `{"a":1,}`, `[1,]`, `{"a" 1}`, `{"a":1}{}`, `{"a":1} x`, `{1:2}`, `tru`, ``,
		"\ufeff{}", `{"a":1`, `"\u2028<>&"`, "\"\u2028\x7f\"", "\"é\u2029\"", `["\b\f\r\t\/\\\""]`,
		`NaN`, `[}`, `{]`, `{"a":"b"]`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1),
	} {
		f.Add([]byte(text))
	}
	var p parser // used again, as a worker does
	f.Fuzz(func(t *testing.T, source []byte) {
		got, ok := p.parseWellFormed(source)
		if !ok {
			return // encoding/json decides
		}
		want, err := parseAny(source)
		if err != nil || !got.equals(want) {
			t.Fatalf("%q: got %+v, want %+v, %v", source, got, want, err)
		}
		var gotText, wantText jsonText
		if err := errors.Join(gotText.value(got), wantText.value(want)); err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		if gotText.String() != wantText.String() {
			t.Errorf("%q is written as %s, want %s", source, &gotText, &wantText)
		}
	})
}

func TestEventsAreParsedFast(t *testing.T) {
	for _, event := range []string{fullEvent, windowsEvent, plainEvent, `{"a":"C:\\x\u003c\n"}`} {
		if _, ok := new(parser).parseWellFormed([]byte(event)); !ok {
			t.Errorf("%s: left to encoding/json", event)
		}
	}
}
