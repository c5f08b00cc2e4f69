package samples_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/demo/samples"
	"esrule/internal/estest"
)

func TestInstallLoadRemove(t *testing.T) {
	cluster := estest.For(t)
	prefix := cluster.Prefix() + "-"
	ctx := t.Context()
	events, err := samples.Events(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := samples.Install(ctx, cluster.Client, prefix); err != nil {
		t.Fatal(err)
	}
	if err := samples.Load(ctx, cluster.Client, prefix, events); err != nil {
		t.Fatal(err)
	}
	patterns, err := samples.Patterns(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if got := cluster.Count(strings.Join(patterns, ",")); got != len(events) {
		t.Errorf("%d events are searchable, want %d", got, len(events))
	}
	for i, source := range samples.Sources() {
		want := 0
		for _, e := range events {
			if e.Source == source {
				want++
			}
		}
		if got := cluster.Count(patterns[i]); got != want {
			t.Errorf("%s: %d events, want %d", patterns[i], got, want)
		}
	}

	ignored := func(id string, want bool) {
		t.Helper()
		e := events[slices.IndexFunc(events, func(e samples.Event) bool { return e.ID() == id })]
		query := prefix + e.Index + "/_search?q=_ignored:file.path%20AND%20_id:" + id
		if got := strings.Contains(string(cluster.Do("GET", query, nil)),
			`"value":1`); got != want {
			t.Errorf("%s: file.path left out of the index: %v, want %v", id, got, want)
		}
	}
	ignored("winlogbeat.path-beyond-ignore-above", true)
	ignored("winlogbeat.owa-excluded-version-beyond-ignore-above", true)
	ignored("winlogbeat.aspnet-client-aspx", false)
	ignored("m365_defender.long-path-in-the-index", false)

	checkAgainstElasticsearch(t, cluster, strings.Join(patterns, ","), events)

	if err := samples.Load(ctx, cluster.Client, prefix, events[:1]); err == nil ||
		!strings.Contains(err.Error(), "status 409") {
		t.Errorf("loading an event again: %v, want status 409", err)
	}

	if err := samples.Remove(ctx, cluster.Client, prefix, events); err != nil {
		t.Fatal(err)
	}
	if left := string(cluster.Do("GET", "_resolve/index/"+prefix+"*?expand_wildcards=all",
		nil)); strings.Contains(left, prefix) {
		t.Errorf("left after Remove: %s", left)
	}
	if left := string(cluster.Do("GET", "_index_template?filter_path=index_templates.name",
		nil)); strings.Contains(left, prefix) {
		t.Errorf("templates left after Remove: %s", left)
	}
	if err := samples.Remove(ctx, cluster.Client, prefix, events); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
}

// checkAgainstElasticsearch asks the server which events the rule matches, all of its conditions
// pushed down. It agrees with the Match flags, but for the path that it did not index.
func checkAgainstElasticsearch(t *testing.T, cluster *estest.Cluster, patterns string,
	events []samples.Event) {
	t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	if err := json.Unmarshal(cluster.Do("POST", patterns+"/_search",
		map[string]any{"size": 1000, "query": ruleAsQuery()}), &answer); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, hit := range answer.Hits.Hits {
		found[hit.ID] = true
	}
	for _, e := range events {
		want := e.Match && e.ID() != "winlogbeat.path-beyond-ignore-above"
		if got := found[e.ID()]; got != want {
			t.Errorf("%s: Elasticsearch matches it: %v, want %v\n%s", e.ID(), got, want, e.JSON)
		}
	}
}

func ruleAsQuery() any {
	type m = map[string]any
	exactly := func(field, value string) any { return m{"term": m{field: m{"value": value}}} }
	like := func(field string, patterns ...string) any {
		var patternsOf []m
		for _, p := range patterns {
			p = strings.ReplaceAll(p, `\`, `\\`) // a literal backslash in a wildcard query
			patternsOf = append(patternsOf,
				m{"wildcard": m{field: m{"value": p, "case_insensitive": true}}})
		}
		return m{"bool": m{"should": patternsOf}}
	}
	const frontEnd = `?:\*\Microsoft\Exchange Server*\FrontEnd\HttpProxy\`
	return m{"bool": m{
		"filter": []any{
			exactly("event.category", "file"),
			exactly("host.os.type", "windows"),
			exactly("event.type", "creation"),
			like("process.name", "UMWorkerProcess.exe", "umservice.exe"),
			like("file.extension", "php", "jsp", "js", "aspx", "asmx", "asax", "cfm", "shtml"),
		},
		"minimum_should_match": 1,
		"should": []any{
			like("file.path", `?:\inetpub\wwwroot\aspnet_client\*`),
			m{"bool": m{
				"filter": like("file.path", frontEnd+`owa\auth\*`),
				"must_not": []any{
					like("file.path", frontEnd+`owa\auth\version\*`),
					like("file.name", "errorFE.aspx", "expiredpassword.aspx", "frowny.aspx",
						"GetIdToken.htm", "logoff.aspx",
						"logon.aspx", "OutlookCN.aspx", "RedirSuiteServiceProxy.aspx",
						"signout.aspx"),
				},
			}},
			m{"bool": m{
				"filter":   like("file.path", frontEnd+`ecp\auth\*`),
				"must_not": like("file.name", "TimeoutLogoff.aspx"),
			}},
		},
	}}
}
