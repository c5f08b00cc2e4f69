package search_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
)

func TestClasses(t *testing.T) {
	server := estest.For(t)
	create := func(name, properties string) {
		t.Helper()
		server.Create(server.Index(name),
			`{"settings": {"number_of_replicas": 0}, "mappings": {"properties": {`+properties+`}}}`)
	}
	create("a1", `"k": {"type": "keyword"}`)
	create("a2", `"k": {"type": "keyword"}, "other": {"type": "long"}`)
	create("b", `"k": {"type": "long"}`)
	create("c", `"k": {"type": "nested", "properties": {"x": {"type": "keyword"}}}`)
	create("d", `"k": {"properties": {"x": {"type": "keyword"}}}`)
	create("e", `"real": {"type": "long"}, "k": {"type": "alias", "path": "real"}`)
	create("f", `"real": {"type": "keyword"}, "k": {"type": "alias", "path": "real"}`)
	create("g", `"other": {"type": "keyword", "copy_to": "k"}, "k": {"type": "keyword"}`)
	server.Create(server.Index("h"), nil)
	server.Create(server.Index("closed"), nil)
	server.Do("POST", server.Index("closed")+"/_close", nil)
	f := func(field string, want ...string) {
		t.Helper()
		classes, err := search.NewCluster(server.Client, search.Options{}).Mappings(t.Context(),
			[]string{server.Index("*"), server.Index("missing")}, []string{field})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, class := range classes {
			var names []string
			for _, index := range class.Indices {
				names = append(names, strings.TrimPrefix(index, server.Index("")))
			}
			m := class.Mapping.Fields[field]
			got = append(got, fmt.Sprintf("%s: %s %s nested=%q fields=%v", strings.Join(names, " "),
				m.Name, m.Exact, m.Nested, m.FromFields))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: classes (-want +got):\n%s", field, diff)
		}
	}
	// An object is told from nothing only where a field below it is asked for too; neither has
	// values.
	f("k", `a1 a2: keyword k nested="" fields=false`, `b: long k nested="" fields=false`,
		`c d h:   nested="" fields=false`,
		`e: long real nested="" fields=false`, `f: keyword real nested="" fields=false`,
		`g: keyword k nested="" fields=true`)
	f("k.x", `a1 a2 b e f g h:   nested="" fields=false`, `c: keyword k.x nested="k" fields=false`,
		`d: keyword k.x nested="" fields=false`)
	f("none", `a1 a2 b c d e f g h:   nested="" fields=false`)
}

// TestManyFields asks for more fields than the first line of a request can hold.
func TestManyFields(t *testing.T) {
	server := estest.For(t)
	var fields, properties []string
	for i := range 200 {
		name := fmt.Sprintf("quite_a_long_name_of_a_field_with_the_number_%d", i)
		fields = append(fields, "object."+name)
		properties = append(properties, fmt.Sprintf(`"%s": {"type": "keyword"}`, name))
	}
	index := server.Index("many")
	server.Create(index, `{"mappings": {"properties": {"object": {"type": "nested", "properties": {`+strings.Join(properties, ",")+`}}}}}`)
	m := mappingOf(t, server, index, fields...)
	for _, field := range fields {
		want := event.FieldMapping{Type: event.Keyword, Name: "keyword", Exact: field,
			Nested: "object"}
		if got := m.Fields[field]; !cmp.Equal(got, want) {
			t.Fatalf("%s: got %+v, want %+v", field, got, want)
		}
	}
}

func TestNamesOfIndices(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("a"), fmt.Sprintf(`{"aliases": {%q: {}}}`, server.Index("alias")))
	server.Create(server.Index("b"), nil)
	server.Create(server.Index("closed"), nil)
	server.Do("POST", server.Index("closed")+"/_close", nil)
	barsHead := &gateway{
		about: func(req *http.Request) bool { return req.Method == http.MethodHead },
		change: func(res *http.Response) *http.Response {
			return &http.Response{StatusCode: http.StatusMethodNotAllowed, Request: res.Request,
				Header: http.Header{}, Body: http.NoBody}
		},
	}
	c := search.NewCluster(server.Through(barsHead), search.Options{})
	f := func(pattern string, want ...string) {
		t.Helper()
		got, err := c.Indices(t.Context(), []string{server.Index(pattern)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] = server.Index(want[i])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
	f("*", "a", "b")
	f("alias", "a")
	f("b", "b")
	f("missing")
	f("missing*")
	exists := func(name string, want bool) {
		t.Helper()
		got, err := c.Exists(t.Context(), server.Index(name))
		if err != nil || got != want {
			t.Errorf("exists %s: got %v and error %v, want %v", name, got, err, want)
		}
	}
	exists("a", true)
	exists("alias", true)
	exists("closed", true)
	exists("missing", false)
}
