package finding

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Each code is listed once, with a severity and a meaning.
func TestCodes(t *testing.T) {
	text, err := os.ReadFile("code.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, k := range All() {
		listed = append(listed, string(k.Code))
		if k.Severity != Problem && k.Severity != Note || k.Meaning == "" {
			t.Errorf("%s: severity %q, meaning %q", k.Code, k.Severity, k.Meaning)
		}
		if SeverityOf(k.Code) != k.Severity {
			t.Errorf("%s: listed twice, with other severities", k.Code)
		}
	}
	var declared []string
	for _, d := range regexp.MustCompile(`(?m)^\t\w+ +Code = "(.+)"$`).FindAllSubmatch(text, -1) {
		declared = append(declared, string(d[1]))
	}
	slices.Sort(listed)
	slices.Sort(declared)
	if !slices.Equal(listed, declared) {
		t.Errorf("listed:\n%q\ndeclared:\n%q", listed, declared)
	}
}

func TestAdd(t *testing.T) {
	var l List
	l.Add(Finding{Code: NoIndex, Text: "nothing", Advice: "look"})
	l.AddAs(Finding{Code: NoIndexYet, Text: "nothing yet"}, "file:1: nothing yet")
	if !slices.Equal(l.Problems, []string{"nothing: look"}) ||
		!slices.Equal(l.Notes, []string{"file:1: nothing yet"}) || len(l.Findings) != 2 {
		t.Errorf("got %+v, want a problem with its advice and a note in other words", l)
	}
}
