package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/span"
)

// The metrics of a standing that stay true while nothing is learnt. The lag is none of them: it
// grows.
const (
	upToName        = "esrule_rule_covered_up_to_timestamp_seconds"
	gapName         = "esrule_rule_gap_seconds"
	openIndicesName = "esrule_rule_open_indices"
	openTimeName    = "esrule_rule_open_seconds"
	sweptName       = "esrule_rule_late_sweep_timestamp_seconds"
)

// standings is what the ledgers say. It is a collector of its own for the lag, which grows while
// nothing happens: a process whose runs hang shows it nonetheless.
type standings struct {
	now                                          func() time.Time
	upTo, lag, gap, openIndices, openTime, swept *prometheus.Desc

	mu    sync.Mutex
	names map[rule.ID]string // of the rules that run
	rules map[rule.ID]standing
}

// standing is what one ledger says.
type standing struct {
	upTo        time.Time
	gap         time.Duration
	openIndices int
	openTime    time.Duration
	swept       time.Time // zero: no late sweep is complete yet
}

func newStandings(now func() time.Time) *standings {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, ruleLabels(), nil)
	}
	return &standings{
		now:   now,
		rules: map[rule.ID]standing{},
		upTo: desc(upToName,
			"The moment before which everything is covered, by every index, in Unix seconds. "+
				"time() less this is the lag, in a file too."),
		lag: desc("esrule_rule_lag_seconds",
			"How long ago the moment was up to which everything is covered, as this is read; in "+
				"a file, as it was written."),
		gap: desc(gapName,
			"How much time before the newest covered moment was searched in no index yet."),
		openIndices: desc(openIndicesName,
			"Indices, or patterns that may not be read, that did not answer for part of what is "+
				"covered otherwise."),
		swept: desc(sweptName,
			"When the last complete late sweep began, in Unix seconds: what had come late until "+
				"then was read."),
		openTime: desc(openTimeName,
			"The time for which at least one index is open, one index's time counted once."),
	}
}

func (s *standings) note(l *schedule.Ledger) {
	var open span.Intervals
	for _, o := range l.Open {
		open = open.Union(o.Time...)
	}
	var swept time.Time
	if l.Sweep != nil && !l.Sweep.CompletedAt.IsZero() {
		swept = l.Sweep.Start
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules[l.RuleID] = standing{
		upTo: l.CoveredUpTo(), gap: l.Gaps(l.Covered.End()).Length(),
		openIndices: len(l.Open), openTime: open.Length(), swept: swept,
	}
}

func (s *standings) keep(running map[rule.ID]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = running
}

// Describe implements prometheus.Collector.
func (s *standings) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.upTo, s.lag, s.gap, s.openIndices, s.openTime, s.swept} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *standings) Collect(ch chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for id, name := range s.names {
		one, known := s.rules[id]
		if !known {
			continue
		}
		put := func(d *prometheus.Desc, value float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, string(id), name)
		}
		put(s.upTo, unixSeconds(one.upTo))
		put(s.lag, now.Sub(one.upTo).Seconds())
		put(s.gap, one.gap.Seconds())
		put(s.openIndices, float64(one.openIndices))
		put(s.openTime, one.openTime.Seconds())
		if !one.swept.IsZero() {
			put(s.swept, unixSeconds(one.swept))
		}
	}
}

func (s *standings) carried() []string {
	return []string{upToName, gapName, openIndicesName, openTimeName}
}

// misses tells whether a rule runs, under that name, and its ledger is not known.
func (s *standings) misses(id, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.rules[rule.ID(id)]
	running, runs := s.names[rule.ID(id)]
	return runs && running == name && !known
}
