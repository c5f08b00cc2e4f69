package match_test

import (
	"testing"

	"esrule/internal/event"
)

// TestDecisions holds, row by row, the cases in which esrule decides for itself, since
// Elasticsearch's own paths and versions disagree. docs/eql.md lists them under the same names.
func TestDecisions(t *testing.T) {
	m := &event.Mapping{Fields: map[string]event.FieldMapping{
		"short":  {Type: event.Keyword, Name: "keyword", IgnoreAbove: 3},
		"s":      {Type: event.Keyword, Name: "keyword"},
		"text":   {Type: event.Text, Name: "text"},
		"list.s": {Type: event.Keyword, Name: "keyword", Nested: "list"},
		"list.t": {Type: event.Keyword, Name: "keyword", Nested: "list"},
		"long":   {Type: event.Integer, Name: "long"},
		"null": {Type: event.Keyword, Name: "keyword", NullValue: "none", HasNullValue: true,
			FromFields: true},
		"date":   {Type: event.Date, Name: "date"},
		"double": {Type: event.Float, Name: "double"},
		"wild":   {Type: event.Keyword, Name: "wildcard"},

		"version": {Type: event.Version, Name: "version"},

		"unsigned": {Type: event.Unsigned, Name: "unsigned_long"},
		"scaled":   {Type: event.Float, Name: "scaled_float", ScalingFactor: 100},
		"nothing":  {Type: event.Keyword, Name: "keyword", Unsearchable: true},
		"integer":  {Type: event.Integer, Name: "integer"},
		"strict":   {Type: event.Integer, Name: "long", NoCoerce: true},
		"range":    {Type: event.Other, Name: "ip_range", Leaves: true},
		"flat":     {Type: event.Keyword, Name: "flattened", Leaves: true},
		"low": {Type: event.Keyword, Name: "keyword",
			Normalizer: &event.Normalizer{Name: "lowercase", Lowercase: true}},
		"to": {Type: event.Keyword, Name: "keyword", Copied: []string{"long"}},
	}}
	row := func(name string, check func(f func(condition, source string, want bool))) {
		t.Run(name, func(t *testing.T) {
			check(func(condition, source string, want bool) {
				t.Helper()
				if got := holds(t, m, condition, source); got != want {
					t.Errorf("%s of %s: got %v, want %v", condition, source, got, want)
				}
			})
		})
	}
	row("a value longer than ignore_above is there", func(f func(string, string, bool)) {
		f(`short == "abcdef"`, `{"short":"abcdef"}`, true)
		f(`short == null`, `{"short":"abcdef"}`, false)
		f(`length(short) == 6`, `{"short":"abcdef"}`, true)
	})
	row("a field that no index maps is missing", func(f func(string, string, bool)) {
		f(`?nowhere == null`, `{"nowhere":"x"}`, true)
		f(`nowhere == "x"`, `{"nowhere":"x"}`, false)
		f(`s == "a" and not ?nowhere : "x"`, `{"s":"a"}`, true)
		f(`s == "a" and not (?nowhere : "x" or s : "b")`, `{"s":"a"}`, true)
		f(`?nowhere`, `{}`, false)
	})
	row("the constant of startsWith, endsWith, stringContains is literal",
		func(f func(string, string, bool)) {
			f(`stringContains(s, "a*c")`, `{"s":"abc"}`, false)
			f(`stringContains(s, "a*c")`, `{"s":"xa*cx"}`, true)
			f(`endsWith(s, "?")`, `{"s":"abc"}`, false)
			f(`endsWith(s, "\\c")`, `{"s":"ab\\c"}`, true)
			f(`stringContains(s, "a\\b")`, `{"s":"ab"}`, false)
		})
	row("stringContains of the empty text is true where there is a value",
		func(f func(string, string, bool)) {
			f(`stringContains(s, "")`, `{"s":"a"}`, true)
			f(`stringContains(s, "")`, `{"s":""}`, true)
			f(`stringContains(s, "")`, `{}`, false)
			f(`stringContains(string(long), "")`, `{"long":5}`, true)
			f(`stringContains(string(long), "")`, `{}`, false)
		})
	row("wildcards on a function's result cross line ends", func(f func(string, string, bool)) {
		f(`concat(s, "!") : "a*c!"`, `{"s":"a\nb\nc"}`, true)
		f(`concat(s, "!") like "a?c!"`, `{"s":"a\nc"}`, true)
	})
	row("what would end the query with an exception is null", func(f func(string, string, bool)) {
		f(`number(s) == 1`, `{"s":"abc"}`, false)
		f(`number(s) == null`, `{"s":"abc"}`, true)
		f(`number(s) == 1`, `{"s":["abc","1"]}`, true)
		f(`long / 0 == null`, `{"long":5}`, true)
		f(`long % 0 == null`, `{"long":5}`, true)
		f(`long + 1 == null`, `{"long":9223372036854775807}`, true)
		f(`long - 1 == null`, `{"long":-9223372036854775808}`, true)
		f(`long * 2 == null`, `{"long":4611686018427387904}`, true)
		f(`long * 2 == -9223372036854775808`, `{"long":-4611686018427387904}`, true)
		f(`-long == null`, `{"long":-9223372036854775808}`, true)
		f(`long / -1 == null`, `{"long":-9223372036854775808}`, true)
		f(`long * 3000000000 == 6000000000`, `{"long":2}`, true) // 64 bits, not 32
		f(`not long / 0 > 1`, `{"long":5}`, true)
		f(`between(s, "b", "a", true) == null`, `{"s":"ab"}`, true)
	})
	row("letter case in : in~ like~ regex~ is ASCII", func(f func(string, string, bool)) {
		f(`s : "É"`, `{"s":"é"}`, false)
		f(`s in~ ("É")`, `{"s":"é"}`, false)
		f(`s like~ "É*"`, `{"s":"é"}`, false)
		f(`s regex~ "É"`, `{"s":"é"}`, false)
		f(`s : "k"`, `{"s":"\u212a"}`, false) // the Kelvin sign
		f(`concat(s, "") in~ ("É")`, `{"s":"é"}`, false)
		f(`s regex~ "[a-z]+"`, `{"s":"ABC"}`, false)
		f(`s regex~ "[abc]+"`, `{"s":"ABC"}`, true)
	})
	row("letter case in functions with ~ is Unicode", func(f func(string, string, bool)) {
		f(`startsWith~(s, "É")`, `{"s":"é"}`, true)
		f(`stringContains~(s, "ß")`, `{"s":"ẞ"}`, true)
		f(`indexOf~(s, "É") == 1`, `{"s":"aé"}`, true)
		f(`between~(s, "É", "É") == "X"`, `{"s":"éXé"}`, true)
	})
	row("a regular expression on a function's result has Lucene's syntax",
		func(f func(string, string, bool)) {
			f(`concat(s, "!") regex "a.c!"`, `{"s":"a\nc"}`, true)
			f(`concat(s, "!") regex "^abc!$"`, `{"s":"abc"}`, false)
			f(`concat(s, "!") regex "a@"`, `{"s":"abc"}`, true)
			f(`"abc" regex "a@"`, `{}`, true)
		})
	row("nested objects are arrays, text is whole", func(f func(string, string, bool)) {
		f(`list.s == "a" and list.t == "d"`, `{"list":[{"s":"a","t":"b"},{"s":"c","t":"d"}]}`, true)
		f(`text == "Two Words"`, `{"text":"Two Words"}`, true)
		f(`text == "two"`, `{"text":"Two Words"}`, false)
	})
	row("where _source and index disagree, the indexed value counts",
		func(f func(string, string, bool)) {
			f(`long == 4`, `{"long":"4.7"}`, true)
			f(`s == "1e3"`, `{"s":1e3}`, true)
			f("`null` == \"none\"", `{"null":null}`, true)
		})
	row("what a document writes in an unusual way is what the index made of it",
		func(f func(string, string, bool)) {
			f(`integer == 443`, `{"integer":"443 "}`, true)
			f(`integer == 0`, `{"integer":"NaN"}`, true)
			f(`long == 443`, `{"long":"443 "}`, false)
			f(`long == 443`, `{"long":"٤٤٣"}`, true)
			f(`strict == null`, `{"strict":"443"}`, true)
			f(`to == "1e3"`, `{"long":1e3}`, true)
		})
	row("numbers compare by value, constants rounded as values are",
		func(f func(string, string, bool)) {
			f(`unsigned == 4.0`, `{"unsigned":4}`, true)
			f(`scaled == 1.005`, `{"scaled":1.005}`, true)
		})
	row("a text is a number where Java reads one", func(f func(string, string, bool)) {
		f(`integer == "443 "`, `{"integer":443}`, true)
		f(`double < "Infinity"`, `{"double":1e300}`, true)
		f(`double == "-0"`, `{"double":-0.0}`, true)
		f(`double == "-0"`, `{"double":0.0}`, false)
		f(`integer == "NaN"`, `{"integer":0}`, false)
		f(`integer < "NaN"`, `{"integer":-1}`, true)
		f(`integer < "NaN"`, `{"integer":0}`, false)
		f(`integer == "0x10"`, `{"integer":16}`, false)
		f(`scaled > "1e300"`, `{"scaled":1e301}`, false)
		f(`scaled <= -0.0`, `{"scaled":0}`, true)
		f(`unsigned == 3`, `{"unsigned":"٣"}`, true)
	})
	row("a wildcard field is a keyword", func(f func(string, string, bool)) {
		f(`wild : ""`, `{"wild":""}`, true)
		f(`wild in~ ("")`, `{"wild":""}`, true)
		f(`wild like~ ("")`, `{"wild":""}`, true)
		f(`wild : "?*"`, `{"wild":""}`, false)
		f(`wild : "?*"`, `{"wild":"a"}`, true)
		f(`wild : "??*"`, `{"wild":"a"}`, false)
		f(`wild : "*😀"`, `{"wild":"a😀"}`, true)
		f(`wild < "é"`, `{"wild":"z"}`, true)
	})
	row("a version that the type refuses is compared", func(f func(string, string, bool)) {
		f(`version == "20250101120000"`, `{"version":"1.2.3"}`, false)
		f(`version < "20250101120000"`, `{"version":"1.2.3"}`, true)
		f(`version == ""`, `{"version":""}`, true)
		f(`version > "99.0"`, `{"version":""}`, true)
		f(`version < "x"`, `{"version":""}`, true)
		f(`version == null`, `{"version":""}`, false)
	})
	row("what has no index is there, and so is an object of another type",
		func(f func(string, string, bool)) {
			f(`nothing == "x"`, `{"nothing":"x"}`, true)
			f(`range == "10.0.0.0/8"`, `{"range":"10.0.0.0/8"}`, true)
			f(`range == null`, `{"range":{"gte":"10.0.0.1","lte":"10.0.0.9"}}`, false)
			f(`cidrMatch(range, "10.0.0.0/8")`, `{"range":"10.0.0.0/8"}`, false)
			f(`flat == null`, `{"flat":{"a":"x"}}`, false)
		})
	row("a normalizer changes values and constants, and not those of other functions",
		func(f func(string, string, bool)) {
			f(`low == "ABC"`, `{"low":"aBC"}`, true)
			f(`low regex "A\\W"`, `{"low":"ab"}`, true)
			f(`concat(low) == "ABC"`, `{"low":"aBC"}`, false)
			f(`concat(low) == "abc"`, `{"low":"aBC"}`, true)
		})
	row("now is one instant", func(f func(string, string, bool)) {
		f(`date < "now" and not date > "now-1d"`, `{"date":"2020-01-01"}`, true)
	})
	row("order and duplicates make no difference", func(f func(string, string, bool)) {
		f(`s == "a" and length(s) == 1`, `{"s":["b","a","a"]}`, true)
		f(`concat(s, s) == "ba"`, `{"s":["a","b"]}`, true)
	})
	row("types come from the mapping", func(f func(string, string, bool)) {
		f(`long == 4624`, `{"long":"4624"}`, true)
		f(`s == "4624"`, `{"s":4624}`, true)
		f(`long : "4624"`, `{"long":4624}`, true)
		f(`long : "46*"`, `{"long":4624}`, true)
		f(`length(long) == 4`, `{"long":4624}`, true)
		f(`s + 1 == 6`, `{"s":"5"}`, true)
	})
}
