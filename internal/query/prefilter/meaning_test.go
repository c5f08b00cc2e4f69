package prefilter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// asked is an index whose documents a condition is asked about as a run does it: mappings,
// pre-filter, the search's `fields`, matcher.
type asked struct {
	t       *testing.T
	cluster *estest.Cluster
	index   string
	// unjudged: what Elasticsearch's own query finds is not compared (it has none, or differs on
	// purpose).
	unjudged bool
}

func newAsked(t *testing.T, settings, mapping string, documents ...string) *asked {
	t.Helper()
	a, refused := tryAsked(t, settings, mapping, documents...)
	if refused != "" {
		t.Fatalf("documents refused: %s", refused)
	}
	return a
}

// tryAsked also returns what the server says where it refuses a document.
func tryAsked(t *testing.T, settings, mapping string,
	documents ...string) (a *asked, refused string) {
	t.Helper()
	cluster := estest.For(t)
	index := cluster.Index(strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")))
	cluster.Create(index, fmt.Sprintf(
		`{"settings":{"number_of_shards":1,"number_of_replicas":0%s},"mappings":%s}`, settings,
		mapping))
	var body strings.Builder
	for i, d := range documents {
		fmt.Fprintf(&body, "{\"create\":{\"_id\":\"%d\"}}\n%s\n", i, d)
	}
	answer := cluster.Do("POST", index+"/_bulk?refresh=true&filter_path=errors,items.*.error",
		body.String())
	if fastjson.GetBool(answer, "errors") {
		refused = string(answer)
	}
	return &asked{t: t, cluster: cluster, index: index}, refused
}

// holds checks which documents satisfy a condition, by their numbers.
func (a *asked) holds(condition string, want ...int) {
	a.t.Helper()
	q, err := eql.Parse("any where " + condition)
	if err != nil {
		a.t.Fatalf("%s: %v", condition, err)
	}
	var fields event.Fields
	matcher, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		a.t.Fatalf("%s: %v", condition, err)
	}
	cluster := search.NewCluster(a.cluster.Client, search.Options{})
	classes, err := cluster.Mappings(a.t.Context(), []string{a.index}, fields.Paths())
	if err != nil || len(classes) != 1 {
		a.t.Fatalf("read the mapping: %v, %d classes", err, len(classes))
	}
	classes, err = cluster.ReadDates(a.t.Context(), classes, cond.Constants(matcher.Condition()))
	if err == nil {
		classes, err = cluster.Normalize(a.t.Context(), classes, matcher.Texts())
	}
	if err != nil || len(classes) != 1 {
		a.t.Fatalf("%s: ask about the constants: %v, %d classes", condition, err, len(classes))
	}
	mapping := classes[0].Mapping
	if len(mapping.Unknown)+len(mapping.SourceMissing) > 0 {
		a.t.Errorf("%s: not known: %q %q", condition, mapping.Unknown, mapping.SourceMissing)
	}
	filter := prefilter.Build(matcher.Condition(), mapping).Clause
	e := match.NewEvaluation(&fields, time.Now())
	matched := func(query dsl.Clause) []int {
		var found []int
		for _, h := range a.hits(cluster, mapping, fields.Paths(), query) {
			if err := e.Read(mapping, h.document); err != nil {
				a.t.Fatal(err)
			}
			if matcher.Match(e) {
				found = append(found, h.id)
			}
		}
		slices.Sort(found)
		return found
	}
	if got := matched(dsl.Everything()); !slices.Equal(got, want) {
		a.t.Errorf("%s: got %v, want %v", condition, got, want)
	}
	if got := matched(filter); !slices.Equal(got, want) {
		dsl, _ := json.Marshal(filter)
		a.t.Errorf("%s, with the pre-filter %s: got %v, want %v", condition, dsl, got, want)
	}
	query, err := pushdown.Translate(matcher.Condition(), mapping)
	if err != nil || a.unjudged {
		return
	}
	if judged := a.judge(query); !slices.Equal(judged, want) {
		dsl, _ := json.Marshal(query)
		a.t.Errorf("%s: Elasticsearch finds %v, want %v\n  by %s", condition, judged, want, dsl)
	}
}

// judge returns the numbers of the documents that Elasticsearch finds by a query of its own.
func (a *asked) judge(query pushdown.Query) []int {
	a.t.Helper()
	var answer struct {
		Shards struct{ Failed int } `json:"_shards"`
		Hits   struct {
			Hits []struct {
				ID int `json:"_id,string"`
			}
		}
	}
	text := a.cluster.Do("POST", a.index+"/_search",
		pushdown.Query{"query": query, "size": 1000, "_source": false})
	if err := json.Unmarshal(text, &answer); err != nil || answer.Shards.Failed > 0 {
		a.t.Errorf("Elasticsearch was asked and said %v: %s", err, text)
	}
	var found []int
	for _, h := range answer.Hits.Hits {
		found = append(found, h.ID)
	}
	slices.Sort(found)
	return found
}

type askedHit struct {
	id       int
	document event.Document
}

func (a *asked) hits(cluster *search.Cluster, mapping *event.Mapping, paths []string,
	query dsl.Clause) []askedHit {
	a.t.Helper()
	pit, err := cluster.OpenPointInTime(a.t.Context(), []string{a.index})
	if err != nil {
		a.t.Fatal(err)
	}
	defer pit.Close(a.t.Context())
	request := search.Request{Query: query, Fields: search.Want(mapping, paths)}
	var all []askedHit
	for page, err := range pit.Pages(a.t.Context(), request) {
		if err != nil {
			a.t.Fatal(err)
		}
		for h := range page.Hits(nil) {
			d := h.Document()
			hit := askedHit{document: event.Document{Source: bytes.Clone(d.Source),
				Fields: bytes.Clone(d.Fields), Ignored: bytes.Clone(d.Ignored)}}
			if _, err := fmt.Sscan(h.ID(), &hit.id); err != nil {
				a.t.Fatal(err)
			}
			all = append(all, hit)
		}
	}
	for _, failure := range pit.Failures() {
		a.t.Errorf("%+v", failure)
	}
	return all
}

// TestNormalizers: Elasticsearch's EQL accepts fields with a normalizer, and the server normalizes
// values and constants alike.
func TestNormalizers(t *testing.T) {
	a := newAsked(t, `,"analysis":{"normalizer":{"low":{"type":"custom","filter":["lowercase"]}}}`,
		`{"properties":{
		"@timestamp": {"type":"date"},
		"event": {"properties":{"category":{"type":"keyword","normalizer":"lowercase"}}},
		"process": {"properties":{"name":{"type":"keyword","fields":{
			"caseless":{"type":"keyword","normalizer":"lowercase","ignore_above":20}}}}},
		"k": {"type":"keyword","normalizer":"low","null_value":"NoNe"},
		"alias": {"type":"alias","path":"k"},
		"caseless": {"type":"alias","path":"process.name.caseless"},
		"text": {"type":"text","fields":{"low":{"type":"keyword","normalizer":"low"}}},
		"both": {"type":"text","fields":{"low":{"type":"keyword","normalizer":"low"},"keyword":{"type":"keyword"}}},
		"short": {"type":"keyword","normalizer":"low","ignore_above":5}}}`,
		`{"event":{"category":"Process"},"process":{"name":"CMD.EXE"},"k":"CMD.EXE"}`,
		`{"process":{"name":["cmd.exe","A NAME OF MORE THAN TWENTY"]},"k":["x","SYSTEM"],"text":"Two Words","both":"Two Words"}`,
		`{"k":null,"short":"LONGER"}`,
		`{"k":"ÉtÉ İ","text":"b","short":"A\\WB"}`,
	)
	a.holds(`event.category == "PROCESS"`, 0)
	a.holds(`process.name == "cmd.exe"`, 1)
	a.holds(`process.name.caseless == "cmd.exe"`, 0, 1)
	a.holds(`process.name.caseless == "Cmd.Exe"`, 0, 1)
	a.holds(`process.name.caseless != "Cmd.Exe"`, 2, 3)
	a.holds(`caseless in ("CMD.exe", "x")`, 0, 1)
	a.holds(`k == "Cmd.Exe"`, 0)
	a.holds(`"Cmd.Exe" == alias`, 0)
	a.holds(`k : "CMD.EXE"`, 0)
	a.holds(`k in ("cmd.EXE", "SYSTEM")`, 0, 1)
	a.holds(`k in~ ("cmd.EXE")`, 0)
	a.holds(`not k in ("System")`, 0, 2, 3)
	a.holds(`k not in ("System")`, 0, 2, 3)
	a.holds(`k like "CMD*"`, 0)
	a.holds(`k like "C?D.E*"`, 0)
	a.holds(`k like~ "C?D.E*"`, 0)
	a.holds(`k : "*M"`, 1)
	a.holds(`k : "*"`, 0, 1, 2, 3)
	a.holds(`k < "D"`, 0)
	a.holds(`k >= "SYSTEM"`, 1, 3)
	a.holds(`k == "NONE"`, 2)
	a.holds(`k == null`)
	a.holds(`text == null`, 0, 2)
	a.holds(`startsWith(k, "CMD")`, 0)
	a.holds(`startsWith~(k, "cMD")`, 0)
	a.holds(`startsWith(string(k), "CMD")`, 0)
	a.holds(`endsWith(k, "EXE")`, 0)
	a.holds(`stringContains(k, "D.E")`, 0)
	a.holds(`not startsWith(k, "CMD")`, 1, 2, 3)
	a.holds(`k regex "CMD.*"`, 0)
	a.holds(`k regex~ "CMD[.]E.E"`, 0)
	a.holds(`k regex ("x", "SYST..")`, 1)
	a.holds(`string(k) == "CMD.EXE"`, 0)
	a.holds(`string(k) in ("CMD.EXE")`, 0)
	a.holds(`string(k) like "CMD*"`, 0)
	a.holds(`k == "été i"`, 3)
	a.holds(`k == "ÉTÉ İ"`, 3)
	a.holds(`text == "TWO WORDS"`, 1)
	a.holds(`text : "two w*"`, 1)
	a.holds(`both == "two words"`)
	a.holds(`both == "Two Words"`, 1)
	a.holds(`k == concat("CMD", ".EXE")`, 0)
	// The server lower-cases the expression too: \W becomes \w.
	a.holds(`short regex "a\\\\\\Wb"`, 3)
	a.holds(`short regex "a.\\W."`, 3)
	// Functions see the values as they are indexed, and their constants as they are.
	a.holds(`concat(k, "!") == "cmd.exe!"`, 0)
	a.holds(`concat(k, "!") == "CMD.EXE!"`)
	a.holds(`length(k) == 7`, 0)
	a.holds(`indexOf(k, "d") == 2`, 0)
	a.holds(`indexOf(k, "D") == 2`)
	a.holds(`null == (k == "x") or startsWith(concat(k), "c")`, 0)
	// A value that is too long for the index is there, and in the normalizer's form where it is
	// known.
	a.unjudged = true
	a.holds(`process.name.caseless == "A name of more than twenty"`, 1)
	a.holds(`process.name.caseless : "a name*"`, 1)
	a.holds(`short == "longer"`, 2)
	a.holds(`short != null`, 2, 3)
}

// TestRuntimeFieldsThatShadow: the mapping API does not show that a runtime field has the name of a
// mapped one, whose values do not count then.
func TestRuntimeFieldsThatShadow(t *testing.T) {
	a := newAsked(t, ``, `{"dynamic":false,"runtime":{
			"port":{"type":"long"}, "same":{"type":"keyword"}, "when":{"type":"date","format":"yyyy.MM.dd"}, "l.env":{"type":"long"},
			"t.raw":{"type":"long"}},
		"properties":{"port":{"type":"keyword"}, "same":{"type":"keyword","ignore_above":2,"null_value":"none"},
			"mapped":{"type":"alias","path":"port"}, "when":{"type":"keyword"}, "l":{"type":"flattened"},
			"t":{"type":"text","fields":{"raw":{"type":"keyword"}}}}}`,
		`{"port":"8080","same":"abc","when":"2026.01.02","l":{"env":"7"},"t":"a"}`,
		`{"port":"443","same":"ab"}`,
		`{"port":"9","same":null}`,
		`{"port":"x"}`,
	)
	a.holds(`port > 1024`, 0)
	a.holds(`port == 443`, 1)
	a.holds(`port in (9, 443)`, 1, 2)
	a.holds(`mapped == "443"`, 1)
	a.holds(`same == "abc"`, 0)
	a.holds(`same == null`, 2, 3)
	a.holds(`when > "2026.01.01"`, 0)
	a.holds(`l.env == 7`, 0)
	a.holds(`l == "7"`, 0)
	a.unjudged = true // Elasticsearch refuses to search a text for a long
	a.holds(`port != null`, 0, 1, 2)
	a.holds(`t == "a"`, 0)
}

// TestFlattened: the root of a flattened field has every value below it.
func TestFlattened(t *testing.T) {
	a := newAsked(t, ``, `{"dynamic":false,"properties":{"n":{"type":"keyword"},
		"labels":{"type":"flattened","null_value":"nil"}, "alias":{"type":"alias","path":"labels"}, "plain":{"type":"flattened"},
		"okta":{"properties":{"target":{"type":"flattened"}}}}}`,
		`{"n":"x","labels":{"env":"test"},"okta":{"target":[{"id":"1","type":"User"},{"id":"2"}]}}`,
		`{"n":"x","labels":{"a":{"b":["prod",1e3,true]}},"plain":{}}`,
		`{"n":"x","plain":{"a":null,"b":[]}}`,
		`{"labels":{"env":null},"okta.target":{"id":"3"}}`,
		`{"labels":{"env":"dotted"},"okta":{"target":[]}}`,
	)
	a.holds(`n == "x" and not labels : "*test*"`, 1, 2)
	a.holds(`labels == "test"`, 0)
	a.holds(`labels : "PROD"`, 1)
	a.holds(`alias == "true"`, 1)
	a.holds(`labels in ("dotted", "1000", "1000.0", "1e3")`, 1, 4)
	a.holds(`labels == null`, 2)
	a.holds(`plain == null`, 0, 1, 2, 3, 4)
	a.holds(`okta.target == null`, 1, 2, 4)
	a.holds(`okta.target == "2"`, 0)
	a.holds(`okta.target : "user"`, 0)
	a.holds(`okta.target.id == "3"`, 3)
	a.holds(`labels == "nil"`, 3)
	a.holds(`labels.env == "nil"`, 3)
	a.holds(`labels.env == null`, 1, 2)
	a.holds(`labels.a == null`, 0, 1, 2, 3, 4) // an object is no value of its key
	a.holds(`labels.a.b == "prod"`, 1)
	a.holds(`alias.env == "test"`, 0)
}

// TestFlattenedByDots: a key with dots leads into a flattened field. 7.17 refuses the document.
func TestFlattenedByDots(t *testing.T) {
	a, refused := tryAsked(t, ``,
		`{"properties":{"labels":{"type":"flattened"},"o":{"properties":{"l":{"type":"flattened"}}}}}`,
		`{"labels.env":"dotted","o.l.a":"x"}`, `{"labels":{"env":"y"},"o":{"l.b":"z"}}`)
	if refused != "" {
		t.Logf("not run: %s", refused)
		return
	}
	a.holds(`labels == "dotted"`, 0)
	a.holds(`labels.env : ("dotted", "y")`, 0, 1)
	a.holds(`o.l in ("x", "z")`, 0, 1)
	a.holds(`o.l == null`)
}

// TestPassThrough: the fields of a pass-through object go by their names without its path too.
func TestPassThrough(t *testing.T) {
	const object = `{"properties":{"a":{"type":"passthrough","priority":1}}}`
	if !estest.For(t).Has("pass-through objects", json.RawMessage(object)) {
		return // before 8.16
	}
	a := newAsked(t, ``, `{"dynamic":false,"properties":{
		"attributes":{"type":"passthrough","priority":10,"dynamic":false,"properties":{
			"host.name":{"type":"keyword","normalizer":"lowercase"}, "day":{"type":"date","format":"dd.MM.yyyy"},
			"flat":{"type":"flattened","null_value":"nil"}, "k":{"type":"keyword","null_value":"none"}}},
		"resource":{"properties":{"attributes":{"type":"passthrough","priority":20,"dynamic":false,"properties":{"k":{"type":"keyword"}}}}},
		"own":{"type":"keyword"}}}`,
		`{"attributes":{"host.name":"H","day":"02.01.2026","flat":{"x":{"y":"z"}},"k":null}}`,
		`{"attributes":{"flat":{"a":null}},"resource":{"attributes":{"k":"r"}}}`,
		`{"own":"x"}`,
	)
	a.holds(`host.name == "h"`, 0)
	a.holds(`attributes.host.name == "h"`, 0)
	a.holds(`day == "02.01.2026"`, 0)
	a.holds(`flat.x.y == "z"`, 0)
	a.holds(`flat : "Z"`, 0)
	a.holds(`flat.a == "nil"`, 1)
	a.holds(`flat == null`, 2)
	a.holds(`k == "r"`, 1)
	a.holds(`attributes.k == "none"`, 0)
}

// TestSmallDecisions holds what docs/eql.md lists of values that a document writes in an unusual
// way.
func TestSmallDecisions(t *testing.T) {
	a := newAsked(t, ``, `{"dynamic":false,"properties":{
		"n":{"type":"integer","ignore_malformed":true}, "l":{"type":"long","ignore_malformed":true}, "d":{"type":"double","ignore_malformed":true},
		"strict":{"type":"long","ignore_malformed":true,"coerce":false}, "exact":{"type":"double","ignore_malformed":true,"coerce":false},
		"from":{"type":"double","copy_to":["to","as_number"]}, "to":{"type":"keyword"}, "as_number":{"type":"long"},
		"columns":{"type":"keyword","index":false}, "a,b":{"type":"long"}, "axb":{"type":"keyword"},
		"range":{"type":"ip_range"}, "point":{"type":"geo_point"}, "nothing":{"type":"keyword","index":false,"doc_values":false}}}`,
		`{"n":"443 ","l":"443 ","d":"\t4.5\n","strict":"443","exact":"4.5","from":1e3,"columns":"x","a,b":7,"axb":"7","range":"10.0.0.0/8","nothing":"x"}`,
		`{"n":"NaN","l":"\u0664\u0664\u0663","d":"4.5d","strict":443,"exact":4.5,"from":"2.50","range":{"gte":"10.0.0.1","lte":"10.0.0.9"}}`,
		`{"n":"0x1p3","l":"0x1p3","d":"0x1p3","strict":4.7,"exact":5,"to":"own","point":{"lat":1,"lon":2}}`,
		`{"n":2147483647.9,"l":2147483647.9,"strict":1e3}`,
	)
	a.holds(`n == 443`, 0)
	a.holds(`n == 0`, 1)
	a.holds(`n == 8`, 2)
	a.holds(`n == null`, 3)
	a.holds(`l == 443`, 1)
	a.holds(`l == 2147483647`, 3)
	a.holds(`d == 4.5`, 0, 1)
	a.holds(`d == 8`, 2)
	a.holds(`strict == 443`, 1)
	a.holds(`strict == 1000`, 3)
	a.holds(`strict == null`, 0, 2)
	a.holds(`exact >= 4.5`, 1, 2)
	a.holds(`to == "1e3"`, 0)
	a.holds(`to == "1000.0"`)
	a.holds(`to == "2.50"`, 1)
	a.holds(`to in ("own", "1e3")`, 0, 2)
	a.holds(`as_number == 1000`, 0)
	a.holds(`as_number == 2`, 1)
	a.holds("`a,b` == 7", 0)
	a.unjudged = true            // Elasticsearch refuses to search these
	a.holds(`columns == "x"`, 0) // not before 8.1
	a.holds(`nothing == "x"`, 0)
	a.holds(`range == "10.0.0.0/8"`, 0)
	a.holds(`range == null`, 2, 3)
	a.holds(`point == null`, 0, 1, 3)
}
