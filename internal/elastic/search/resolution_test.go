package search_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// TestResolution: what patterns stand for, asked for all at once, is what the cluster says of each
// list by itself.
func TestResolution(t *testing.T) {
	server := estest.For(t)
	prefix := server.Index("r")
	create := func(name, body string) {
		server.Do(http.MethodPut, name, body)
	}
	for _, name := range []string{"a-1", "a-2", "ab-1", "b-1", "b-2", "c"} {
		create(prefix+name, `{}`)
	}
	create(prefix+"a-hidden", `{"settings":{"index.hidden":true}}`)
	create("."+prefix+"dot", `{"settings":{"index.hidden":true}}`)
	create(prefix+"b-closed", `{}`)
	server.Do(http.MethodPost, prefix+"b-closed/_close", nil)
	server.Do(http.MethodPost, "_aliases", fmt.Sprintf(`{"actions":[
		{"add":{"index":"%[1]sa-1","alias":"%[1]sa-alias"}},
		{"add":{"index":"%[1]sb-2","alias":"%[1]sa-filtered","filter":{"term":{"k":"x"}}}},
		{"add":{"index":"%[1]sa-hidden","alias":"%[1]sb-alias"}},
		{"add":{"index":"%[1]sc","alias":"%[1]sz","is_hidden":true}},
		{"add":{"index":"%[1]sb-*","alias":"%[1]sall-b"}}]}`, prefix))
	defer server.Do(http.MethodDelete, "."+prefix+"dot", nil)

	var some []string
	for _, p := range []string{"*", "a-*", "a*", "ab-*", "b-*", "b-1", "b-closed", "*-1", "*hidden",
		"a-hidden", "a-alias", "a-filtered", "b-alias", "all-b", "all*", "z", "z*", "c", "none",
		"none-*", "*a*l*"} {
		some = append(some, prefix+p)
	}
	some = append(some, "."+prefix+"*", "."+prefix+"dot", "."+prefix+"d*t")
	c := search.NewCluster(server.Client, search.Options{})
	all, err := c.Resolve(t.Context(), slices.Concat(some, []string{"remote:x-*", "<x-{now/d}>"}))
	if err != nil {
		t.Fatal(err)
	}
	unknown := 0
	f := func(patterns ...string) {
		t.Helper()
		got, ok := all.Standings(patterns)
		if !ok {
			unknown++
			return
		}
		want, err := c.Standings(t.Context(), patterns)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v (%v)", patterns, slices.Sorted(maps.Keys(got)),
				slices.Sorted(maps.Keys(want)), err)
		}
	}
	for _, p := range some {
		f(p)
	}
	// those that reach an index by an alias alone
	if alone := 12; unknown > alone {
		t.Errorf("nothing is known of %d of %d patterns, want %d at most", unknown, len(some),
			alone)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 150 {
		list := make([]string, 2+random.IntN(4))
		for i := range list {
			list[i] = some[random.IntN(len(some))]
		}
		f(list...)
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
	unsure := func(patterns ...string) {
		t.Helper()
		if got, ok := all.Standings(patterns); ok {
			t.Errorf("%s: got %v, want that nothing is known", patterns, got)
		}
	}
	unsure(prefix+"a-filtered", prefix+"a-1")
	unsure("remote:x-*")
	unsure("<x-{now/d}>")
	unsure(prefix + "not-asked-*")
	unsure(prefix+"b-*", "-"+prefix+"b-1")
}
