package eql_test

import (
	"testing"

	"esrule/internal/query/eql"
)

// TestParsePrint holds what the parser makes of a text by its canonical form.
func TestParsePrint(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		q, err := eql.Parse(text)
		if err != nil {
			t.Errorf("%s\n got error %v\nwant %s", text, err, want)
			return
		}
		if got := q.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	same := func(text string) { t.Helper(); f(text, text) }

	// A condition of the shipped rule's shape.
	f(`file where host.os.type == "windows" and process.name : ("a.exe", "b.exe") and (
	     file.path : "?:\\web\\*" or (file.path : "?:\\*\\Mail*\\auth\\*" and
	     not (file.path : "?:\\*\\version\\*" or file.name : ("x.aspx"))) or
	     not file.name : "y.aspx")`,
		`file where host.os.type == "windows" and process.name : ("a.exe", "b.exe") and (file.path : "?:\\web\\*" or `+
			`file.path : "?:\\*\\Mail*\\auth\\*" and not (file.path : "?:\\*\\version\\*" or file.name : ("x.aspx")) or not file.name : "y.aspx")`)
	same(`any where true`)
}
