package detect_test

import (
	"slices"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// TestCheckExceptions names what keeps an exception from applying, and what is doubtful in it.
func TestCheckExceptions(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f := func(parse func(string) (*cond.Query, error), condition string, x rule.Exception,
		want ...string) {
		t.Helper()
		q, err := parse(condition)
		if err != nil {
			t.Fatal(err)
		}
		x.Name, x.From, x.Query = "Host", "x.toml:1", q
		l := detect.CheckExceptions([]*rule.Exception{&x}, nil, now)
		if got := slices.Concat(l.Problems, l.Notes); !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", condition, got, want)
		}
	}
	in := rule.Exception{InUse: true}
	f(kql.Parse, `host.name: x`, in)
	f(kql.Parse, `process.name.caseless: x and host.os.name.caseless: windows`, in)
	f(eql.Parse, `process where process.name : "deploy*"`, in)
	f(kql.Parse, `host.name: x`, rule.Exception{},
		`exception "Host" (x.toml:1) is for no rule that `+
			`was read: correct the rules' ids or names, or remove it`)
	f(kql.Parse, `host.name: x`, rule.Exception{InUse: true, Expires: now},
		`exception "Host" (x.toml:1) does not apply since 2026-03-01T00:00:00Z: remove it, or write `+
			`a later date`)
	f(kql.Parse, `host.name: x`, rule.Exception{InUse: true, Expires: now.Add(time.Second)})
	f(kql.Parse, `process.name: "deploy*"`, in, `exception "Host" (x.toml:1) is doubtful: a * in `+
		`quotes is a star, not a wildcard: Write a pattern without quotes; a blank in it stays, `+
		`other signs need a backslash.`)
	f(eql.Parse, `process where process.name == "deploy*"`, in, `exception "Host" (x.toml:1) is `+
		`doubtful: == takes * and ? as they are, not as wildcards: Write : or like for a pattern.`)
}
