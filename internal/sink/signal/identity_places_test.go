package signal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What is read by places is what the paths say, in whatever order the keys come and however many
// there are.
func TestLeavesByPlaces(t *testing.T) {
	var used identity // by one event after the other
	f := func(event string) {
		t.Helper()
		n, err := parse([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		n.leavesUnder(nil, func(path []byte, leaf *node) {
			if of := new(paths).of(path); of.isSteady {
				want = append(want, fmt.Sprintf("%d %x %s", of.field, of.hash, leaf.text))
			}
		})
		for range 2 {
			used.readFields(n)
			var got []string
			for _, l := range used.leaves {
				got = append(got, fmt.Sprintf("%d %x %s", l.path.field, l.path.hash, l.text))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%.200s: got %.500q, want %.500q", event, got, want)
			}
		}
	}
	f(fullEvent)
	f(windowsEvent)
	f(`{"a":1,"b":{"c":2,"d":3}}`)
	f(`{"b":{"d":3,"c":2,"x":{"y":1}},"a":1}`)
	f(`{"a":1,"a":2,"a.b":3,"b.c":[{"d":1},{"c":[2,null,true]}],"b":[[{"c.d":5}]]}`)
	f(`{"":{"":1,"x":2},"x":{"":3},".":4,"@timestamp":"x"}`)
	f(`{"tags":["x"],"event":{"id":"1","ingested":"x"},"event.created":{"x":1}}`)
	f(strings.Repeat(`{"abc":`, 200) + `{"d":1}` + strings.Repeat("}", 200))
	f(fmt.Sprintf(`{%q:{"a":1},"z":2}`, strings.Repeat("k", longestPath+1)))
	for n := range 10 { // more than are remembered
		var members []string
		for i := range 2 * mostBelow {
			members = append(members, fmt.Sprintf(`"k%d":{"a":%d,"b":{"c":1}}`, (n+1)*i, i))
		}
		f(`{"a":{` + strings.Join(members, ",") + `},` + strings.Join(members, ",") + `}`)
	}
	f(fullEvent)
	used = identity{}
	var all []string
	for i := range mostPlaces {
		all = append(all, fmt.Sprintf(`"%d":{"%d":{"x":1}}`, i%63, i))
	}
	f(`{` + strings.Join(all, ",") + `}`)
	if used.places.count != mostPlaces {
		t.Errorf("got %d places, want %d: the case is too small", used.places.count, mostPlaces)
	}
	f(windowsEvent)
}

// The order that is remembered is that of the leaves at hand.
func TestLeafOrder(t *testing.T) {
	var used leafOrder
	known := paths{}
	f := func(names ...string) {
		t.Helper()
		var leaves []steadyLeaf
		for _, name := range names {
			leaves = append(leaves, steadyLeaf{known.of([]byte(name)), name})
		}
		for range 2 {
			var got, want digest
			got.content(leaves, &used)
			want.content(leaves, &leafOrder{})
			if string(got.parts) != string(want.parts) {
				t.Errorf("%q: got %q, want %q", names, got.parts, want.parts)
			}
			if got := used.of(leaves); !slices.IsSortedFunc(got, func(a, b int) int {
				return bytes.Compare(leaves[a].path.hash[:], leaves[b].path.hash[:])
			}) || len(got) != len(names) {
				t.Errorf("%q: got the order %d", names, got)
			}
		}
	}
	f()
	f("a", "b", "c")
	f("c", "b", "a")
	f("c", "b")
	f("c", "b", "a", "a", "d")
	f("a", "a", "d", "c", "b")
	f("a", "b", "a", "b")
	f()
	f("a")
}
