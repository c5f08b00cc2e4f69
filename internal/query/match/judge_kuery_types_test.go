package match_test

import (
	"encoding/json"
	"slices"
	"strings"

	"esrule/internal/event"
)

// kueryType is a type with the JSON of values that documents have, and constants.
type kueryType struct {
	parameters string
	values     []string
	constants  []string
	field      event.FieldMapping
}

func kueryTexts() []string {
	return []string{"foo", "Foo", "foo bar", "Bar Foo", "Invoke-Foo -Bar baz", "a.b.C", "a.b",
		"x.pst", ".pst", "C:\\Win\\X.EXE /c foo", "c:\\win", "it's", "x_y", "!!!", "", "İstanbul É",
		"istanbul", "kelvin \u212a", "KELVIN k", "1,5 3.14", "foo\nbar", "tab\there", "true", "22",
		"and", "(z)", `"q"`, "a*b", "a?b", "ſ ß", "漢字", "😀 foo", "ภาษา", "\u3000foo", "@kuery",
		"{x} [y]", "~t+u=v", "a/b", "foo-bar", "10.0.0.1", " foo ", "\u00a0foo"}
}

func kueryTypes() map[string]kueryType {
	types := map[string]kueryType{}
	for _, name := range []string{"long", "integer", "byte", "double", "float", "half_float",
		"boolean", "date", "date_nanos", "ip", "scaled_float"} {
		kind, ok := judgedTypes[name]
		if !ok {
			kind = fullServerTypes[name]
		}
		k := kueryType{parameters: kind.parameters(name), values: kind.values,
			field: kind.field(name)}
		for _, constant := range slices.Concat(kind.constants, kind.values) {
			k.constants = append(k.constants, strings.Trim(constant, `"`))
		}
		types[name] = k
	}
	texts := kueryTexts()
	var values []string
	for _, text := range texts {
		quoted, _ := json.Marshal(text)
		values = append(values, string(quoted))
	}
	values = append(values, "22", "1.50", "true")
	texts = append(texts, "1.50", "foo baz", "bar foo", "foo bar baz", "K", "pst")
	for name, f := range map[string]event.FieldMapping{
		"keyword": {}, "text": {}, "match_only_text": {},
		"lowercase": {Normalizer: &event.Normalizer{Name: "lowercase", Lowercase: true}},
	} {
		k := kueryType{values: values, constants: texts, field: f}
		k.field.Name = name
		if name == "lowercase" {
			k.field.Name, k.parameters = "keyword", `,"normalizer":"lowercase"`
		}
		k.field.Type = event.TypeOf(k.field.Name)
		types[name] = k
	}
	return types
}
