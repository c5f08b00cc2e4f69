package schedule_test

import (
	"strings"
	"testing"
	"time"

	"esrule/internal/finding"
)

// Check looks at all indices of a sequence together: each stage may be taken in another.
func TestCheckSequence(t *testing.T) {
	w := newWorld(t)
	w.index("a")
	w.Create(w.Index("other-b"), `{"mappings":{"dynamic":false,"properties":{
		"@timestamp":{"type":"date"},"event":{"properties":{"category":{"type":"keyword"}}},
		"user":{"properties":{"name":{"type":"keyword"}}},
		"source":{"properties":{"ip":{"type":"ip"}}}}}}`)
	w.rule.Index = append(w.rule.Index, w.Index("other-*"))
	codes := []finding.Code{finding.StageNeverMatches, finding.KeyUnmapped, finding.KeysNeverEqual,
		finding.SpanOverLookBack, finding.NoMaxSpan}
	f := func(query string, fires bool, want ...string) {
		t.Helper()
		check := w.check(w.sequences(query)[0])
		got := textsOf(about(check.All(), codes...))
		ok := len(got) == len(want) && check.CanFire() == fires
		for i := range min(len(got), len(want)) {
			ok = ok && strings.HasPrefix(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s:\n got %q, can fire: %t\nwant %q, %t", query, got, check.CanFire(), want,
				fires)
		}
	}
	const a, b = ` [any where process.name == "x"]`, ` [any where user.name == "y"]`
	f(`sequence with maxspan=1m`+a+b, true)
	f(`sequence with maxspan=5m`+a+b, true, "span-over-look-back Kibana looks back 9m every 5m")
	f(`sequence`+a+b, true, "no-maxspan it has no maxspan: its events are within the rule's "+
		"look-back, 9m, of each other")
	f(`sample by @timestamp`+a+b, true, "no-maxspan")
	f(`sequence with maxspan=1m`+a+` [any where user.id == "z"]`, false,
		"stage-never-matches stage 2: no event of any index satisfies its condition: the rule "+
			"can never fire")
	f(`sequence with maxspan=1m`+a+` ![any where user.id == "z"]`+b, true,
		"stage-never-matches stage 2: no event of any index satisfies its condition: it keeps "+
			"no sequence from being found")
	f(`sequence with maxspan=1m`+a+b+` until [any where user.id == "z"]`, true,
		"stage-never-matches until: ")
	f(`sequence by host.id with maxspan=1m`+a+b, false, "key-unmapped stage 1: its key host.id",
		"key-unmapped stage 2")
	f(`sequence by ?host.id with maxspan=1m`+a+b, true)
	f(`sequence with maxspan=1m`+a+` by process.pid`+b+` by process.pid`, false,
		"key-unmapped stage 2: its key process.pid is not mapped in any index where an event can "+
			"take it")
	f(`sequence with maxspan=1m`+a+` by process.pid`+b+` by user.name`, false,
		"keys-never-equal stage 1 has the key process.pid (a number), stage 2 user.name (a text)")
	f(`sequence with maxspan=1m`+a+` by process.name`+b+` by source.ip`, false,
		"keys-never-equal stage 1 has the key process.name (a text), stage 2 source.ip (an "+
			"address)")
	f(`sequence with maxspan=1m`+a+` by ?process.name`+b+` by ?source.ip`, true)
	f(`sequence with maxspan=1m`+a+` by process.name`+b+` by user.name`, true)
	w.rule.From, w.rule.Interval = time.Hour, 5*time.Minute
	f(`sequence with maxspan=55m`+a+b, true)
}
