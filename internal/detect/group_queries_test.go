package detect_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

func js(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func pickAny(r *rand.Rand, of ...any) any { return of[r.IntN(len(of))] }

func more(r *rand.Rand, n int, names []any) string {
	var b strings.Builder
	switch n {
	case 0:
		fmt.Fprintf(&b, `,"labels":%s`, js(pickAny(r, "x", "y", nil)))
	case 1, 2, 3, 5:
		x := pickAny(r, "x", "2026-01-02", "toolong")
		if n == 2 {
			x = pickAny(r, "2026-01-02", nil, 1767312000000)
		}
		fmt.Fprintf(&b, `,"labels":{"x":%s}`, js(x))
	}
	if n != 6 && n != 4 && r.IntN(3) > 0 {
		fmt.Fprintf(&b, `,"site":%s`, js(pickAny(r, "home", "Hóme", nil, "HOME")))
	}
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, `,"when":%s`, js(pickAny(r, "01/02/2026", 1750000000, "nonsense")))
	}
	if n == 0 || n == 3 {
		fmt.Fprintf(&b, `,"all":%s`, js(pickAny(r, names...)))
	}
	return b.String()
}

// groupQueries makes queries over the fields of groupMappings.
func groupQueries(r *rand.Rand, n int) []string {
	fields := []string{"process.name", "process.name.keyword", "process.pid", "site", "labels",
		"labels.x", "all", "when", "event.kind", "event.category", "none", "process",
		"process.name.caseless", "_index", "@timestamp"}
	constants := []string{`"bad.exe"`, `"BAD*"`, `"*ünder*"`, `"Ünder"`, `"home"`, `"HOME"`, "4",
		`"4"`, "true", `"*exe"`, `"made"`, `"x"`, `"2026-01-02"`, `"10.0.0.4"`, `"*"`, "null",
		`"now-1h"`, `"*\\bad*"`, `"hóme"`}
	var condition func(depth int) string
	condition = func(depth int) string {
		if depth > 0 && r.IntN(2) == 0 {
			return "(" + condition(depth-1) + []string{" and ", " or ", " and not "}[r.IntN(3)] +
				condition(depth-1) + ")"
		}
		f := []string{"", "?"}[r.IntN(2)] + fields[r.IntN(len(fields))]
		k := constants[r.IntN(len(constants))]
		switch r.IntN(8) {
		case 0:
			return f + " == " + k
		case 1:
			return f + " != " + k
		case 2:
			return f + " >= " + k
		case 3:
			return f + " in (" + k + ", " + constants[r.IntN(len(constants))] + ")"
		case 4:
			return f + " regex~ \".*[ab4].*\""
		case 5:
			return "length(" + f + ") > 3"
		default:
			return f + " : (" + k + ", " + constants[r.IntN(len(constants))] + ")"
		}
	}
	queries := []string{"any where true"}
	for len(queries) < n {
		queries = append(queries, []string{"any", "process", "file"}[r.IntN(3)]+" where "+
			condition(2))
	}
	r.Shuffle(n, func(i, j int) { queries[i], queries[j] = queries[j], queries[i] })
	return queries
}
