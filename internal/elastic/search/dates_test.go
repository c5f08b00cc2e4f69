package search_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/date"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// TestReadDates holds what each index says of constants, and that one that says nothing is in no
// class afterwards.
func TestReadDates(t *testing.T) {
	server := estest.For(t)
	create := func(name, settings, field string) {
		path := server.Index(name)
		if settings != "" {
			path += "?wait_for_active_shards=0"
		}
		server.Do("PUT", path,
			fmt.Sprintf(`{"settings":{"number_of_replicas":0%s},"mappings":{"runtime":{"r":{"type":"date","format":"dd.MM.yyyy"}},"properties":{"d":%s}}}`, settings, field))
	}
	odd := `{"type":"date","format":"dd.MM.yyyy"}`
	create("a", "", odd)
	create("b", "", odd)
	create("sick", `,"index.routing.allocation.require._name":"nowhere"`, odd)
	create("nanos", "", `{"type":"date_nanos","format":"dd.MM.yyyy HH:mm:ss"}`)
	create("plain", "", `{"type":"date"}`)
	create("word", "", `{"type":"keyword"}`)
	create("off", "", `{"type":"date","format":"dd.MM.yyyy","index":false,"doc_values":false}`)
	// a bound that all documents are within is rewritten
	server.Bulk(server.Index("b"), `{"d":"03.01.2026","r":"x"}`)

	c := search.NewCluster(server.Client, search.Options{Tries: 1})
	mapped, err := c.Mappings(t.Context(), []string{server.Index("*")}, []string{"d", "r"})
	if err != nil {
		t.Fatal(err)
	}
	// an index without a shard that answers is in no class now; as if it were lost since
	for i := range mapped {
		if mapped[i].Indices[0] == server.Index("a") {
			mapped[i].Indices = append(mapped[i].Indices, server.Index("sick"))
		}
	}
	got := map[string]map[string]string{}
	classes, err := c.ReadDates(t.Context(), mapped, map[string][]string{
		"d": {"02.01.2026", "02.01.2026 03:04:05", "now-1d", "x"}, "r": {"02.01.2026", "2026"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range classes {
		for _, index := range class.Indices {
			got[index] = map[string]string{}
			for path, f := range class.Mapping.Fields {
				if f.Constants == nil {
					continue
				}
				for text, span := range *f.Constants {
					got[index][path+" "+text] = shown(span)
				}
			}
		}
	}
	const day, runtime = "2026-01-02T00:00:00Z to 2026-01-02T23:59:59.999Z", "r 02.01.2026"
	want := map[string]map[string]string{
		server.Index("a"): {"d 02.01.2026": day, runtime: day},
		server.Index("b"): {"d 02.01.2026": day, runtime: day},
		server.Index("nanos"): {"d 02.01.2026 03:04:05": "2026-01-02T03:04:05Z to " +
			"2026-01-02T03:04:05.999999999Z", runtime: day},
		server.Index("plain"): {runtime: day},
		server.Index("word"):  {runtime: day},
		server.Index("off"):   {runtime: day},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("constants (-want +got):\n%s", diff)
	}
	if same, err := c.ReadDates(t.Context(), mapped, nil); err != nil || len(same) != len(mapped) {
		t.Errorf("without constants: got %d classes, %v, want those that were given", len(same),
			err)
	}
}

// TestPassthroughDates holds that a date whose mapping the server does not show is read in its own
// format.
func TestPassthroughDates(t *testing.T) {
	server := estest.For(t)
	mapping := `{"properties":{"attributes":{"type":"passthrough","priority":10,"properties":{"created":{"type":"date","format":"dd.MM.yyyy"}}}}}`
	if !server.Has("passthrough", []byte(mapping)) {
		return
	}
	index := server.Index("passthrough")
	server.Create(index, `{"settings":{"number_of_replicas":0},"mappings":`+mapping+`}`)
	server.Bulk(index, `{"attributes":{"created":"02.01.2026"}}`)
	c := search.NewCluster(server.Client, search.Options{Tries: 1})
	classes, err := c.Mappings(t.Context(), []string{index}, []string{"created"})
	if err != nil || len(classes) != 1 {
		t.Fatalf("%d classes, %v", len(classes), err)
	}
	got := ""
	for _, hit := range hitsOf(t, server, index,
		search.Request{Fields: search.Want(classes[0].Mapping, []string{"created"})}) {
		got += string(hit.fields)
	}
	if want := `{"created":["2026-01-02T00:00:00.000Z"]}`; got != want {
		t.Errorf("created: got %s, want %s", got, want)
	}
	if classes, err = c.ReadDates(t.Context(), classes,
		map[string][]string{"created": {"02.01.2026"}}); err != nil || len(classes) != 1 {
		t.Fatalf("%d classes, %v", len(classes), err)
	}
	if constants := classes[0].Mapping.Fields["created"].Constants; constants == nil ||
		len(*constants) != 1 {
		t.Errorf("created: got the constants %v, want one", constants)
	}
}

// TestDatesThatAreNotTold holds that an index is in no class where the answer about a constant is
// refused or not understood, and that the others stay.
func TestDatesThatAreNotTold(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("odd"),
		`{"settings":{"number_of_replicas":0},"mappings":{"properties":{"d":{"type":"date","format":"dd.MM.yyyy"}}}}`)
	server.Create(server.Index("plain"),
		`{"settings":{"number_of_replicas":0},"mappings":{"properties":{"d":{"type":"date"}}}}`)
	f := func(why string, change func(*http.Response) *http.Response, want ...string) {
		t.Helper()
		between := &gateway{about: func(req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, "/_validate/query")
		}, change: change}
		c := search.NewCluster(server.Through(between), search.Options{Tries: 1})
		classes, err := c.Mappings(t.Context(), []string{server.Index("*")}, []string{"d"})
		if err != nil {
			t.Fatal(err)
		}
		classes, err = c.ReadDates(t.Context(), classes, map[string][]string{"d": {"02.01.2026"}})
		var got []string
		for _, class := range classes {
			got = append(got, class.Indices...)
		}
		if (err != nil) != (want == nil) || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", why, got, err, want)
		}
	}
	odd, plain := server.Index("odd"), server.Index("plain")
	f("the answer as it is", func(res *http.Response) *http.Response { return res }, odd, plain)
	f("a refusal", func(*http.Response) *http.Response {
		return answer(405, `{"error":"not allowed"}`)
	}, plain)
	f("another form", func(*http.Response) *http.Response {
		return answer(200, `{"valid":true,"explanations":[{"index":"`+odd+
			`","valid":true,"explanation":"d:[2 January]"}]}`)
	}, plain)
	f("a failed shard", func(*http.Response) *http.Response {
		return answer(200, `{"valid":false,"explanations":[{"index":"`+odd+
			`","valid":false,"error":"shard has gone"}]}`)
	}, plain)
	f("no index", without(t, "explanations"), plain)
	f("an incomplete answer", without(t, "valid"))
}

func shown(s date.Span) string {
	return s.First.Time().Format(time.RFC3339Nano) + " to " + s.Last.Time().Format(time.RFC3339Nano)
}

// TestWantedDates holds that dates come as the index has them, whatever their format, and no text
// that is none.
func TestWantedDates(t *testing.T) {
	server := estest.For(t)
	index := server.Index("dates")
	server.Create(index, `{"mappings":{"runtime":{"n.r":{"type":"date"},"n.k":{"type":"keyword"},"n.l":{"type":"long"},"r":{"type":"date","format":"dd.MM.yyyy"}},"properties":{
		"d":{"type":"date","format":"dd.MM.yyyy","ignore_malformed":true},
		"tree":{"type":"date","format":"dd.MM.yyyy","ignore_malformed":true,"doc_values":false},
		"null":{"type":"date","format":"dd.MM.yyyy","null_value":"02.01.2026"},
		"alias":{"type":"alias","path":"d"}, "from":{"type":"keyword","copy_to":"to"}, "to":{"type":"date_nanos","format":"strict_date_optional_time"},
		"plain":{"type":"date"},
		"n":{"type":"nested","properties":{"d":{"type":"date","format":"dd.MM.yyyy"}}}}}}`)
	server.Bulk(index, `{"d":["02.01.2026","2026-01-02T03:04:05Z","03.01.2026"],"tree":["02.01.2026","2026-01-02T03:04:05Z"],"null":null,"r":"02.01.2026",
		"from":"2026-01-02T03:04:05.123456789Z","plain":"2026","n":[{"d":"02.01.2026","r":"2026-01-02","k":"x","l":5},{"d":["03.01.2026"]}]}`)
	f := func(path, want string) {
		t.Helper()
		m := mappingOf(t, server, index, path)
		got := ""
		for _, hit := range hitsOf(t, server, index,
			search.Request{Fields: search.Want(m, []string{path})}) {
			got += string(hit.fields)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	f("d", `{"d":["2026-01-02T00:00:00.000Z","2026-01-03T00:00:00.000Z"]}`)
	f("tree", `{"tree":["2026-01-02T00:00:00.000Z"]}`)
	f("null", `{"null":["2026-01-02T00:00:00.000Z"]}`)
	f("alias", `{"alias":["2026-01-02T00:00:00.000Z","2026-01-03T00:00:00.000Z"]}`)
	f("r", `{"r":["2026-01-02T00:00:00.000Z"]}`)
	f("to", `{"to":["2026-01-02T03:04:05.123456789Z"]}`)
	f("plain", ``)
	f("n.d", `{"n":[{"d":["2026-01-02T00:00:00.000Z"]},{"d":["2026-01-03T00:00:00.000Z"]}]}`)
	f("n.r", `{"n.r":["2026-01-02T00:00:00.000Z"]}`)
	f("n.k", `{"n.k":["x"]}`)
	f("n.l", `{"n.l":[5]}`)
}
