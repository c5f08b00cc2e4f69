package soak

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"esrule/internal/query/rule"
)

// The rules of the kinds that need more than one event. Those of their events that have the same
// path are a family of their own: they are in one shard of one index, and come in the order of
// time. So whatever fails, whoever sees one of them sees those before it, and what is to be found
// does not depend on when somebody looks.
const (
	byNewTerms  rule.ID = "50a4b0c1-0000-4000-8000-000000000006"
	byThreshold rule.ID = "50a4b0c1-0000-4000-8000-000000000007"
	byIndicator rule.ID = "50a4b0c1-0000-4000-8000-000000000008"
	// byUntil joins events between which others must be missing, unless one ends it.
	byUntil rule.ID = "50a4b0c1-0000-4000-8000-000000000009"
	// byAbsence alerts on events that others do not follow.
	byAbsence rule.ID = "50a4b0c1-0000-4000-8000-000000000010"
)

const (
	termHistory   = 30 * time.Minute
	countSpan     = time.Minute
	countLeast    = 3
	untilSpan     = 5 * time.Minute
	absenceSpan   = time.Minute
	absenceWithin = 15 * time.Minute // after that, it is decided
)

const kindText = `
[rule]
author = ["esrule"]
description = "A rule of the fault harness."
from = "now-%ds"
interval = "1s"
index = ["%s"]
language = "%s"
name = "soak: %s"
risk_score = 1
rule_id = "%s"
severity = "low"
type = "%[6]s"
query = '''
%s
'''
%s
`

// kindRules gives the texts of these rules by their files.
func kindRules(pattern, indicators string) map[string]string {
	f := func(from int, language, kind string, id rule.ID, query, more string) string {
		return fmt.Sprintf(kindText, from, pattern, language, kind+" "+string(id[34:]), id, kind,
			query, more)
	}
	return map[string]string{
		"new-terms.toml": f(10, "kuery", "new_terms", byNewTerms, `process.name: term.exe`,
			fmt.Sprintf(`
[rule.new_terms]
field = "new_terms_fields"
value = ["file.path"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-%dm"
`, int(termHistory.Minutes()))),
		"threshold.toml": f(int(countSpan.Seconds()), "kuery", "threshold", byThreshold,
			`process.name: count-*`, fmt.Sprintf(`
[rule.threshold]
field = ["file.path"]
value = %d
[[rule.threshold.cardinality]]
field = "process.name"
value = 2
`, countLeast)),
		"indicator.toml": f(10, "kuery", "threat_match", byIndicator, `process.name: threat.exe`,
			fmt.Sprintf(`
threat_index = ["%s"]
threat_query = "*:*"
[[rule.threat_mapping]]
[[rule.threat_mapping.entries]]
field = "file.path"
type = "mapping"
value = "threat.indicator.path"
`, indicators)),
		"until.toml": f(10, "eql", "eql", byUntil, fmt.Sprintf(
			`sequence by file.path with maxspan=%vm [file where process.name == "go.exe"]
  ![file where process.name == "halt.exe"] [file where process.name == "done.exe"]
  until [file where process.name == "stop.exe"]`, untilSpan.Minutes()), ""),
		"absence.toml": f(10, "eql", "eql", byAbsence, fmt.Sprintf(
			`sequence by file.path with maxspan=%vm [file where process.name == "alone.exe"]
  ![file where process.name == "company.exe"]`, absenceSpan.Minutes()), ""),
	}
}

// stable are the indices of families: none is ever deleted, replaced or rolled over.
func (r *round) stable() []string {
	return []string{r.index("ev-first"), r.index("ev-second"), r.index("ev-both"),
		r.index("ev-closing")}
}

// family makes the events of a path that began so long ago. indicator is a document that has to be
// there before them, or empty.
func (s *source) family(ago time.Duration) (docs []doc, indicator doc) {
	path := fmt.Sprintf(`C:\families\%d`, s.made+1)
	begin := time.Now().Add(-ago)
	add := func(after time.Duration, process string) {
		if at := begin.Add(after); at.Before(time.Now()) {
			d := s.eventOf(path, time.Since(at), process, "", time.Time{})
			d.routing = path
			docs = append(docs, d)
		}
	}
	switch s.random.IntN(5) {
	case 0:
		for _, after := range []time.Duration{0, 10 * time.Minute, 50 * time.Minute} {
			add(after, "term.exe")
		}
	case 1:
		other := []string{"count-a.exe", "count-b.exe"}[min(s.random.IntN(4), 1)]
		for i := range 1 + s.random.IntN(5) {
			add(time.Duration(i*14)*time.Second, []string{"count-a.exe", other}[i%2])
		}
	case 2:
		add(0, "threat.exe")
		if s.random.IntN(2) == 0 {
			indicator = doc{id: "of-" + docs[0].id,
				text: fmt.Appendf(nil, `{"threat":{"indicator":{"path":%q}}}`, path)}
		}
	case 3:
		add(0, "go.exe")
		if between := s.random.IntN(4); between < 2 {
			add(20*time.Second, []string{"halt.exe", "stop.exe"}[between])
		}
		add([]time.Duration{40 * time.Second, 40 * time.Second, 6 * time.Minute}[s.random.IntN(3)],
			"done.exe")
	default:
		add(0, "alone.exe")
		if n := s.random.IntN(3); n > 0 {
			add([]time.Duration{30 * time.Second, 90 * time.Second}[n-1], "company.exe")
		}
	}
	return docs, indicator
}

// writeFamilies writes families that began at some time, one after the other.
func (r *round) writeFamilies(ctx context.Context, index string, src *source, n int,
	ago func() time.Duration) error {
	var docs, indicators []doc
	for len(docs) < n {
		family, indicator := src.family(ago())
		if docs = append(docs, family...); indicator.id != "" {
			indicators = append(indicators, indicator)
		}
	}
	if len(indicators) > 0 {
		if err := r.admin.put(ctx, r.index("ti"), indicators); err != nil {
			return err
		}
		_, err := r.admin.insist(ctx, http.MethodPost, r.index("ti")+"/_refresh", nil)
		if err != nil {
			return err
		}
	}
	return r.write(ctx, index, docs)
}

// prepareKinds makes the index of indicators and the families of the backlog.
func (r *round) prepareKinds(ctx context.Context) error {
	_, err := r.admin.insist(ctx, http.MethodPut, r.index("ti"), `{"settings": {
		"number_of_replicas": 1}, "mappings": {"dynamic": false, "properties": {
		"threat": {"properties": {"indicator": {"properties": {"path": {"type": "keyword"}}}}}}}}`)
	if err != nil {
		return err
	}
	size := r.plan.size
	for i, index := range r.stable() {
		src := newSource(r.plan, uint64(40+i), 30_000_000+i*1_000_000)
		err = errors.Join(err, r.writeFamilies(ctx, index, src, size.backlog/24,
			func() time.Duration { return time.Minute + span(src.random, size.lookBack) }))
	}
	return err
}

// streamFamilies writes live families until the last fault has begun.
func (r *round) streamFamilies(ctx context.Context, share int, index string) {
	src := newSource(r.plan, uint64(50+share), 40_000_000+share*1_000_000)
	length := time.Duration(r.plan.size.faults) * r.plan.size.every
	const batches = 10
	for n := range batches {
		pause(ctx, time.Until(r.started.Add(length*time.Duration(n)/batches)))
		err := r.writeFamilies(ctx, index, src, r.plan.size.live/24/batches,
			func() time.Duration { return 20*time.Second + span(src.random, 2*time.Minute) })
		if err != nil {
			r.note(err)
			return
		}
	}
}

// hideIndicators closes the index of indicators, or lets nobody read it.
func (r *round) hideIndicators(ctx context.Context, f fault) error {
	ti := r.index("ti")
	if f.amount%2 == 0 {
		return r.block(ctx, f, ti, "read")
	}
	return r.toggle(ctx, f, ti+"/_close?timeout=10s", ti+"/_open?timeout=10s")
}

// isOfOneEvent reports whether a rule judges each event alone, by its query and nothing else.
func isOfOneEvent(id rule.ID) bool {
	return id != bySequence && !isOfFamilies(id)
}

func isOfFamilies(id rule.ID) bool {
	return strings.Contains(strings.Join([]string{string(byNewTerms), string(byThreshold),
		string(byIndicator), string(byUntil), string(byAbsence)}, " "), string(id))
}
