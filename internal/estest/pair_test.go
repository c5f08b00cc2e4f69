//go:build unix

package estest

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// What an index has on the killed node is gone with it and comes back with it; nothing of either
// node outlives the test.
func TestPair(t *testing.T) {
	needsDistribution(t)
	folder := temporary(t)
	t.Run("two nodes", func(t *testing.T) {
		p := OwnPair(t, Options{})
		on := func(node, index string) {
			p.Create(index, `{"settings": {"number_of_replicas": 0, "index.routing.allocation.require._name": "`+node+`"}}`)
			p.Bulk(index, `{"a":1}`)
		}
		on(FirstNode, "stays")
		on(SecondNode, "goes")
		found := func(index string, want int) {
			t.Helper()
			if hits := p.Hits(index); len(hits) != want {
				t.Errorf("documents found in %s: got %d, want %d", index, len(hits), want)
			}
		}
		found("stays,goes", 2)
		if err := p.KillSecond(); err != nil {
			t.Fatal(err)
		}
		p.Do(http.MethodGet, "_cluster/health?wait_for_nodes=1", nil)
		found("stays,goes", 1)
		if got, _ := filepath.Glob(filepath.Join(folder, "*")); len(got) != 2 {
			t.Errorf("folders while one node is killed: got %q, want two", got)
		}
		if err := p.StartSecond(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.Do(http.MethodGet, "_cluster/health/goes?wait_for_status=yellow", nil)
		found("stays,goes", 2)
	})
	if left := processes(t, folder); len(left) > 0 {
		t.Errorf("still running after the test: %q", left)
	}
	mustBeEmpty(t, folder)
}

func TestPairRefusesUsers(t *testing.T) {
	_, err := startPair(t.Context(), Options{Users: []User{{Name: "a"}}}.withDefaults())
	if err == nil || !strings.Contains(err.Error(), "certificates") {
		t.Errorf("got %v, want an error that says why", err)
	}
}
