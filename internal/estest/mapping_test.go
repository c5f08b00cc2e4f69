package estest

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestPortable(t *testing.T) {
	f := func(mapping, want string) {
		t.Helper()
		got, err := Portable([]byte(mapping))
		if err != nil {
			t.Errorf("%s: %v", mapping, err)
			return
		}
		if string(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", mapping, got, want)
		}
	}
	f(`{"properties":{"a":{"type":"wildcard","ignore_above":7}}}`,
		`{"properties":{"a":{"ignore_above":7,"type":"keyword"}}}`)
	f(`{"properties":{"a":{"type":"constant_keyword","value":"x"}}}`,
		`{"properties":{"a":{"type":"keyword"}}}`)
	f(`{"properties":{"a":{"type":"scaled_float","scaling_factor":1000}}}`,
		`{"properties":{"a":{"type":"double"}}}`)
	f(`{"properties":{"a":{"type":"unsigned_long"}}}`, `{"properties":{"a":{"type":"long"}}}`)
	f(`{"properties":{"a":{"type":"version"}}}`, `{"properties":{"a":{"type":"keyword"}}}`)
	f(`{"properties":{"a":{"type":"keyword","value":"stays"}}}`,
		`{"properties":{"a":{"type":"keyword","value":"stays"}}}`)
	// Multi-fields, nested objects, fields that are called like parameters, and lists.
	f(`{"a":{"type":"keyword","fields":{"text":{"type":"match_only_text"}}}}`,
		`{"a":{"fields":{"text":{"type":"text"}},"type":"keyword"}}`)
	f(`{"properties":{"type":{"type":"wildcard"},"value":{"type":"long"}}}`,
		`{"properties":{"type":{"type":"keyword"},"value":{"type":"long"}}}`)
	f(`{"dynamic_templates":[{"s":{"mapping":{"type":"wildcard"}}}]}`,
		`{"dynamic_templates":[{"s":{"mapping":{"type":"keyword"}}}]}`)
	f(`{"limit":12345678901234567890}`, `{"limit":12345678901234567890}`)
}

func TestPortableRefusesWhatIsNoJSON(t *testing.T) {
	if got, err := Portable([]byte(`{"properties":`)); err == nil {
		t.Errorf("got %s, want an error", got)
	}
}

// TestHas takes a type that every server has and one that none has.
func TestHas(t *testing.T) {
	c := For(t)
	f := func(mapping string, want bool) {
		t.Helper()
		if got := c.Has(mapping, json.RawMessage(mapping)); got != want {
			t.Errorf("%s: got %v, want %v", mapping, got, want)
		}
	}
	f(`{"properties":{"a":{"type":"keyword"}}}`, true)
	f(`{"properties":{"a":{"type":"keyword","fields":{"b":{"type":"no_such_type"}}}}}`, false)
	f(`{"runtime":{"a":{"type":"keyword","script":{"source":"1","lang":"no_such_language"}}}}`,
		false)
}

func TestFieldsMapping(t *testing.T) {
	f := func(yml, want string) {
		t.Helper()
		got, err := FieldsMapping([]byte(yml))
		if err != nil {
			t.Errorf("%s: %v", yml, err)
			return
		}
		if string(got) != want {
			t.Errorf("%s\n got %s\nwant %s", yml, got, want)
		}
	}
	f("- name: message\n  type: text\n  description: words\n  example: more\n",
		`{"properties":{"message":{"type":"text"}}}`)
	f("- name: file\n  type: group\n  fields:\n    - name: path\n      type: keyword\n      "+
		"ignore_above: 1024\n",
		`{"properties":{"file":{"properties":{"path":{"ignore_above":1024,"type":"keyword"}}}}}`)
	f("- name: file\n  type: group\n  fields:\n    - {name: path, type: keyword, multi_fields: "+
		"[{name: text, type: text, norms: false}]}\n",
		`{"properties":{"file":{"properties":{"path":{"fields":{"text":{"norms":false,"type":"text"}},"type":"keyword"}}}}}`)
	// Dotted names, on both levels, and an object that has children of its own further down.
	f("- {name: a.b, type: object, enabled: true}\n- {name: a.b.c, type: long}\n- {name: a, "+
		"type: group, fields: [{name: b.d, type: ip}]}\n",
		`{"properties":{"a":{"properties":{"b":{"enabled":true,"properties":{"c":{"type":"long"},"d":{"type":"ip"}},"type":"object"}}}}}`)
	f("- {name: n, type: nested, fields: [{name: x}]}\n",
		`{"properties":{"n":{"properties":{"x":{"type":"keyword"}},"type":"nested"}}}`)
	// Without a type: a group where it has fields, else a keyword. An empty group and a reference
	// say nothing.
	f("- {name: g, fields: [{name: x, type: array}]}\n- {name: empty, type: group, fields: "+
		"[]}\n- {name: host.name, external: ecs}\n",
		`{"properties":{"g":{"properties":{"x":{"type":"keyword"}}}}}`)
	f("- {name: a, type: alias, path: b.c}\n- {name: s, type: scaled_float, scaling_factor: "+
		"1000}\n- {name: k, type: constant_keyword, value: v}\n",
		`{"properties":{"a":{"path":"b.c","type":"alias"},"k":{"type":"constant_keyword","value":"v"},"s":{"scaling_factor":1000,"type":"scaled_float"}}}`)
}

func TestFieldsMappingRefuses(t *testing.T) {
	f := func(yml string) {
		t.Helper()
		if got, err := FieldsMapping([]byte(yml)); err == nil {
			t.Errorf("%q: got %s, want an error", yml, got)
		}
	}
	f("processors:\n  - set: {field: a}\n")
	f("- type: keyword\n")
	f("- name: [a\n")
}

func TestTemplateFromJSON(t *testing.T) {
	f := func(file, want string) {
		t.Helper()
		got, err := templateFrom("x.json", []byte(file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		var template struct{ Mappings json.RawMessage }
		if err := json.Unmarshal(got, &template); err != nil || string(template.Mappings) != want {
			t.Errorf("%s:\n got %s\nwant mappings %s", file, got, want)
		}
	}
	f(`{"mappings":{"dynamic":false}}`, `{"dynamic":false}`)
	f(`{"template":{"mappings":{"properties":{"a":{"type":"wildcard"}}}}}`,
		`{"properties":{"a":{"type":"keyword"}}}`)
	f(`{"component_template":{"template":{"mappings":{"dynamic":true}}}}`, `{"dynamic":true}`)
	f(`{"index_template":{"template":{"mappings":{"dynamic":true}}}}`, `{"dynamic":true}`)
	f(`{"template":{"settings":{ {% if x == "y" %} "l":{"n":1}, {%- else %} "l":{}, {%- endif -%} "m":2 },"mappings":{}}}`, `{}`)
	f(`{"a.b":"keyword","a.c":"wildcard"}`,
		`{"properties":{"a":{"properties":{"b":{"type":"keyword"},"c":{"type":"keyword"}}}}}`)
}

// The templates of the corpus that describe fields are taken by the server.
func TestCorpusTemplatesAreTaken(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(Corpus(t), "templates", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates in the corpus: %v", err)
	}
	c := For(t)
	taken := 0
	for _, file := range files {
		name := filepath.Base(file)
		switch {
		case strings.Contains(name, "pipeline"), filepath.Ext(name) == ".yml" &&
			name != "endpoint_file_fields_19941229.yml",
			name == "rally_logs-endpoint.events.file-8.15.1.json":
			continue // ingest pipelines
		}
		c.Create(c.Index("mapped"), CorpusTemplate(t, name))
		c.Delete(c.Index("mapped"))
		taken++
	}
	if taken < 5 {
		t.Errorf("only %d of %d files were tried", taken, len(files))
	}
}
