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
	case 1, 2, 3, 5, 7, 8:
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

// groupQueries makes queries over the fields of groupMappings: EQL, and at odd places KQL.
func groupQueries(r *rand.Rand, n int) []string {
	queries := make([]string, 0, n)
	for len(queries) < n {
		switch {
		case len(queries)%2 == 1:
			queries = append(queries, kueryOf(r, 2))
		case len(queries) == n/2/2*2:
			queries = append(queries, "any where true")
		default:
			queries = append(queries, []string{"any", "process", "file"}[r.IntN(3)]+" where "+
				equelOf(r, 2))
		}
	}
	return queries
}

// kueryOf makes a condition of KQL.
func kueryOf(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(2) == 0 {
		return "(" + kueryOf(r, depth-1) + []string{" and ", " or ", " and not "}[r.IntN(3)] +
			kueryOf(r, depth-1) + ")"
	}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	field := pick("process.name", "process.name", "process.name.keyword", "process.pid", "site",
		"labels", "labels.x", "all", "when", "event.kind", "event.category", "none", "process",
		"process.n*", "*ite", "@timestamp")
	value := func() string {
		return pick(`bad.exe`, `"bad.exe"`, `"BAD.EXE"`, `BAD*`, `*ünder*`, `Ünder`, `"a b"`,
			`a b`, `home`, `HOME`, `4`, `"4"`, `4.0`, `true`, `*exe`, `made`, `x`, `2026-01-02`,
			`"10.0.0.4"`, `10.0.0.0/8`, `*`, `*\\\\bad*`, `hóme`, `01/02/2026`, `1750000000`)
	}
	switch r.IntN(6) {
	case 0:
		return field + pick(" > ", " >= ", " < ", " <= ") +
			pick("4", "true", `"bad.exe"`, "2026-01-01", "now-1h", `"10.0.0.4"`)
	case 1:
		return field + " : *"
	case 2:
		return field + " : (" + value() + pick(" or ", " and ", " or not ") + value() + ")"
	default:
		return field + " : " + value()
	}
}

// equelOf makes a condition of EQL.
func equelOf(r *rand.Rand, depth int) string {
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
	return condition(depth)
}
