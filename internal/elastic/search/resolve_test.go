package search

import (
	"encoding/json"
	"slices"
	"testing"

	"esrule/internal/elastic"
)

// TestDataStreamsThatMayBeHidden: of a data stream nothing says whether it is hidden. (The test
// distribution has none.)
func TestDataStreamsThatMayBeHidden(t *testing.T) {
	var named elastic.Resolved
	if err := json.Unmarshal([]byte(`{"indices":[],"aliases":[],"data_streams":[
		{"name":"logs-a","backing_indices":[".ds-logs-a-1",".ds-logs-a-2"]},
		{"name":"logs-b","backing_indices":".ds-logs-b-1"},
		{"name":".logs-c","backing_indices":".ds-.logs-c-1"}]}`), &named); err != nil {
		t.Fatal(err)
	}
	all := []string{"logs-*", "logs-a*", "logs-b", "*c", ".l*"}
	f := func(pattern string, sure bool, want ...string) {
		t.Helper()
		got := resolve(named, pattern, all)
		if got.unsure == sure || sure && !slices.Equal(got.indices, want) {
			t.Errorf("%s: got %v, unsure: %v, want %v", pattern, got.indices, got.unsure, want)
		}
	}
	f("logs-a*", true, ".ds-logs-a-1", ".ds-logs-a-2")
	f("logs-b", true, ".ds-logs-b-1")
	f(".l*", true, ".ds-.logs-c-1")
	f("logs-*", false) // logs-b is named, and may be hidden
	f("*c", false)     // a name that begins with a dot is mostly hidden
	f("x*", true)
}
