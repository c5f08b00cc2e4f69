package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	eqlmatch "esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
)

// TestPublishedRules runs every published single-event rule against every recorded event, and
// against events made from the rules: each rule loads, compiles and has its pre-filter accepted by
// the server, and whatever its matcher accepts is among the pre-filter's candidates.
func TestPublishedRules(t *testing.T) {
	folder := estest.Corpus(t) // skips where it is absent
	set, err := rule.Load(filepath.Join(folder, "rules"), filepath.Join(folder, "rules-other"))
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "winlogbeat-*", "logs-*", "endgame-*", "dynamic-*")
	loadRecorded(t, s)
	var detections []*detect.Detection
	for _, r := range set.Rules {
		d, err := detect.New(r, s.patterns)
		if err != nil {
			t.Errorf("%s does not compile: %v", r.File, err)
			continue
		}
		// Of rules with indicators, the pre-filter asks for more than the query does.
		if d.Sequence == nil && d.Threat == nil {
			detections = append(detections, d)
		}
	}
	loadMade(t, s, detections)
	s.Do(http.MethodPut, strings.Join(s.patterns, ",")+"/_settings",
		`{"index.max_result_window": 100000}`)
	p := published{stage: s, t: t, cluster: search.NewCluster(s.Client, search.Options{}),
		byIndex: map[string]*publishedTally{}}
	for _, d := range detections {
		p.plans = append(p.plans, p.plan(d))
	}
	p.readDocuments()
	for i, matches := range p.judge() {
		p.compare(p.plans[i], matches)
	}
	p.report(len(detections))
}

// loadRecorded puts the recorded events, as they are, into indices made from the templates, and
// those of the sources without a template into an index each that maps every field by what it
// finds, too.
func loadRecorded(t *testing.T, s *stage) {
	t.Helper()
	wantEveryFile(t)
	installSampleMappings(t, s)
	for _, index := range corpusIndices() {
		name := s.name(index.name)
		names := []string{name}
		if index.template != "" {
			s.Create(name, estest.CorpusTemplate(t, index.template))
		} else {
			dynamic := s.name("dynamic-" + strings.ReplaceAll(index.source, "_", "-"))
			s.Create(dynamic, dynamicIndex)
			names = append(names, dynamic)
		}
		for _, file := range index.files {
			events := readRecorded(t, file)
			for _, name := range names {
				s.Load(name, ndjson(t, events))
			}
		}
	}
}

// dynamicIndex maps each field by the first value that it finds.
const dynamicIndex = `{"settings": {"index.mapping.total_fields.limit": 10000, "index.mapping.ignore_malformed": true}}`

// published is every published rule and every recorded event on one server.
type published struct {
	*stage
	t         *testing.T
	cluster   *search.Cluster
	plans     []publishedPlan
	documents []publishedDocument
	numbers   map[string]int // of documents, by _id
	byIndex   map[string]*publishedTally
	busy      []string // rules that match something recorded, with how often
	idle      []string // rules that match nothing at all
}

type publishedTally struct{ documents, candidates, matches int }

// publishedPlan is one rule as the program would search for it, at any time.
type publishedPlan struct {
	*detect.Detection
	mappings map[string]*event.Mapping // by index
	query    dsl.Clause
	widest   []string // the indices in which the pre-filter narrows nothing
}

type publishedDocument struct {
	index, id string
	event.Document
}

func (p *published) plan(d *detect.Detection) publishedPlan {
	p.t.Helper()
	read, err := d.Classes(p.t.Context(), p.cluster, p.patterns)
	if err != nil {
		p.t.Fatalf("%s: %v", d.Rule.File, err)
	}
	plan := publishedPlan{Detection: d, mappings: map[string]*event.Mapping{}}
	var classes []prefilter.Class
	for _, c := range read {
		filter := prefilter.Build(d.Matchers[0].Condition(), c.Mapping)
		classes = append(classes, prefilter.Class{Indices: c.Indices, Window: dsl.Everything(),
			Filter: filter.Clause})
		for _, index := range c.Indices {
			plan.mappings[index] = c.Mapping
		}
		if filter.Clause.IsEverything() {
			plan.widest = append(plan.widest, c.Indices...)
		}
	}
	plan.query = prefilter.Guarded(classes, dsl.Everything())
	return plan
}

// fromFields are the fields of all rules that some index gives beside `_source` only.
func (p *published) fromFields() []string {
	paths := map[string]bool{}
	for _, plan := range p.plans {
		for _, mapping := range plan.mappings {
			for path, field := range mapping.Fields {
				if name := field.Asked(path); name != "" {
					paths[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// readDocuments reads every document once; they stay parsed, for each rule judges all of them.
func (p *published) readDocuments() {
	p.t.Helper()
	p.numbers = map[string]int{}
	body := map[string]any{"query": dsl.Everything(), "sort": []string{"_doc"}, "size": 2000}
	if paths := p.fromFields(); len(paths) > 0 {
		body["fields"] = paths
	}
	path := strings.Join(p.patterns, ",") + "/_search?scroll=1m"
	for {
		answer := p.ask(path, body)
		for _, hit := range answer.GetArray("hits", "hits") {
			d := publishedDocument{text(hit, "_index"), text(hit, "_id"),
				event.Document{Source: hit.Get("_source").MarshalTo(nil)}}
			if fields := hit.Get("fields"); fields != nil {
				d.Fields = fields.MarshalTo(nil)
			}
			if _, twice := p.numbers[d.id]; twice {
				p.t.Fatalf("two documents have the id %s", d.id)
			}
			p.numbers[d.id] = len(p.documents)
			p.documents = append(p.documents, d)
			p.tally(d).documents++
		}
		body = map[string]any{"scroll": "1m", "scroll_id": text(answer, "_scroll_id")}
		if len(answer.GetArray("hits", "hits")) == 0 {
			p.Do(http.MethodDelete, "_search/scroll",
				map[string]any{"scroll_id": body["scroll_id"]})
			return
		}
		path = "_search/scroll"
	}
}

func text(v *fastjson.Value, key string) string { return string(v.GetStringBytes(key)) }

func (p *published) tally(d publishedDocument) *publishedTally {
	if p.byIndex[d.index] == nil {
		p.byIndex[d.index] = &publishedTally{}
	}
	return p.byIndex[d.index]
}

// ask sends a search that every shard must answer.
func (p *published) ask(path string, body any) *fastjson.Value {
	p.t.Helper()
	answer, err := fastjson.ParseBytes(p.Do(http.MethodPost, path, body))
	if err != nil {
		p.t.Fatal(err)
	}
	if answer.GetInt("_shards", "failed") > 0 || answer.GetBool("timed_out") {
		p.t.Fatalf("not every shard answered %v: %s", body, answer)
	}
	return answer
}

// candidates are the documents that the pre-filter leaves, by number.
func (p *published) candidates(plan publishedPlan) []bool {
	p.t.Helper()
	found := make([]bool, len(p.documents))
	answer := p.ask(strings.Join(p.patterns, ",")+
		"/_search?filter_path=timed_out,_shards,hits.hits._id",
		map[string]any{"query": plan.query, "_source": false, "sort": []string{"_doc"},
			"size": 100_000})
	for _, hit := range answer.GetArray("hits", "hits") {
		n, known := p.numbers[text(hit, "_id")]
		if !known {
			p.t.Fatalf("%s: a candidate is no document that was read: %s", plan.Rule.File, hit)
		}
		found[n] = true
	}
	return found
}

// compare wants each match of a rule to be a candidate.
func (p *published) compare(plan publishedPlan, matches []bool) {
	p.t.Helper()
	for index := range p.byIndex {
		if plan.mappings[index] == nil {
			p.t.Fatalf("%s: index %s is in no class of mappings", plan.Rule.File, index)
		}
	}
	candidates := p.candidates(plan)
	total, recorded := 0, 0
	for n, d := range p.documents {
		tally := p.tally(d)
		if candidates[n] {
			tally.candidates++
		}
		if !matches[n] {
			continue
		}
		tally.matches++
		total++
		if !strings.HasSuffix(d.index, "-made") {
			recorded++
		}
		if !candidates[n] {
			query, _ := plan.query.MarshalJSON()
			p.t.Errorf("%s matches an event that its pre-filter leaves out, in %s: %s\n  %s\n  "+
				"pre-filter: %s",
				filepath.Base(plan.Rule.File), d.index, d.Source, plan.Rule.Body.Text(), query)
		}
	}
	switch name := filepath.Base(plan.Rule.File); {
	case total == 0:
		p.idle = append(p.idle, name)
	case recorded > 0:
		p.busy = append(p.busy, fmt.Sprintf("%s (%d)", name, recorded))
	}
}

// judge gives, for each rule, the documents that it matches. The rules share one set of fields, so
// that a document looks each up once for all of them.
func (p *published) judge() [][]bool {
	p.t.Helper()
	var fields event.Fields
	var matchers []*eqlmatch.Matcher
	matched := make([][]bool, len(p.plans))
	for i, plan := range p.plans {
		m, err := eqlmatch.Compile(plan.Rule.Body.Queries()[0], &fields, eqlmatch.Options{
			ExcludeSignals: !plan.Rule.ReadsSignals(p.patterns),
		})
		if err != nil {
			p.t.Fatalf("%s: %v", plan.Rule.File, err)
		}
		matchers = append(matchers, m)
		matched[i] = make([]bool, len(p.documents))
	}
	mappings := map[string]*event.Mapping{}
	for _, plan := range p.plans {
		for index, mapping := range plan.mappings {
			if mappings[index] == nil {
				mappings[index] = &event.Mapping{Source: mapping.Source,
					Fields: map[string]event.FieldMapping{}}
			}
			maps.Copy(mappings[index].Fields, mapping.Fields)
		}
	}
	e := eqlmatch.NewEvaluation(&fields, time.Now())
	for n, d := range p.documents {
		if err := e.Read(mappings[d.index], d.Document); err != nil {
			p.t.Fatal(err)
		}
		for i, m := range matchers {
			matched[i][n] = m.Match(e)
		}
	}
	return matched
}

// report logs what was compared, and fails the test where that would show nothing.
func (p *published) report(rules int) {
	p.t.Helper()
	var b strings.Builder
	row := func(name string, of publishedTally) {
		fmt.Fprintf(&b, "%-42s %6d  %9d  %10d  %7d\n", name, of.documents,
			len(p.plans)*of.documents, of.candidates, of.matches)
	}
	fmt.Fprintf(&b, "%d rules, %d compiled\n%-42s %6s  %9s  %10s  %7s\n", rules, len(p.plans),
		"index", "events", "pairs", "candidates", "matches")
	var all publishedTally
	for _, index := range slices.Sorted(maps.Keys(p.byIndex)) {
		of := *p.byIndex[index]
		row(strings.TrimPrefix(index, p.prefix+"-"), of)
		all.documents += of.documents
		all.candidates += of.candidates
		all.matches += of.matches
	}
	row("all", all)
	list := func(what string, rules []string) {
		fmt.Fprintf(&b, "%d rules %s:\n  %s\n", len(rules), what, strings.Join(rules, "\n  "))
	}
	list("match recorded events", p.busy)
	list("match none, not even those made from them", p.idle)
	var wide []string
	for _, plan := range p.plans {
		if len(plan.widest) > 0 {
			wide = append(wide,
				fmt.Sprintf("%s (in %d of %d indices)", filepath.Base(plan.Rule.File),
					len(plan.widest), len(plan.mappings)))
		}
	}
	list("have a pre-filter that narrows nothing", wide)
	p.t.Logf("\n%s", b.String())
	if len(p.idle) > rules/10 {
		p.t.Errorf("%d of %d rules match nothing: their pre-filters are not tested", len(p.idle),
			rules)
	}
	if rules == 0 || all.matches == 0 || all.candidates < all.matches ||
		all.candidates >= len(p.plans)*all.documents {
		p.t.Errorf("%d rules, %d candidates, %d matches of %d events: they show nothing", rules,
			all.candidates, all.matches, all.documents)
	}
}
