package match_test

import (
	"strings"
	"testing"

	"esrule/internal/event"
	"esrule/internal/query/match"
)

// typed has a field of each type, named after it.
var typed = &event.Mapping{Fields: map[string]event.FieldMapping{
	"s": {Type: event.Keyword, Name: "keyword"}, "t": {Type: event.Keyword, Name: "keyword"},
	"long": {Type: event.Integer, Name: "long"}, "n": {Type: event.Integer, Name: "long"},
	"unsigned": {Type: event.Unsigned, Name: "unsigned_long"},
	"double":   {Type: event.Float, Name: "double"}, "float": {Type: event.Float, Name: "float"},
	"half":   {Type: event.Float, Name: "half_float"},
	"scaled": {Type: event.Float, Name: "scaled_float", ScalingFactor: 10},
	"on":     {Type: event.Boolean, Name: "boolean"}, "text": {Type: event.Text, Name: "text"},
	"date": {Type: event.Date, Name: "date"}, "nanos": {Type: event.DateNanos, Name: "date_nanos"},
	"day": {Type: event.Date, Name: "date", Formats: "epoch_second"},
	"ip":  {Type: event.IP, Name: "ip"}, "version": {Type: event.Version, Name: "version"},
}}

// holds gives what the matcher says of a condition, having seen that Explain says the same.
func holds(t *testing.T, m *event.Mapping, condition, source string) bool {
	t.Helper()
	matcher, e := compile(t, "any where "+condition, match.Options{})
	read(t, e, m, source)
	got := matcher.Match(e)
	if explained := matcher.Explain(e).Holds; explained != got {
		t.Errorf("%s of %s: Match says %v, Explain %v", condition, source, got, explained)
	}
	return got
}

func TestFunctions(t *testing.T) {
	f := func(condition, source string, want bool) {
		t.Helper()
		if got := holds(t, typed, condition, source); got != want {
			t.Errorf("%s of %s: got %v, want %v", condition, source, got, want)
		}
	}
	// length counts UTF-16 units.
	f(`length(s) == 3`, `{"s":"abc"}`, true)
	f(`length(s) == 0`, `{"s":""}`, true)
	f(`length(s) == 3`, `{"s":"é😀"}`, true)
	f(`length(s) == null`, `{}`, true)
	f(`length(s) > 0`, `{}`, false)
	f(`not length(s) > 0`, `{}`, true)
	f(`length(s) > 2`, `{"s":["a","abc"]}`, true)
	f(`LENGTH(s) == 1`, `{"s":"a"}`, true)
	f(`length("abc") == 3`, `{}`, true)
	// startsWith, endsWith, stringContains.
	f(`startsWith(s, "ab")`, `{"s":"abc"}`, true)
	f(`startsWith(s, "AB")`, `{"s":"abc"}`, false)
	f(`startsWith~(s, "AB")`, `{"s":"abc"}`, true)
	f(`startsWith(s, "")`, `{"s":""}`, true)
	f(`startsWith(s, "")`, `{}`, false)
	f(`not startsWith(s, "a")`, `{}`, true)
	f(`startsWith(s, "a") == false`, `{}`, true)
	f(`startsWith(s, "a") != true`, `{}`, true)
	f(`startsWith(s, "a") == true`, `{"s":["b","a"]}`, true)
	f(`startsWith("abc", s)`, `{"s":"ab"}`, true)
	f(`startsWith~(s, substring(t, 0, -1))`, `{"s":"HOST-1","t":"host$"}`, true)
	f(`endsWith(s, "bc")`, `{"s":"abc"}`, true)
	f(`endsWith~(s, "É")`, `{"s":"abé"}`, true)
	f(`endsWith(s, t)`, `{"s":["ax","by"],"t":["z","y"]}`, true)
	f(`stringContains(s, "b")`, `{"s":"abc"}`, true)
	f(`stringContains~(s, "B")`, `{"s":"abc"}`, true)
	f(`stringContains(s, "x")`, `{"s":"abc"}`, false)
	// ~ folds as Java's toLowerCase does.
	f(`startsWith~(s, "ΟΔΟΣ")`, `{"s":"οδος x"}`, true)
	f(`endsWith~(s, "i̇")`, `{"s":"İ"}`, true)
	// indexOf.
	f(`indexOf(s, "b") == 1`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "b", 2) == 3`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "b", -5) == 1`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "b", null) == 1`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "b", 99) == null`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "x") == null`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "x") != null`, `{"s":"abcb"}`, false)
	f(`indexOf(s, "", 2) == 2`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "B") == null`, `{"s":"abcb"}`, true)
	f(`indexOf~(s, "B") == 1`, `{"s":"abcb"}`, true)
	f(`indexOf(s, "b") == 3`, `{"s":"é😀b"}`, true)
	// substring slices.
	f(`substring(s, 1) == "bcd"`, `{"s":"abcd"}`, true)
	f(`substring(s, 1, 3) == "bc"`, `{"s":"abcd"}`, true)
	f(`substring(s, -2) == "cd"`, `{"s":"abcd"}`, true)
	f(`substring(s, 0, -1) == "abc"`, `{"s":"abcd"}`, true)
	f(`substring(s, null, null) == "abcd"`, `{"s":"abcd"}`, true)
	f(`substring(s, 3, 1) == ""`, `{"s":"abcd"}`, true)
	f(`substring(s, -99, 99) == "abcd"`, `{"s":"abcd"}`, true)
	f(`substring(s, 99) == ""`, `{"s":"abcd"}`, true)
	f(`substring(s, 1, 3) == "😀"`, `{"s":"é😀b"}`, true)
	f(`concat(substring(s, 0, 2), substring(s, 2)) == "é😀b"`, `{"s":"é😀b"}`, true)
	f(`length(substring(s, 2)) == 2`, `{"s":"é😀b"}`, true)
	f(`substring(s, 0, length(t)) : "AB"`, `{"s":"abcd","t":"xy"}`, true)
	// between.
	f(`between(s, "a", "c") == "b"`, `{"s":"abc"}`, true)
	f(`between(s, "(", ")") == "x"`, `{"s":"(x)y)"}`, true)
	f(`between(s, "(", ")", true) == "x)y"`, `{"s":"(x)y)"}`, true)
	f(`between(s, "(", ")", false) == "x"`, `{"s":"(x)y)"}`, true)
	f(`between(s, "x", "c") == ""`, `{"s":"abc"}`, true)
	f(`between(s, "a", "x") == ""`, `{"s":"abc"}`, true)
	f(`between(s, "", "c") == "abc"`, `{"s":"abc"}`, true)
	f(`between(s, "A", "C") == ""`, `{"s":"aBc"}`, true)
	f(`between~(s, "A", "C") == "B"`, `{"s":"aBc"}`, true)
	f(`between(s, "a", null) == null`, `{"s":"abc"}`, true)
	// concat and string write as Java does.
	f(`concat(s, ":", long, on, double) == "a:5true1.5"`,
		`{"s":"a","long":5,"on":true,"double":1.5}`, true)
	f(`concat(double) == "1.0E10"`, `{"double":10000000000}`, true)
	f(`concat(double) == "1.0E-4"`, `{"double":0.0001}`, true)
	f(`concat(double) == "100.0"`, `{"double":100}`, true)
	f(`concat(long) == "4"`, `{"long":"4.7"}`, true)
	f(`concat(s, long) == null`, `{"s":"a"}`, true)
	f(`string(ip) == "2001:db8::1"`, `{"ip":"2001:DB8:0:0::1"}`, true)
	f(`string(date) == "2026-01-02T03:04:05.678Z"`, `{"date":"2026-01-02T03:04:05.678Z"}`, true)
	f(`string(date) == "2026-01-02T03:04Z"`, `{"date":"2026-01-02T03:04:00Z"}`, true)
	f(`string(unsigned) == "18446744073709551615"`, `{"unsigned":18446744073709551615}`, true)
	f(`string(on) : "TRUE"`, `{"on":"true"}`, true)
	f(`string(long) in~ ("A", "5")`, `{"long":5}`, true)
	f(`string(long) regex "[0-9]+"`, `{"long":5}`, true)
	f(`string(long) like ("1*", "2*")`, `{"long":23}`, true)
	f(`not string(long) like "1*"`, `{}`, true)
	// number.
	f(`number(s) == 5`, `{"s":"5"}`, true)
	f(`number(s) == -5.5`, `{"s":"-5.5"}`, true)
	f(`number(s) == 1e5`, `{"s":" 1e5 "}`, true)
	f(`number(s) == 50`, `{"s":"0x32"}`, true)
	f(`number(s, 16) == 50`, `{"s":"0x32"}`, true)
	f(`number(s, 16) == 50`, `{"s":"32"}`, true)
	f(`number(s, 10) == null`, `{"s":"0x32"}`, true)
	f(`number(s, null) == 32`, `{"s":"32"}`, true)
	f(`number(s, 2) == 5`, `{"s":"101"}`, true)
	f(`number(s, 99) == null`, `{"s":"1"}`, true)
	f(`number(s) > 1000`, `{"s":"NaN"}`, true) // Java orders NaN last
	f(`number(s) == null`, `{"s":"1_0"}`, true)
	f(`n == number("5")`, `{"n":5}`, true)
	// cidrMatch.
	f(`cidrMatch(ip, "10.6.48.157/8")`, `{"ip":"10.1.2.3"}`, true)
	f(`cidrMatch(ip, "192.168.0.0/16", "10.0.0.0/8")`, `{"ip":"10.1.2.3"}`, true)
	f(`cidrMatch(ip, "10.1.2.3")`, `{"ip":"10.1.2.3"}`, true)
	f(`cidrMatch(ip, "0.0.0.0/0")`, `{"ip":"10.1.2.3"}`, true)
	f(`cidrMatch(ip, "0.0.0.0/0")`, `{"ip":"fd00::1"}`, false)
	f(`cidrMatch(ip, "::/0")`, `{"ip":"10.1.2.3"}`, true)
	f(`cidrMatch(ip, "::ffff:10.0.0.0/104")`, `{"ip":"10.1.2.3"}`, true)
	f(`cidrMatch(ip, "fd00::/8")`, `{"ip":["10.0.0.1","fd12::1"]}`, true)
	f(`cidrMatch(ip, "10.0.0.0/8") == null`, `{}`, true)
	f(`not cidrMatch(ip, "10.0.0.0/8")`, `{}`, true)
	f(`string(cidrMatch(ip, "10.0.0.0/8")) : "true"`, `{"ip":"10.0.0.1"}`, true)
	// Functions of arithmetic are the operators.
	f(`add(n, 1) == 6 and subtract(n, 1) == 4 and multiply(n, 2) == 10 and divide(n, 2) == 2 and modulo(n, 3) == 2`, `{"n":5}`, true)
}

func TestArithmetic(t *testing.T) {
	f := func(condition, source string, want bool) {
		t.Helper()
		if got := holds(t, typed, condition, source); got != want {
			t.Errorf("%s of %s: got %v, want %v", condition, source, got, want)
		}
	}
	f(`n + 1 == 6`, `{"n":5}`, true)
	f(`-n == -5`, `{"n":5}`, true)
	f(`n - 1 * 2 == 3`, `{"n":5}`, true)
	f(`(n - 1) * 2 == 8`, `{"n":5}`, true)
	f(`n / 2 == 2`, `{"n":5}`, true)
	f(`n / 2 == -2`, `{"n":-5}`, true)
	f(`n / 2.0 == 2.5`, `{"n":5}`, true)
	f(`n % 3 == -2`, `{"n":-5}`, true)
	f(`n % 2.5 == 0.5`, `{"n":8}`, true)
	f(`double / 0 > 1`, `{"double":5}`, true) // infinity
	f(`n + 1 == null`, `{}`, true)
	f(`not n + 1 == 6`, `{}`, true)
	f(`n + n == 7`, `{"n":[3,4]}`, true) // each is chosen for
	f(`1 + 2 * 3 == 7`, `{}`, true)
	f(`n == 1 + 2`, `{"n":3}`, true)
	f(`unsigned - 1 == 18446744073709551614`, `{"unsigned":18446744073709551615}`, true)
	f(`unsigned + 1 == null`, `{"unsigned":18446744073709551615}`, true)
	f(`null == (n > 1)`, `{}`, true)
	f(`null == (n > 1)`, `{"n":5}`, false)
	f(`(n > 1) == true`, `{"n":5}`, true)
	f(`(n > 1) == false`, `{}`, true) // condition == false is its negation
	f(`(n > 1) != false`, `{"n":5}`, true)
	f(`string(n > 1 and s == "x") == "true"`, `{"n":5,"s":"x"}`, true)
	f(`string(n > 1 and s == "x") == "false"`, `{"n":0}`, true) // false decides, whatever null is
	f(`concat(n > 1 and s == "x") == null`, `{"n":5}`, true)
	f(`string(not n in (1, 2)) == "true"`, `{"n":5}`, true)
	f(`string(s : "X*") == "true"`, `{"s":"xyz"}`, true)
}

func TestOrder(t *testing.T) {
	f := func(condition, source string, want bool) {
		t.Helper()
		if got := holds(t, typed, condition, source); got != want {
			t.Errorf("%s of %s: got %v, want %v", condition, source, got, want)
		}
	}
	// Numbers by value, across kinds, exactly.
	f(`long < 5.5`, `{"long":5}`, true)
	f(`5.5 > long`, `{"long":5}`, true)
	f(`long >= 5.5`, `{"long":5}`, false)
	f(`long == 5.0`, `{"long":5}`, true)
	f(`long > 9007199254740992.0`, `{"long":9007199254740993}`, true)
	f(`long < 18446744073709551615`, `{"long":5}`, true)
	f(`long > "4"`, `{"long":5}`, true)
	f(`long > "x"`, `{"long":5}`, false)
	f(`not long > 5`, `{}`, true)
	f(`long > 3 and long < 2`, `{"long":[1,4]}`, true)
	f(`unsigned > 9223372036854775807`, `{"unsigned":9223372036854775808}`, true)
	f(`unsigned == 18446744073709551615`, `{"unsigned":"18446744073709551615"}`, true)
	f(`unsigned == 18446744073709551614`, `{"unsigned":"18446744073709551615"}`, false)
	// A float compares with the constant as it would hold it.
	f(`float == 0.1`, `{"float":0.1}`, true)
	f(`float > 0.1`, `{"float":0.1}`, false)
	f(`half == 0.1`, `{"half":0.1}`, true)
	f(`half == 0.1001`, `{"half":0.1}`, false)
	f(`double == 0.1`, `{"double":0.1}`, true)
	f(`scaled == 1.2`, `{"scaled":1.23}`, true)
	f(`scaled == 1.24`, `{"scaled":1.23}`, true)
	f(`scaled < 1.24`, `{"scaled":1.23}`, true)
	f(`float + 0 == 0.1`, `{"float":0.1}`, false) // a script sees the double
	// Keywords by their bytes.
	f(`s > "System" and s < "Systez"`, `{"s":"System Idle Process"}`, true)
	f(`s < "a"`, `{"s":"Z"}`, true)
	f(`s < "é"`, `{"s":"z"}`, true)
	f(`s > "\u{e000}"`, `{"s":"😀"}`, true)
	f(`concat(s) > "\u{e000}"`, `{"s":"😀"}`, false) // Java's order
	f(`s < 5`, `{"s":"10"}`, true)                  // as texts
	f(`s == 5.0`, `{"s":"5.0"}`, true)
	f(`on > false`, `{"on":true}`, true)
	f(`on == "true"`, `{"on":true}`, true)
	// Dates: the precision that the constant gives.
	f(`date == "2026-01-02"`, `{"date":"2026-01-02T23:59:59.999Z"}`, true)
	f(`date == "2026-01-02T03:04:05Z"`, `{"date":"2026-01-02T03:04:05.678Z"}`, true)
	f(`date == "2026-01-02T03:04:05.678Z"`, `{"date":"2026-01-02T04:04:05.678+01:00"}`, true)
	f(`date < "2026-01-02"`, `{"date":"2026-01-02T00:00:00Z"}`, false)
	f(`date <= "2026-01-02"`, `{"date":"2026-01-02T23:00:00Z"}`, true)
	f(`date > "2026-01-02"`, `{"date":"2026-01-02T23:00:00Z"}`, false)
	f(`date > "2026-01-02"`, `{"date":"2026-01-03"}`, true)
	f(`date >= "2026-01-02"`, `{"date":"2026-01-02"}`, true)
	f(`date >= "2026-01-02||/M"`, `{"date":"2026-01-01"}`, true)
	f(`date == 1500000000000`, `{"date":"2017-07-14T02:40:00Z"}`, true)
	f(`date > "now-1h"`, `{"date":"2020-01-01"}`, false)
	f(`date < "now"`, `{"date":"2020-01-01"}`, true)
	f(`date == "yesterday"`, `{"date":"2020-01-01"}`, false)
	f(`date in ("2026-01-01", "2026-01-02")`, `{"date":"2026-01-02T10:00:00Z"}`, true)
	f(`nanos > "2026-01-02T03:04:05.123456788Z"`, `{"nanos":"2026-01-02T03:04:05.123456789Z"}`,
		true)
	f(`nanos == "2026-01-02T03:04:05.123Z"`, `{"nanos":"2026-01-02T03:04:05.123Z"}`, true)
	f(`day == "1767312000"`, `{"day":1767312000}`, true)
	f(`day < "2026-01-03"`, `{"day":1767312000}`, true)
	// Addresses.
	f(`ip == "10.0.0.1"`, `{"ip":"::ffff:10.0.0.1"}`, true)
	f(`ip == "10.0.0.0/8"`, `{"ip":"10.1.2.3"}`, true)
	f(`ip in ("192.168.0.0/16", "10.1.2.3")`, `{"ip":"10.1.2.3"}`, true)
	f(`ip != "10.0.0.0/8"`, `{"ip":"10.1.2.3"}`, false)
	f(`ip < "10.0.0.20"`, `{"ip":"10.0.0.3"}`, true)
	f(`ip < "::1"`, `{"ip":"10.0.0.3"}`, false)
	f(`ip == "x"`, `{"ip":"10.0.0.3"}`, false)
	// Versions.
	f(`version > "1.9.0"`, `{"version":"1.10.0"}`, true)
	f(`version < "2.0.0"`, `{"version":"2.0.0-rc1"}`, true)
	f(`version == "1.0.0"`, `{"version":"1.0"}`, false)
	// Regular expressions.
	f(`s regex "n.t1?"`, `{"s":"n\nt"}`, true)
	f(`s regex ("x", "n[a-e]t")`, `{"s":"net"}`, true)
	f(`s regex~ "NET"`, `{"s":"net"}`, true)
	f(`s regex "NET"`, `{"s":"net"}`, false)
	f(`s regex~ "[A-Z]+"`, `{"s":"net"}`, false)
	f(`s regex "^net$"`, `{"s":"net"}`, false)
	f(`not s regex "net"`, `{}`, true)
	f(`s regex "net&~(ne.)"`, `{"s":"net"}`, false)
}

// TestWithoutMapping: the other side decides what a value is.
func TestWithoutMapping(t *testing.T) {
	f := func(condition, source string, want bool) {
		t.Helper()
		if got := holds(t, nil, condition, source); got != want {
			t.Errorf("%s of %s: got %v, want %v", condition, source, got, want)
		}
	}
	f(`a == "5"`, `{"a":5}`, true)
	f(`a == 5`, `{"a":"5"}`, true)
	f(`a == 7`, `{"a":"007"}`, true)
	f(`a == 1000`, `{"a":"1e3"}`, true)
	f(`a == "1000"`, `{"a":"1e3"}`, false)
	f(`a == 5`, `{"a":[" 5","NaN","0x5","5_0"]}`, false)
	f(`a > 4 and a < 6`, `{"a":"5"}`, true)
	f(`a > 4`, `{"a":"x"}`, false)
	f(`a > "4"`, `{"a":5}`, true)
	f(`a < "4"`, `{"a":10}`, true) // as texts
	f(`a == true`, `{"a":"true"}`, true)
	f(`a`, `{"a":true}`, true)
	f(`a == 1`, `{"a":true}`, false)
	f(`a == true`, `{"a":1}`, false)
	f(`a + 1 == 6`, `{"a":"5"}`, true)
	f(`a + 1 == null`, `{"a":"x"}`, true)
	f(`length(a) == 1`, `{"a":5}`, true)
	f(`startsWith(a, "12")`, `{"a":123}`, true)
	f(`a : "5*"`, `{"a":512}`, true)
	f(`a in (5, 6)`, `{"a":"6"}`, true)
	f(`a in ("5", "6")`, `{"a":6}`, true)
	f(`cidrMatch(a, "10.0.0.0/8")`, `{"a":"10.1.2.3"}`, true)
	f(`cidrMatch(a, "10.0.0.0/8")`, `{"a":"x"}`, false)
	f("`@timestamp` > \"2026-01-01\"", `{"@timestamp":"2026-02-01T00:00:00+01:00"}`, true)
	f("@timestamp == 1500000000000", `{"@timestamp":"2017-07-14T02:40:00.000Z"}`, true)
}

// TestManyChoices: arrays in several fields of one function multiply, up to a limit.
func TestManyChoices(t *testing.T) {
	array := func(n int) string { return "[" + strings.Repeat(`"x",`, n-1) + `"y"]` }
	source := `{"s":` + array(3000) + `,"t":` + array(300) + `}`
	f := func(condition string, want bool) {
		t.Helper()
		if got := holds(t, typed, condition, source); got != want {
			t.Errorf("%s: got %v, want %v", condition, got, want)
		}
	}
	f(`concat(s, t) == "yy"`, true)             // the last of 900,000
	f(`concat(s, s, s, t, t) == "z"`, false)    // 2·10¹⁵
	f(`concat(s, s, s, t, t) == "xxxxx"`, true) // the first
}

// TestNoAllocations holds what keeps a scan fast: an event that does not match costs no memory.
func TestNoAllocations(t *testing.T) {
	source := `{"s":"C:\\Windows\\System32\\cmd.exe","t":"é","long":"42","double":1.5,"on":true,"date":"2026-01-02T03:04:05.678Z","ip":"10.0.0.1","version":"1.2.3"}`
	f := func(condition string) {
		t.Helper()
		for _, m := range []*event.Mapping{typed, nil} {
			matcher, e := compile(t, "any where "+condition, match.Options{})
			document := event.Document{Source: []byte(source)}
			judge := func() {
				if err := e.Read(m, document); err != nil {
					t.Fatal(err)
				}
				if matcher.Match(e) {
					t.Fatalf("%s matches", condition)
				}
			}
			judge() // makes the room that is used again
			if n := testing.AllocsPerRun(100, judge); n != 0 {
				t.Errorf("%s (mapping known: %v): %v allocations", condition, m != nil, n)
			}
		}
	}
	f(`s : ("*\\temp\\*", "a?c") or s == "x" or s in ("x", "y") or s in~ ("x", "y") or s > "z"`)
	f(`s regex~ ".*\\\\temp\\\\[a-z]+"`)
	f(`long == 43 or long > 50 or double < 0.5 or long in (1, 2)`)
	f(`date < "2020-01-01" or date == "2019"`)
	f(`length(s) > 500 or startsWith~(s, "X") or stringContains~(t, "Ë") or indexOf(s, "x", 3) == 99`)
	f(`between(s, "\\", "\\") == "x" or substring(s, -4) : ".dll" or concat(s, long, t) == "x" or string(long) == "1"`)
	f(`long + 1 == 5 or -long > 5 or long * 2.5 < 1 or number(s) == 1`)
}
