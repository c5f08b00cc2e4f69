package search_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
)

// mappingOf reads the mapping of one index and expects one class.
func mappingOf(t *testing.T, server *estest.Cluster, index string,
	fields ...string) *event.Mapping {
	t.Helper()
	classes, err := search.NewCluster(server.Client, search.Options{}).Mappings(t.Context(),
		[]string{index}, fields)
	if err != nil {
		t.Fatal(err)
	}
	if len(classes) != 1 || len(classes[0].Indices) != 1 || classes[0].Indices[0] != index {
		t.Fatalf("%s: got the classes %+v, want one of this index", index, classes)
	}
	return classes[0].Mapping
}

func TestFieldKinds(t *testing.T) {
	server := estest.For(t)
	index := server.Index("kinds")
	server.Create(index, `{
		"settings": {
			"index.mapping.ignore_above": 500,
			"analysis": {"normalizer": {"lower": {"type": "custom", "filter": ["lowercase"]}}}
		},
		"mappings": {"dynamic": false, "properties": {
			"k": {"type": "keyword"},
			"short": {"type": "keyword", "ignore_above": 10},
			"normal": {"type": "keyword", "normalizer": "lower"},
			"null": {"type": "keyword", "null_value": "none"},
			"columns": {"type": "keyword", "index": false},
			"nothing": {"type": "keyword", "index": false, "doc_values": false},
			"text": {"type": "text"},
			"file": {"properties": {"path": {"type": "text", "fields": {
				"raw": {"type": "keyword", "ignore_above": 256},
				"lower": {"type": "keyword", "normalizer": "lower"},
				"keyword": {"type": "keyword", "ignore_above": 1024},
				"words": {"type": "text"}}}}},
			"folded": {"type": "text", "fields": {"lower": {"type": "keyword", "normalizer": "lower"}}},
			"long": {"type": "long", "null_value": 7},
			"double": {"type": "double", "index": false},
			"boolean": {"type": "boolean", "null_value": true},
			"date": {"type": "date", "format": "epoch_millis||strict_date"},
			"nanos": {"type": "date_nanos"},
			"ip": {"type": "ip"},
			"flat": {"type": "flattened", "ignore_above": 2147483647},
			"cut": {"type": "flattened"},
			"alias": {"type": "alias", "path": "short"},
			"text_alias": {"type": "alias", "path": "file.path"},
			"flat_alias": {"type": "alias", "path": "flat"},
			"nested": {"type": "nested", "properties": {
				"k": {"type": "keyword"},
				"object": {"properties": {"n": {"type": "long"}}},
				"inner": {"type": "nested", "properties": {"k": {"type": "keyword"}}}}},
			"from": {"type": "keyword", "copy_to": ["to", "object.to"]},
			"to": {"type": "keyword"},
			"object": {"properties": {"to": {"type": "keyword"}, "copy_to": {"type": "keyword"}}},
			"off": {"type": "object", "enabled": false},
			"dotted": {"type": "object", "subobjects": false, "properties": {"a": {"type": "long"}, "a.b": {"type": "keyword"}}},
			"point": {"type": "geo_point"}, "a,b": {"type": "long"}, "axb": {"type": "keyword"}
		}}}`)
	fields := []string{
		"k", "short", "normal", "null", "columns", "nothing", "text", "file.path", "file.path.raw",
		"folded", "long", "double", "boolean", "date",
		"nanos", "ip", "flat", "flat.a", "flat.a.b", "cut.a", "alias", "text_alias", "flat_alias.a",
		"nested", "nested.k", "nested.object.n",
		"nested.inner.k", "from", "to", "object", "object.to", "object.copy_to", "off", "off.k",
		"dotted.a", "dotted.a.b", "point", "unmapped", "un.mapped", "a,b", "c,d", "_id",
	}
	got := mappingOf(t, server, index, fields...)
	lower := &event.Normalizer{Name: "lower",
		Definition: `["lower",{"filter":["lowercase"],"type":"custom"},{}]`, Lowercase: true}
	words := func(field string) *event.Words {
		return &event.Words{Field: field, Analyzer: "default", Standard: true}
	}
	want := map[string]event.FieldMapping{
		"k":     {Type: event.Keyword, Name: "keyword", Exact: "k", IgnoreAbove: 500},
		"short": {Type: event.Keyword, Name: "keyword", Exact: "short", IgnoreAbove: 10},
		"normal": {Type: event.Keyword, Name: "keyword", Exact: "normal", IgnoreAbove: 500,
			Normalizer: lower},
		"null": {Type: event.Keyword, Name: "keyword", Exact: "null", IgnoreAbove: 500,
			NullValue: "none", HasNullValue: true},
		"columns": {Type: event.Keyword, Name: "keyword", Exact: "columns", IgnoreAbove: 500,
			Unindexed: true},
		"nothing": {Type: event.Keyword, Name: "keyword", Exact: "nothing", IgnoreAbove: 500,
			Unsearchable: true},
		"text": {Type: event.Text, Name: "text", Words: words("text")},
		"file.path": {Type: event.Text, Name: "text", Exact: "file.path.keyword",
			IgnoreAbove: 1024, Words: words("file.path")},
		// `_source` has a sub-field's values under its parent's name.
		"file.path.raw": {Type: event.Keyword, Name: "keyword", Exact: "file.path.raw",
			IgnoreAbove: 256, SourcePath: "file.path"},
		"folded": {Type: event.Text, Name: "text", Exact: "folded.lower", IgnoreAbove: 500,
			Normalizer: lower, Words: words("folded")},
		"long": {Type: event.Integer, Name: "long", Exact: "long", NullValue: "7",
			HasNullValue: true},
		"double": {Type: event.Float, Name: "double", Exact: "double", Unindexed: true},
		"boolean": {Type: event.Boolean, Name: "boolean", Exact: "boolean", NullValue: "true",
			HasNullValue: true},
		"date": {Type: event.Date, Name: "date", Exact: "date",
			Formats: "epoch_millis||strict_date", DocValues: true, ServerRead: true,
			FromFields: true},
		"nanos": {Type: event.DateNanos, Name: "date_nanos", Exact: "nanos",
			Formats: "strict_date_optional_time_nanos||epoch_millis", DocValues: true},
		"ip":       {Type: event.IP, Name: "ip", Exact: "ip"},
		"flat":     {Type: event.Keyword, Name: "flattened", Exact: "flat", Leaves: true},
		"flat.a":   {Type: event.Keyword, Name: "flattened", Exact: "flat.a"},
		"flat.a.b": {Type: event.Keyword, Name: "flattened", Exact: "flat.a.b"},
		// Too long a value is not in `_ignored`.
		"cut.a": {Type: event.Keyword, Name: "flattened"},
		"alias": {Type: event.Keyword, Name: "keyword", Exact: "short", IgnoreAbove: 10,
			SourcePath: "short"},
		"text_alias": {Type: event.Text, Name: "text", Exact: "file.path.keyword",
			IgnoreAbove: 1024, SourcePath: "file.path", Words: words("file.path")},
		"flat_alias.a": {Type: event.Keyword, Name: "flattened", Exact: "flat_alias.a",
			SourcePath: "flat.a"},
		"nested": {Type: event.Object, Name: "nested"},
		"nested.k": {Type: event.Keyword, Name: "keyword", Exact: "nested.k",
			IgnoreAbove: 500, Nested: "nested"},
		"nested.object.n": {Type: event.Integer, Name: "long", Exact: "nested.object.n",
			Nested: "nested"},
		"nested.inner.k": {Type: event.Keyword, Name: "keyword", Exact: "nested.inner.k",
			IgnoreAbove: 500, Nested: "nested.inner"},
		"from": {Type: event.Keyword, Name: "keyword", Exact: "from", IgnoreAbove: 500},
		"to": {Type: event.Keyword, Name: "keyword", Exact: "to", IgnoreAbove: 500,
			FromFields: true, Copied: []string{"from"}},
		"object": {Type: event.Object, Name: "object"},
		"object.to": {Type: event.Keyword, Name: "keyword", Exact: "object.to",
			IgnoreAbove: 500, FromFields: true, Copied: []string{"from"}},
		"object.copy_to": {Type: event.Keyword, Name: "keyword", Exact: "object.copy_to",
			IgnoreAbove: 500},
		"dotted.a": {Type: event.Integer, Name: "long", Exact: "dotted.a"},
		"dotted.a.b": {Type: event.Keyword, Name: "keyword", Exact: "dotted.a.b",
			IgnoreAbove: 500},
		"a,b":   {Type: event.Integer, Name: "long", Exact: "a,b"},
		"point": {Type: event.Other, Name: "geo_point", Leaves: true},
	}
	if diff := cmp.Diff(&event.Mapping{Fields: want}, got); diff != "" {
		t.Errorf("mapping (-want +got):\n%s", diff)
	}
}

func TestSourceLeftOut(t *testing.T) {
	server := estest.For(t)
	f := func(name, source string, want ...string) {
		t.Helper()
		index := server.Index(name)
		server.Create(index, `{"mappings": {"_source": `+source+`, "properties": {
			"k": {"type": "keyword"}, "alias": {"type": "alias", "path": "k"}, "text": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
			"file": {"properties": {"name": {"type": "keyword"}, "path": {"type": "keyword"}}}, "flat": {"type": "flattened"}}}}`)
		fields := []string{"text.raw", "text", "k", "alias", "file.name", "file.path", "flat.a",
			"flat.b", "unmapped"}
		if diff := cmp.Diff(want,
			mappingOf(t, server, index, fields...).SourceMissing); diff != "" {
			t.Errorf("%s: missing (-want +got):\n%s", source, diff)
		}
	}
	f("all", `{}`)
	f("one", `{"excludes": ["k"]}`, "alias", "k")
	f("object", `{"excludes": ["file"]}`, "file.name", "file.path")
	f("pattern", `{"excludes": ["*.name", "f*.a"]}`, "file.name", "flat.a")
	f("text", `{"excludes": ["text"]}`, "text", "text.raw")
	f("only", `{"includes": ["file.*", "k"]}`, "flat.a", "flat.b", "text", "text.raw")
	f("both", `{"includes": ["file", "k"], "excludes": ["file.path"]}`, "file.path", "flat.a",
		"flat.b", "text", "text.raw")
}

// TestSourceLeftOutIsGone holds what TestSourceLeftOut takes for granted: the search's fields read
// `_source`, so that doc values do not mend what it leaves out.
func TestSourceLeftOutIsGone(t *testing.T) {
	server := estest.For(t)
	index := server.Index("excluded")
	server.Create(index, `{"mappings": {"_source": {"excludes": ["k", "l", "ip", "d", "flat", "stored"]}, "properties": {
		"k": {"type": "keyword"}, "l": {"type": "long"}, "ip": {"type": "ip"}, "d": {"type": "date"}, "flat": {"type": "flattened"},
		"stored": {"type": "keyword", "store": true}, "from": {"type": "keyword", "copy_to": "to"}, "to": {"type": "keyword"}}}}`)
	server.Bulk(index, `{"k": "x", "l": 1, "ip": "::1", "d": 0, "flat": {"a": "b"}, "stored": "x", "from": "x"}`)
	f := func(path, want string) {
		t.Helper()
		got := ""
		for _, hit := range hitsOf(t, server, index,
			search.Request{Fields: []search.Wanted{{Path: path}}}) {
			got += string(hit.fields)
		}
		if got != want {
			t.Errorf("fields %s: got %s, want %s", path, got, want)
		}
	}
	f("k", "")
	f("l", "")
	f("ip", "")
	f("d", "")
	f("flat.a", "")
	f("stored", "")
	f("to", `{"to":["x"]}`)
}

func TestSourceMode(t *testing.T) {
	server := estest.For(t)
	f := func(name, body string, want event.SourceMode) {
		t.Helper()
		index := server.Index(name)
		server.Create(index, body)
		if got := mappingOf(t, server, index, "k").Source; got != want {
			t.Errorf("%s: got %d, want %d", body, got, want)
		}
	}
	f("stored", `{}`, event.SourceStored)
	f("off", `{"mappings": {"_source": {"enabled": false}, "properties": {"k": {"type": "keyword"}}}}`, event.SourceOff)
	f("synthetic", `{"settings": {"index.mapping.source.mode": "synthetic"}}`,
		event.SourceSynthetic)
	f("mapping", `{"mappings": {"_source": {"mode": "synthetic"}}}`, event.SourceSynthetic)
	f("disabled", `{"settings": {"index.mapping.source.mode": "disabled"}}`, event.SourceOff)
	f("logsdb", `{"settings": {"index.mode": "logsdb"}}`, event.SourceSynthetic)
	f("logsdb_stored", `{"settings": {"index.mode": "logsdb", "index.mapping.source.mode": "stored"}}`, event.SourceStored)
}
