package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/demo/samples"
	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	eqlmatch "esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/sink/signal"
)

// corpusIndex is one index of a source, the template of the corpus that it is made from, and the
// recorded events in it. The corpus has no field list of the sources without a template; they have
// the mapping of the samples.
type corpusIndex struct {
	source, name, template string
	shape                  shape
	files                  []string
}

func corpusIndices() []corpusIndex {
	arrays, scalars := shape{}, shape{scalars: true}
	return []corpusIndex{
		{"winlogbeat", "winlogbeat-8.17.0-000001", "rally_security-winlogbeat.json", arrays,
			[]string{"winlogbeat_sysmon.ndjson", "winlogbeat_powershell_noise.ndjson",
				"winlogbeat_security_noise.ndjson"}},
		{"winlogbeat", "winlogbeat-7.17.0-000001", "rally_security-winlogbeat.json", arrays,
			[]string{"winlogbeat_7.17_sysmon.ndjson"}},
		{"winlogbeat", "winlogbeat-8.17.0-000002", "rally_security-winlogbeat.json", arrays,
			[]string{"otrf_all_sysmon11_as_winlogbeat.ndjson.gz",
				"otrf_proxylogon_sysmon_as_winlogbeat.ndjson.gz"}},
		{"endpoint", "logs-endpoint.events.file-default", "endpoint_file_fields_19941229.yml",
			arrays, []string{"endpoint_file.ndjson"}},
		{"endpoint", "logs-endpoint.events.file-rally",
			"rally_logs-endpoint.events.file@package.json", arrays,
			[]string{"endpoint_file_same_event_variants.ndjson", "endpoint_other_noise.ndjson"}},
		{"endgame", "endgame-4.59.0-000001", "endgame_ecs_mapping_8.4.0.json", scalars,
			[]string{"endgame_partial.hits.ndjson"}},
		{"sysmon_operational", "logs-windows.sysmon_operational-default", "", arrays,
			[]string{"windows_sysmon_operational.ndjson", "windows_forwarded_noise.ndjson"}},
		{"m365_defender", "logs-m365_defender.event-default", "", arrays,
			[]string{"m365_defender_event.ndjson"}},
		{"sentinel_one", "logs-sentinel_one_cloud_funnel.event-default", "", arrays,
			[]string{"sentinel_one_cloud_funnel.ndjson"}},
	}
}

// The recorded events of six sources, and copies of them with the rule's values: the signals are
// exactly those that the matcher finds when it reads every event itself.
func TestCorpus(t *testing.T) {
	estest.Corpus(t) // skips where it is absent
	s := newStage(t, "winlogbeat-*", "logs-endpoint.events.file-*",
		"logs-windows.sysmon_operational-*", "endgame-*",
		"logs-m365_defender.event-*", "logs-sentinel_one_cloud_funnel.*")
	s.more["START"] = "1d"
	loadCorpus(t, s)

	tally := readEverything(t, s)
	s.runOnce()
	compareWithTally(t, s, tally)
	s.wantWhole()
	s.runOnce().says(t, "created=0")
	// without a memory it searches everything once more
	s.more["STATE_INDEX"] = s.name("out-state-2")
	s.runOnce().says(t, "created=0")
	compareWithTally(t, s, tally)
}

// loadCorpus puts every file of events/ into an index, and some of each index a second time into
// the source's first index: the same events, which are alerted once.
func loadCorpus(t *testing.T, s *stage) {
	t.Helper()
	wantEveryFile(t)
	installSampleMappings(t, s)
	c := &clock{next: time.Now().Add(-23 * time.Hour).Truncate(time.Second)}
	first := map[string]string{}
	for _, index := range corpusIndices() {
		name := s.name(index.name)
		first[index.source] = cmp.Or(first[index.source], name)
		if index.template != "" {
			s.Create(name, estest.CorpusTemplate(t, index.template))
		}
		var recorded []recorded
		for _, file := range index.files {
			recorded = append(recorded, readRecorded(t, file)...)
		}
		events := copies(t, recorded, index.shape, c, 50)
		s.Load(name, ndjson(t, events))
		s.Load(first[index.source], ndjson(t, events[len(events)-len(variants()):]))
	}
	if ahead := time.Until(c.next); ahead > -time.Hour {
		t.Fatalf("the events reach to %s, which is not safely within the searched window", c.next)
	}
}

// wantEveryFile fails the test where the corpus has events that no index is given.
func wantEveryFile(t *testing.T) {
	t.Helper()
	var used []string
	for _, index := range corpusIndices() {
		used = append(used, index.files...)
	}
	files, err := os.ReadDir(filepath.Join(estest.Corpus(t), "events"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(used, file.Name()) {
			t.Errorf("%s is in no index", file.Name())
		}
	}
}

// installSampleMappings makes the templates of the sources that have none in the corpus apply to
// the stage's names.
func installSampleMappings(t *testing.T, s *stage) {
	t.Helper()
	if err := samples.Install(t.Context(), s.Client, s.prefix+"-"); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"winlogbeat", "endpoint", "endgame"} {
		s.Do(http.MethodDelete, "_index_template/"+s.prefix+"-esrule-sample-"+source, nil)
	}
}

// tally is what a reader of every event finds.
type tally struct {
	sources map[string]*sourceTally
	ids     map[string]signal.ID // of each match, by index and document id
}

type sourceTally struct {
	events, candidates, matches int
	ids                         map[signal.ID]bool
	branches                    map[string]int // matches by the part of the rule
}

func sourceOf(s *stage, index string) string {
	for _, c := range corpusIndices() {
		if strings.Contains(index, s.name(c.name)) {
			return c.source
		}
	}
	return index
}

// readEverything judges every event with the matcher, through its index's mapping and no pre-filter
// or window.
func readEverything(t *testing.T, s *stage) *tally {
	t.Helper()
	d := s.shippedRule()
	classes, err := d.Classes(t.Context(), search.NewCluster(s.Client, search.Options{}),
		s.patterns)
	if err != nil {
		t.Fatal(err)
	}
	found := &tally{sources: map[string]*sourceTally{}, ids: map[string]signal.ID{}}
	for _, index := range corpusIndices() {
		found.sources[index.source] = &sourceTally{ids: map[signal.ID]bool{},
			branches: map[string]int{}}
	}
	mappings := map[string]*event.Mapping{}
	for _, class := range classes {
		filter := prefilter.Build(d.Matchers[0].Condition(), class.Mapping)
		for _, index := range class.Indices {
			mappings[index] = class.Mapping
			found.sources[sourceOf(s, index)].candidates += count(t, s, index, filter.Clause)
		}
	}
	e := eqlmatch.NewEvaluation(d.Fields, time.Now())
	for hit := range everyHit(t, s) {
		mapping, ok := mappings[hit.Index]
		if !ok {
			t.Fatalf("index %s is in no class of mappings", hit.Index)
		}
		found.judge(t, sourceOf(s, hit.Index), d, e, mapping, hit)
	}
	return found
}

func (f *tally) judge(t *testing.T, source string, d *detect.Detection, e *eqlmatch.Evaluation,
	m *event.Mapping, hit estest.Hit) {
	t.Helper()
	of := f.sources[source]
	of.events++
	if err := e.Read(m, event.Document{Source: hit.Source}); err != nil {
		t.Fatal(err)
	}
	if !d.Matchers[0].Match(e) {
		return
	}
	id, err := signal.Identify(d.Rule.ID, signal.Event{Source: hit.Source})
	if err != nil {
		t.Fatal(err)
	}
	of.matches++
	of.ids[id] = true
	f.ids[hit.Index+"/"+hit.ID] = id
	path, _ := decode(t, hit.Source).get("file.path").(string)
	of.branches[branchOf(path)]++
}

func count(t *testing.T, s *stage, index string, clause dsl.Clause) int {
	t.Helper()
	var answer struct{ Count int }
	text := s.Do(http.MethodPost, index+"/_count", map[string]any{"query": clause})
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Count
}

// everyHit reads all documents under the patterns with a scroll, which is not how the program
// reads.
func everyHit(t *testing.T, s *stage) func(func(estest.Hit) bool) {
	type page struct {
		ScrollID string `json:"_scroll_id"`
		Hits     struct{ Hits []estest.Hit }
	}
	ask := func(path string, body any) page {
		t.Helper()
		var p page
		if err := json.Unmarshal(s.Do(http.MethodPost, path, body), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	return func(yield func(estest.Hit) bool) {
		p := ask(strings.Join(s.patterns, ",")+"/_search?scroll=1m",
			`{"size": 2000, "sort": ["_doc"]}`)
		for ; len(p.Hits.Hits) > 0; p = ask("_search/scroll",
			map[string]string{"scroll": "1m", "scroll_id": p.ScrollID}) {
			for _, hit := range p.Hits.Hits {
				if !yield(hit) {
					return
				}
			}
		}
		s.Do(http.MethodDelete, "_search/scroll", map[string]string{"scroll_id": p.ScrollID})
	}
}

// compareWithTally wants one signal for each distinct event that the reader of every event found,
// of every source and branch, and no other.
func compareWithTally(t *testing.T, s *stage, want *tally) {
	t.Helper()
	got := map[signal.ID]string{} // the source of each signal
	for _, hit := range s.signals() {
		var from struct {
			Ancestors []struct{ ID, Index string } `json:"kibana.alert.ancestors"`
		}
		if err := json.Unmarshal(hit.Source, &from); err != nil || len(from.Ancestors) != 1 {
			t.Fatalf("signal %s names no event: %v", hit.ID, err)
		}
		of := from.Ancestors[0]
		if id := want.ids[of.Index+"/"+of.ID]; id != signal.ID(hit.ID) {
			t.Errorf("signal %s is for %s/%s, whose identity is %q (empty: no match)", hit.ID,
				of.Index, of.ID, id)
		}
		got[signal.ID(hit.ID)] = sourceOf(s, of.Index)
	}
	table := "\nsource               events  candidates  matches  signals  branches\n"
	distinct := 0
	for _, source := range slices.Sorted(maps.Keys(want.sources)) {
		of := want.sources[source]
		signals := 0
		for id := range of.ids {
			if got[id] == source {
				signals++
				continue
			}
			t.Errorf("%s: no signal %s", source, id)
		}
		distinct += len(of.ids)
		table += fmt.Sprintf("%-20s %6d  %10d  %7d  %7d  %v\n", source, of.events, of.candidates,
			of.matches, signals, of.branches)
		wantEnough(t, source, of)
	}
	t.Log(table)
	if len(got) != distinct {
		t.Errorf("%d signals, want %d: one for each distinct event that matches", len(got),
			distinct)
	}
}

// wantEnough fails the test where the events of a source would not show what they are for.
func wantEnough(t *testing.T, source string, of *sourceTally) {
	t.Helper()
	if want := []string{"aspnet_client", `ecp\auth`,
		`owa\auth`}; !slices.Equal(slices.Sorted(maps.Keys(of.branches)), want) {
		t.Errorf("%s: matches by branch are %v, want some for each of %q", source, of.branches,
			want)
	}
	if len(of.ids) == 0 || len(of.ids) >= of.matches {
		t.Errorf("%s: %d distinct events match of %d, want fewer: each source has some twice",
			source, len(of.ids), of.matches)
	}
	if of.candidates <= of.matches || of.events <= of.candidates {
		t.Errorf("%s: %d events, %d candidates, %d matches: want near misses for both the "+
			"pre-filter and the matcher",
			source, of.events, of.candidates, of.matches)
	}
}
