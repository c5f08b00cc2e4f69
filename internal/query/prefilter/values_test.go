package prefilter_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/prefilter"
)

// TestEveryValue holds the promise of this package for every pair of an awkward value and an
// awkward constant, on every type: what the matcher accepts, the pre-filter accepts, and the server
// takes each of its queries. TestSuperset meets such pairs too seldom.
func TestEveryValue(t *testing.T) {
	estest.EachJudge(t, func(t *testing.T, judge estest.Judge) {
		cluster := judge(t)
		conditions := slices.Concat(everyCondition("f.a"), everyKuery("f.a"))
		for i, k := range kindsOf(t, cluster) {
			if k.mapping == "" || slices.Contains([]string{runtime, constantKeyword, flattened},
				k.name) {
				continue
			}
			documents := everyDocument()
			schema := `{"dynamic":false,"properties":{"f":{"properties":{"a":` + k.mapping + `}}}}`
			h := (&server{t: t, cluster: cluster, made: i}).holding(schema, documents)
			asked := h.narrowed(t, conditions)
			if len(asked) == 0 && !cluster.IsOpenSearch() {
				t.Log("everything is left to the matcher:", k.mapping)
				continue
			}
			accepted := 0
			for lost := range judged(t, h, documents, asked, &accepted) {
				t.Error(lost)
			}
			if accepted == 0 {
				t.Errorf("%s: no condition accepted any of %d documents: the test shows nothing",
					k.mapping, len(documents))
			}
			cluster.Delete(h.index)
		}
	})
}

// everyCondition compares a field with each text and each number, in every way that a pre-filter
// may push down.
func everyCondition(field string) []string {
	var conditions []string
	add := func(format, constant string) {
		conditions = append(conditions, field+strings.ReplaceAll(format, "%", constant))
	}
	for _, text := range slices.Concat(texts, awkward) {
		constant := eql.Print(&cond.Literal{Kind: cond.String, Text: text})
		for _, format := range []string{" == %", ` in (%, "zz")`, ` in~ (%, "zz")`, " : %",
			" like %", ` like~ (%, "zz")`, " < %", " <= %", " > %", " >= %"} {
			add(format, constant)
		}
		add(" : %", eql.Print(&cond.Literal{Kind: cond.String, Text: text + "*"}))
	}
	for _, number := range slices.Concat(numbers, awkwardNumbers) {
		for _, format := range []string{" == %", " in (%, 7)", " < %", " <= %", " > %", " >= %"} {
			add(format, number)
		}
	}
	for _, format := range []string{" == true", " == false", " in (true, false)", " != null",
		` : "?*"`, ` : "*"`} {
		add(format, "")
	}
	for _, block := range blocks {
		conditions = append(conditions, "cidrMatch("+field+`, "`+block+`")`)
	}
	return conditions
}

// narrowed returns those conditions of which a pre-filter asks the index anything.
func (h *held) narrowed(t *testing.T, conditions []string) []string {
	compared := make([]cond.Expr, len(conditions))
	for i, c := range conditions {
		compared[i] = compile(t, c).matcher.Condition()
	}
	h.readDates(t, compared...)
	var asked []string
	for i, c := range compared {
		if !prefilter.Build(c, h.mapping).Clause.IsEverything() {
			asked = append(asked, conditions[i])
		}
	}
	return asked
}

// everyDocument has each text and each scalar as a document of its own.
func everyDocument() []string {
	var values []string
	for _, text := range slices.Concat(texts, awkward) {
		value, _ := json.Marshal(text)
		values = append(values, string(value))
	}
	values = append(values, scalars...)
	values = append(values, "[]", `["","zz"]`)
	slices.Sort(values)
	values = slices.Compact(values)
	for i, value := range values {
		values[i] = `{"f":{"a":` + value + `}}`
	}
	return values
}

var awkward = []string{"20250101120000", "2147483648", "1.20250101120000", "1.2.3-20250101120000",
	"1.2.3-1", "NaN", "Infinity", "-Infinity",
	"1e400", "-0", "+1", "0x10", "٣", "443 ", "4\t", "tRue", "TRUE", "K", "\u212a", "\x00",
	"\U0001f600", "a\U0001f600b", strings.Repeat("9", 130), "-9223372036854775809",
	"18446744073709551616", "256.0.0.1", "10.0.0.1 ", "1::2::3", "fe80::1%eth0", "10.0.0.0/33",
	"2026-02-30", "2026-13-01", "99999-01-01", "-1-01-01",
	"1960-01-01", "2300-01-01", "now", "now-1d/d", "2026-01-01||/M", "*", "?", "**", "?*",
	"9999999999999999999999"}

var awkwardNumbers = []string{"20250101120000", "2147483647", "2147483648", "-2147483649", "-1",
	"-129", "32768", "99999999999999999999.0", "1e39", "-1e39", "70000.0", "-9223372036854775807",
	"9223372036854775808", "0.001", "4.5e15", "9007199254740993.0", "253402300800000",
	"9223372036854"}

var blocks = []string{"10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8", "10.0.0.1/32",
	"::ffff:10.0.0.0/104", "::/96", "10.1.2.3/8", "::1/128", "fe80::/10"}
