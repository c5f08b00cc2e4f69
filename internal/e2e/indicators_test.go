package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// feeds are the indices of indicators of the rules of threatRules, a rule each.
func feeds() []string { return []string{"closed", "empty", "forbidden", "good", "part"} }

// threatRules makes a folder of rules: one that asks for no indicators, and one for each feed.
func threatRules(t *testing.T, s *stage) string {
	t.Helper()
	folder := t.TempDir()
	write := func(id, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, id+".toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("event", kindRule("event", "query", "kuery", "source.ip: *", ""))
	for _, feed := range feeds() {
		write(feed, kindRule(feed, "threat_match", "kuery", "source.ip: *", fmt.Sprintf(`
threat_index = [%q]
threat_query = "*:*"
[[rule.threat_mapping]]
[[rule.threat_mapping.entries]]
field = "source.ip"
type = "mapping"
value = "threat.indicator.ip"
`, s.name("ti-"+feed))))
	}
	return folder
}

// indicatorsOutOfReach: rules whose indicators may not be read, are closed or lack a shard say so
// and stay open; one without indicators says so; the others go on.
func indicatorsOutOfReach(t *testing.T, operator *stage, password string) {
	operator.Create(operator.name("events-1"), kindsMapping)
	operator.put("events-1", "e", fmt.Sprintf(`{"@timestamp":%q,"source":{"ip":"192.0.2.7"}}`,
		time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano)))
	const indicator = `{"threat":{"indicator":{"ip":"192.0.2.7"}}}`
	feed := func(name string) string { return operator.name("ti-" + name) }
	for _, name := range feeds() {
		if name == "part" {
			continue
		}
		operator.Create(feed(name), kindsMapping)
		if name != "empty" {
			operator.Bulk(feed(name), indicator)
		}
	}
	const perNode = "index.routing.allocation.total_shards_per_node"
	operator.Do(http.MethodPut, feed("part")+"?wait_for_active_shards=0", map[string]any{
		"settings": map[string]any{"number_of_shards": 2, "number_of_replicas": 0, perNode: 1},
		"mappings": map[string]any{"properties": map[string]any{
			"threat.indicator.ip": map[string]any{"type": "keyword"}}}})
	operator.Do(http.MethodPost, feed("closed")+"/_close", nil)
	operator.run("setup").want(t, 0)
	wantAbout := func(want ...string) {
		t.Helper()
		var got []string
		for _, hit := range operator.signals() {
			got = append(got, operator.about(hit.Source))
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("signals (-want +got):\n%s", diff)
		}
	}

	less := operator.as("ti-less", password)
	unread := func(name, why string) string {
		return fmt.Sprintf("the indicators in %s cannot be read: %s", feed(name), why)
	}
	all := []string{unread("closed", "the index is closed: open it, or leave it out with"),
		unread("forbidden", "the privilege [read view_index_metadata] is missing on it"),
		unread("part", "a shard is not available")}
	less.run("run", "--once").want(t, 1).says(t, append(all, feed("empty"),
		"a rule has no indicators")...)
	wantAbout("event: e", "good: e 192.0.2.7")
	less.run("status").want(t, 1).says(t, all...)
	less.run("check").want(t, 3).says(t, "indicators in "+feed("closed")+" cannot be read",
		"indicators in "+feed("forbidden")+" cannot be read",
		"indicators in "+feed("part")+" cannot be read", "no document of "+feed("empty"))
	less.run("backfill", "--from", "now-1h", "--to", "now").want(t, 1).says(t, all...)

	operator.Do(http.MethodPut, feed("part")+"/_settings", map[string]any{perNode: 2})
	operator.Do(http.MethodPost, feed("closed")+"/_open?wait_for_active_shards=1", nil)
	operator.Do(http.MethodGet, "_cluster/health/"+feed("part")+"?wait_for_status=green", nil)
	operator.Bulk(feed("part"), indicator)
	operator.runOnce()
	wantAbout("closed: e 192.0.2.7", "event: e", "forbidden: e 192.0.2.7", "good: e 192.0.2.7",
		"part: e 192.0.2.7")
}
