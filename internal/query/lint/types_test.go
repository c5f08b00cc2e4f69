package lint_test

import (
	"slices"
	"testing"

	"esrule/internal/date"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/lint"
)

// mapped makes the mappings of a field by their types' names; "" is an index that does not map it.
func mapped(names ...string) []event.FieldMapping {
	var list []event.FieldMapping
	for _, name := range names {
		m := event.FieldMapping{}
		if name != "" {
			m = event.FieldMapping{Type: event.TypeOf(name), Name: name}
		}
		list = append(list, m)
	}
	return list
}

func constant(values ...string) []event.FieldMapping {
	var list []event.FieldMapping
	for _, value := range values {
		list = append(list, event.FieldMapping{Type: event.Keyword, Name: "constant_keyword",
			Constant: value})
	}
	return list
}

func TestTypes(t *testing.T) {
	fields := lint.Fields{
		"pid": mapped("long"), "ratio": mapped("double"), "on": mapped("boolean"),
		"ip": mapped("ip"), "name": mapped("keyword"),
		"both": mapped("keyword", "long"), "none": mapped(""), "some": mapped("", "long"),
		"port": mapped("short"), "big": mapped("unsigned_long"),
		"when": mapped("date"), "nanos": mapped("", "date_nanos"), "thing": mapped("object"),
		"maybe": mapped("object", "keyword"),
		"day":   {{Type: event.Date, Name: "date", Formats: "epoch_second"}},
		"local": {{Type: event.Date, Name: "date", Formats: "dd.MM.yyyy", ServerRead: true,
			Constants: &date.Constants{"31.12.2025": {}}}},
		"unasked": {{Type: event.Date, Name: "date", Formats: "dd.MM.yyyy", ServerRead: true}},
		"set":     constant("win.log"), "sets": constant("win.log", "lin.log"),
		"unset": constant(""), "lacking": append(constant("win.log"), event.FieldMapping{}),
		"mixed":          append(constant("win.log"), mapped("keyword")...),
		"event.category": constant("process"),
	}
	query := func(text string, want ...string) {
		t.Helper()
		q, err := eql.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var got []string
		never, texts := lint.Types(q, fields)
		for _, one := range append(never, texts...) {
			got = append(got, one.At.Message)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", text, got, want)
		}
	}
	f := func(condition string, want ...string) {
		t.Helper()
		query("any where "+condition, want...)
	}
	f(`pid == 4 and pid > 4.5 and pid == "4" and pid != "x" and ratio == 4.5 and on == true and ip == "10.0.0.0/8" and name == 5 and both == "x" and none == "x" and pid == null`)

	// Numbers. An index that lacks the field has no event that satisfies it either.
	f(`pid == "x"`, `no event satisfies this: pid is of type long there, and "x" is no number`)
	f(`some == "x"`, `no event satisfies this: some is of type long there, and "x" is no number`)
	f(`4.5 == pid`, `no event satisfies this: pid is of type long there, and 4.5 is no whole number`)
	f(`pid == true`, `no event satisfies this: pid is of type long there, and true is no number`)
	f(`pid in (1, "x")`, `no event satisfies this: pid is of type long there, and "x" is no number`)
	f(`pid not in (1, "x") and pid in (1, 2, null)`)
	f(`port == 70000`, `no event satisfies this: port is of type short there, and 70000 is out of its range`)
	f(`port == "70000"`, `no event satisfies this: port is of type short there, and "70000" is out of its range`)
	f(`port > 70000`, `no event satisfies this: port is of type short there, and no value of it is so large as 70000`)
	f(`-70000 >= port`, `no event satisfies this: port is of type short there, and no value of it is so small as -70000`)
	f(`port < 70000 and port > -70000 and port == 443 and port == 443.0`)
	f(`pid == 18446744073709551615`,
		`no event satisfies this: pid is of type long there, and 18446744073709551615 is out of its range`)
	f(`big == 18446744073709551615 and big > 0`)
	f(`big == -1`, `no event satisfies this: big is of type unsigned_long there, and -1 is out of its range`)
	f(`big < 0`, `no event satisfies this: big is of type unsigned_long there, and no value of it is so small as 0`)
	f(`ratio > "high"`, `no event satisfies this: ratio is of type double there, and "high" is no number`)

	// Booleans, and fields that stand as conditions.
	f(`on == 1`, `no event satisfies this: on is of type boolean there, and 1 is neither true nor false`)
	f(`on == "True"`, `no event satisfies this: on is of type boolean there, and "True" is neither true nor false`)
	f(`on and not on or on == "true"`)
	f(`pid`, `no event satisfies this: pid is of type long there, and true is no number`)
	f(`on and not ip`, `no event satisfies this: ip is of type ip there, and true is no address`)

	// Addresses.
	f(`ip == "host"`, `no event satisfies this: ip is of type ip there, and "host" is no address`)
	f(`ip == 10`, `no event satisfies this: ip is of type ip there, and 10 is no address`)
	f(`ip in ("10.0.0.0/8", "10.0.0.0/33")`,
		`no event satisfies this: ip is of type ip there, and "10.0.0.0/33" is no block of addresses`)
	f(`ip == "10.0.0.0/"`, `no event satisfies this: ip is of type ip there, and "10.0.0.0/" is no block of addresses`)
	f(`ip == "::1" or ip == "fe80::/10"`)

	// Dates.
	f(`when > "yesterday"`, `no event satisfies this: when is of type date there, and "yesterday" is no date in its format`)
	f(`when == true`, `no event satisfies this: when is of type date there, and true is no date in its format`)
	f(`when == "2026-13-01"`,
		`no event satisfies this: when is of type date there, and "2026-13-01" is no date in its format`)
	f(`nanos < "1 hour ago"`,
		`no event satisfies this: nanos is of type date_nanos there, and "1 hour ago" is no date in its format`)
	f(`when > "now-1h" and when < "2026-01-01" and when == 1700000000000 and when >= "2026-01-01||/M" and nanos > "2026-01-01T00:00:00Z" and day > "1700000000"`)
	f(`local > "31.12.2025" and unasked > "yesterday"`)
	f(`local > "yesterday"`,
		`no event satisfies this: local is of type date there, and "yesterday" is no date in its format`)

	// Objects have no value of their own.
	f(`thing == "x"`, `no event satisfies this: thing is an object there, which has no value of its own`)
	f(`thing : "x*"`, `no event satisfies this: thing is an object there, which has no value of its own`)
	f(`startsWith(thing, "x")`,
		`no event satisfies this: thing is an object there, which has no value of its own`)
	f(`maybe == "x" or thing == null or thing != "x"`)

	// A constant_keyword has one value in all events of its index.
	f(`set == "lin.log"`, `no event satisfies this: set is "win.log" in every event there`)
	f(`set in ("a", "b")`, `no event satisfies this: set is "win.log" in every event there`)
	f(`set : "lin*"`, `no event satisfies this: set is "win.log" in every event there`)
	f(`set regex "lin.*"`, `no event satisfies this: set is "win.log" in every event there`)
	f(`startsWith(set, "lin")`, `no event satisfies this: set is "win.log" in every event there`)
	f(`set != "win.log"`, `no event satisfies this: set is "win.log" in every event there`)
	f(`name == "x" and not set : "WIN*"`,
		`no event satisfies this: set is "win.log" in every event there`)
	f(`set == null`, `no event satisfies this: set is "win.log" in every event there`)
	f(`sets == "x"`, `no event satisfies this: sets is "win.log" or "lin.log" in every event there`)
	f(`lacking == "x"`, `no event satisfies this: lacking is "win.log" in every event there`)
	f(`set == "win.log" and set : "WIN.*" and sets == "lin.log" and unset == "x" and mixed == "x" and lacking != "win.log"`)
	query(`file where true`,
		`no event satisfies this: event.category is "process" in every event there`)
	query(`process where true`)

	// Texts.
	f(`pid : "4*"`, `pid is of type long there, so : looks at its text; Elasticsearch refuses that`)
	f(`when like "2026*"`, `when is of type date there, so like looks at its text; Elasticsearch refuses that`)
	f(`both in~ ("x")`, `both is of type long there, so in~ looks at its text; Elasticsearch refuses that`)
	f(`startsWith(ip, "10.")`,
		`ip is of type ip there, so startsWith looks at its text; Elasticsearch refuses that`)
	f(`length(pid) > 3`, `pid is of type long there, so length looks at its text; Elasticsearch refuses that`)
	f(`cidrMatch(name, "10.0.0.0/8")`,
		`name is of type keyword there, so cidrMatch looks at texts that are addresses; Elasticsearch refuses that`)
	f(`cidrMatch(ip, "10.0.0.0/8")`)
}
