package match_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
)

// catalogue makes conditions and events that have texts in common, over fields of many types.
type catalogue struct {
	random *rand.Rand
	texts  []string
}

func newCatalogue(seed uint64) *catalogue {
	c := &catalogue{random: rand.New(rand.NewPCG(seed, 0))}
	parts := slices.Concat(letters, []string{"cmd", ".exe", "10.0.0.", "2026-01-02", "4", "true"})
	for range 25 {
		var b strings.Builder
		for range c.random.IntN(4) {
			b.WriteString(pick(c.random, parts))
		}
		c.texts = append(c.texts, b.String())
	}
	return c
}

// catalogueMapping gives each field of a catalogue another type.
func catalogueMapping() *event.Mapping {
	lowercase := &event.Normalizer{Name: "lowercase", Lowercase: true}
	return &event.Mapping{Fields: map[string]event.FieldMapping{
		"category": {Type: event.Keyword, Name: "keyword"},
		"a.b":      {Type: event.Keyword, Name: "keyword"},
		"c":        {Type: event.Keyword, Name: "keyword", Normalizer: lowercase},
		"d":        {Type: event.Text, Name: "text"},
		"ip":       {Type: event.IP, Name: "ip"},
		"n":        {Type: event.Integer, Name: "long"},
		"on":       {Type: event.Date, Name: "date"},
		"flag":     {Type: event.Boolean, Name: "boolean"},
		"c.sub":    {Type: event.Keyword, Name: "keyword", SourcePath: "c"},
		"constant": {Type: event.Keyword, Name: "constant_keyword", Constant: "cmd.exe"},
		"nulls": {Type: event.Keyword, Name: "keyword", HasNullValue: true,
			NullValue: "4"},
		"copied":     {Type: event.Keyword, Name: "keyword", Copied: []string{"a.b", "d"}},
		"short":      {Type: event.Keyword, Name: "keyword", IgnoreAbove: 5},
		"event.kind": {Type: event.Keyword, Name: "keyword"},
		"message":    {Type: event.Text, Name: "match_only_text"},
	}}
}

func catalogueFields() []string {
	return []string{"category", "a.b", "c", "d", "ip", "n", "on", "flag", "unmapped",
		"c.sub", "constant", "nulls", "copied", "short", "a", "event.kind", "a.b.caseless",
		"message"}
}

func (c *catalogue) text() string {
	text := pick(c.random, c.texts)
	switch c.random.IntN(5) {
	case 0:
		return strings.ToUpper(text)
	case 1:
		return text + pick(c.random, c.texts)
	}
	return text
}

func (c *catalogue) pattern() string {
	var b strings.Builder
	for _, r := range c.text() {
		switch c.random.IntN(6) {
		case 0:
			b.WriteByte("*?"[c.random.IntN(2)])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (c *catalogue) list(item func() string) string {
	items := make([]string, 1+c.random.IntN(4))
	for i := range items {
		if items[i] = quoted(item()); c.random.IntN(9) == 0 {
			items[i] = "null"
		}
	}
	return "(" + strings.Join(items, ", ") + ")"
}

func (c *catalogue) condition(depth int) string {
	if depth > 0 && c.random.IntN(3) > 0 {
		left, right := c.condition(depth-1), c.condition(depth-1)
		switch c.random.IntN(5) {
		case 0:
			return "not (" + left + ")"
		case 1, 2:
			return "(" + left + " or " + right + ")"
		default:
			return "(" + left + " and " + right + ")"
		}
	}
	f := pick(c.random, []string{"", "?"}) + pick(c.random, catalogueFields())
	constant := quoted(c.text())
	switch c.random.IntN(10) {
	case 0:
		return f + pick(c.random, []string{" == ", " == ", " != ", " > "}) +
			pick(c.random, []string{"null", "4", "true", "1.5"})
	case 1:
		return constant + " == " + f
	case 2:
		return f + pick(c.random, []string{" == ", " != ", " < ", " >= "}) + constant
	case 3:
		return f + pick(c.random, []string{" in ", " in~ ", " not in ", " not in~ "}) +
			c.list(c.text)
	case 4:
		return fmt.Sprintf("(%s : %s) == %v", f, constant, c.random.IntN(2) == 0)
	case 5:
		call := pick(c.random, []string{"startsWith", "endsWith~", "stringContains~"})
		return fmt.Sprintf("%s(%s, %s)", call, f, constant)
	case 6:
		if c.random.IntN(2) == 0 {
			return f + pick(c.random, []string{" regex ", " regex~ "}) +
				pick(c.random, []string{`"(c|4|true|.*[a-k]).*"`, `".*CMD.*"`, `"c?md.*|.*4"`,
					`".*[a-z]md.e[xX]e"`, `("10.*", ".*k~(x)")`, `"~(cmd.*)"`})
		}
		return fmt.Sprintf("string(%s) : %s", f, quoted(c.pattern()))
	default:
		return f + pick(c.random, []string{" : ", " like ", " like~ "}) + c.list(c.pattern)
	}
}

func (c *catalogue) event() string {
	source := map[string]any{}
	for _, path := range catalogueFields() {
		if path == "c.sub" || path == "a" || path == "a.b.caseless" {
			continue // of another field
		}
		var v any
		switch c.random.IntN(9) {
		case 8:
			v = pick(c.random, []any{"signal", "Signal", strings.Repeat("cmd.exe", 5000),
				[]any{nil, "cmd.exe"}, "\ufffd", "É.EXE", map[string]any{"x": "4"}})
		case 0:
			continue
		case 1:
			v = []string{c.text(), c.text()}
		case 2:
			v = pick(c.random, []any{4, 1.5, true, nil, "10.0.0.4", "2026-01-02", "4.0"})
		default:
			v = c.text()
		}
		if outer, inner, ok := strings.Cut(path, "."); ok {
			source[outer] = map[string]any{inner: v}
		} else {
			source[path] = v
		}
	}
	b, _ := json.Marshal(source) // nothing in it cannot be marshalled
	return string(b)
}

// query makes a query, of either language.
func (c *catalogue) query(t *testing.T) *cond.Query {
	t.Helper()
	if c.random.IntN(2) == 0 {
		where := c.kuery(3, "")
		return &cond.Query{Text: kql.Print(where), Where: where, Print: kql.Print}
	}
	category := pick(c.random, []string{"any", `"cmd"`, "process"})
	text := category + " where " + c.condition(3)
	q, err := eql.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	q.CategoryField = "category"
	return q
}

// kuery makes a condition of KQL. prefix is the path of the object that it is on.
func (c *catalogue) kuery(depth int, prefix string) cond.Expr {
	if depth > 0 && c.random.IntN(3) > 0 {
		operands := []cond.Expr{c.kuery(depth-1, prefix), c.kuery(depth-1, prefix)}
		switch c.random.IntN(8) {
		case 0, 1:
			return &cond.Not{Operand: operands[0]}
		case 2, 3, 4:
			return &cond.Or{Operands: operands}
		case 5:
			if prefix == "" {
				return &cond.Nested{Path: "a", Operand: c.kuery(depth-1, "a.")}
			}
		}
		return &cond.And{Operands: operands}
	}
	f := &cond.Field{Path: pick(c.random, catalogueFields())}
	if prefix != "" {
		f.Path = pick(c.random, []string{"a.b", "a.b.caseless"})
	} else if c.random.IntN(60) == 0 {
		f = &cond.Field{Path: pick(c.random, []string{"c*", "*", "*.b", "m*e"}), Wild: true}
	}
	value := &cond.Literal{Kind: cond.String, Text: c.text()}
	if c.random.IntN(6) == 0 {
		value.Text = pick(c.random, []string{"4.0", "2026", "10.0.0.0/8", "true", "1.5", ""})
	}
	switch c.random.IntN(8) {
	case 0:
		return &cond.Exists{Field: f}
	case 1:
		return &cond.Order{Field: f, Value: value, Op: cond.CompareOp(2 + c.random.IntN(4))}
	case 2, 3:
		return &cond.Wildcard{Field: f, Pieces: strings.Split(
			strings.NewReplacer("?", "*", "4", "*", " ", " *").Replace(c.text())+"*", "*")}
	default:
		return &cond.Is{Field: f, Value: value, Quoted: c.random.IntN(2) == 0}
	}
}

// compareSet asks a set and each of its matchers about events. It returns how many pairs there
// were, how many of them a match, and how many matchers the set spared.
func compareSet(t *testing.T, seed uint64, rules, events int) (pairs, matches, spared int) {
	t.Helper()
	c := newCatalogue(seed)
	var fields event.Fields
	var matchers, alone []*match.Matcher
	var evaluations []*match.Evaluation // of those alone, each over fields of its own
	var conditions []string
	for range rules {
		q := c.query(t)
		conditions = append(conditions, q.Text)
		options := match.Options{ExcludeSignals: c.random.IntN(2) == 0}
		m, err := match.Compile(q, &fields, options)
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, conditions[len(conditions)-1], err)
		}
		matchers = append(matchers, m)
		own := &event.Fields{}
		if m, err = match.Compile(q, own, options); err != nil {
			t.Fatalf("seed %d, %s: %v", seed, conditions[len(conditions)-1], err)
		}
		alone = append(alone, m)
		evaluations = append(evaluations, match.NewEvaluation(own, time.Now()))
	}
	set := match.NewSet(&fields, matchers)
	e := match.NewEvaluation(&fields, time.Now())
	typed := catalogueMapping()
	for range events {
		text := c.event()
		for _, mapping := range []*event.Mapping{nil, typed} {
			read(t, e, mapping, text)
			var want, got []int
			for i, m := range alone {
				read(t, evaluations[i], mapping, text)
				if m.Match(evaluations[i]) {
					want = append(want, i)
				}
			}
			set.Candidates(e, func(int) { spared-- })
			set.Candidates(e, func(i int) {
				if matchers[i].Match(e) {
					got = append(got, i)
				}
			})
			pairs, matches, spared = pairs+rules, matches+len(want), spared+rules
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, mapping %v, event %s:\n got %v\nwant %v\nof %s", seed,
					mapping != nil, text, got, want, strings.Join(conditions, "\n   "))
			}
		}
	}
	return pairs, matches, spared
}

// A set answers as each of its matchers alone does, whatever the conditions, events and mappings.
// ESTEST_FUZZTIME=10m asks about more.
func TestSet(t *testing.T) {
	var pairs, matches, spared int
	compare := func(seed uint64) {
		p, m, s := compareSet(t, seed, 40, 60)
		pairs, matches, spared = pairs+p, matches+m, spared+s
	}
	for seed := range uint64(40) {
		compare(seed)
	}
	if os.Getenv("ESTEST_FUZZTIME") != "" {
		for seed := range estest.Seeds(t) {
			compare(seed)
		}
	}
	t.Logf("%d pairs of a rule and an event, %d of them a match; %d judgements spared", pairs,
		matches, spared)
	if matches < pairs/50 || spared < pairs/10 {
		t.Errorf("%d of %d pairs match, %d judgements spared: this tells too little", matches,
			pairs, spared)
	}
}

// Rules of both languages may ask for the same text of a field, which only one of them may compare
// as a number.
func TestSetOfTwoLanguages(t *testing.T) {
	e, err := eql.Parse(`any where a == "4"`)
	if err != nil {
		t.Fatal(err)
	}
	k, err := kql.Parse(`a : 4 and b : 5`)
	if err != nil {
		t.Fatal(err)
	}
	f := func(source string, queries []*cond.Query, want ...int) {
		t.Helper()
		var fields event.Fields
		var matchers []*match.Matcher
		for _, q := range queries {
			m, err := match.Compile(q, &fields, match.Options{})
			if err != nil {
				t.Fatal(err)
			}
			matchers = append(matchers, m)
		}
		evaluation := match.NewEvaluation(&fields, time.Now())
		read(t, evaluation, nil, source)
		var got []int
		match.NewSet(&fields, matchers).Candidates(evaluation, func(i int) { got = append(got, i) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got the candidates %v, want %v", source, got, want)
		}
	}
	f(`{"a":"4"}`, []*cond.Query{e, k}, 0)
	f(`{"a":"4"}`, []*cond.Query{k, e}, 1)
	f(`{"a":"4","b":"5"}`, []*cond.Query{e, k}, 0, 1)
	f(`{"a":4,"b":5}`, []*cond.Query{e, k}, 0, 1)
	f(`{"a":"x","b":"5"}`, []*cond.Query{e, k})
}

func FuzzSet(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { compareSet(t, seed, 20, 10) })
}

// A matcher is a candidate only where all that is looked up for it is there: not because the event
// is of the same system, or has another field.
func TestCandidates(t *testing.T) {
	f := func(condition, source string, want bool) {
		t.Helper()
		q, err := eql.Parse(condition)
		if err != nil {
			t.Fatal(err)
		}
		var fields event.Fields
		m, err := match.Compile(q, &fields, match.Options{})
		if err != nil {
			t.Fatal(err)
		}
		set := match.NewSet(&fields, []*match.Matcher{m})
		e := match.NewEvaluation(&fields, time.Now())
		read(t, e, nil, source)
		got := false
		set.Candidates(e, func(int) { got = true })
		if got != want {
			t.Errorf("%s on %s: got candidate %v, want %v", condition, source, got, want)
		}
	}
	const start = `process where host.os.type == "windows" and event.type == "start" and process.name : "*longest*"`
	f(start, `{"event":{"category":"process","type":"start"},"host":{"os":{"type":"windows"}},"process":{"name":"the longest.exe"}}`, true)
	f(start, `{"event":{"category":"process","type":"end"},"host":{"os":{"type":"windows"}},"process":{"name":"the longest.exe"}}`, false)
	f(start, `{"event":{"category":"file","type":"start"},"host":{"os":{"type":"windows"}},"process":{"name":"the longest.exe"}}`, false)
	f(`any where file.path regex~ "a+"`, `{"file":{"path":"b"}}`, true)
	f(`any where file.path regex~ "a+"`, `{"file":{"name":"b"}}`, false)
	f(`any where a : "x" and b != null`, `{"a":"x"}`, false)
	f(`any where a : "x" and b != null`, `{"a":"x","b":1}`, true)
	f(`any where a : "x" and not b == null`, `{"a":"x"}`, false)
	f(`any where a > 3`, `{"b":4}`, false)
	f(`any where a != 3`, `{"b":4}`, true)
	// without a mapping .caseless is what its field is, in lower case
	f(`any where a.caseless : "*\\One.exe"`, `{"a":"C:\\ONE.EXE"}`, true)
	f(`any where a.caseless : "*\\One.exe"`, `{"a":"C:\\TWO.EXE"}`, false)
	f(`any where a.caseless : "É"`, `{"a":"é"}`, true)
}

// What was written as a number in an event without a mapping is forgotten when the next event is
// read: KQL compares it as a number.
func TestEventAfterOneWithoutMapping(t *testing.T) {
	q, err := kql.Parse(`event.kind: "4.0"`)
	if err != nil {
		t.Fatal(err)
	}
	var fields event.Fields
	m, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set := match.NewSet(&fields, []*match.Matcher{m})
	e := match.NewEvaluation(&fields, time.Now())
	f := func(mapping *event.Mapping, want bool) {
		t.Helper()
		read(t, e, mapping, `{"event":{"kind":4}}`)
		set.Candidates(e, func(int) {})
		if got := m.Match(e); got != want {
			t.Errorf("mapped %v: got %v, want %v", mapping != nil, got, want)
		}
	}
	f(nil, true)
	f(catalogueMapping(), false)
}
