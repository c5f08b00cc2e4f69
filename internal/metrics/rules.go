package metrics

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// ruleLabels name the rule in every metric about one. The name is there for people.
func ruleLabels() []string { return []string{"rule_id", "rule"} }

// ruleMetrics are about what runs came to, rule by rule: counters over the life of the process, and
// the last run.
type ruleMetrics struct {
	known map[rule.ID]string

	searched, candidates, matches, created, late, duplicates, reduced, withoutEvent,
	deadLetters *prometheus.CounterVec
	failures  *prometheus.CounterVec
	durations *prometheus.HistogramVec

	lastAt, lastSuccess, lastDuration, lastSearched,
	lastIndices *prometheus.GaugeVec
	lastCandidates, lastMatches, lastCreated, lastLate, lastDuplicates, lastReduced,
	lastWithoutEvent, lastDeadLetters *prometheus.GaugeVec
	costly *prometheus.GaugeVec
}

func newRuleMetrics() ruleMetrics {
	counter := func(name, help string, more ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "esrule_rule_" + name,
			Help: help}, append(ruleLabels(), more...))
	}
	gauges := func(name, help string, more ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "esrule_rule_" + name, Help: help},
			append(ruleLabels(), more...))
	}
	return ruleMetrics{
		known: map[rule.ID]string{},

		searched: counter("searched_seconds_total",
			"The time of events that was searched, overlaps included."),
		candidates: counter("candidates_total",
			"Events that passed the pre-filter and were judged by the matcher."),
		matches: counter("matches_total", "Events that the matcher accepted."),
		created: counter("signals_created_total",
			"Signals written that were not there before."),
		late: counter("late_signals_created_total",
			"Of the signals created, those that only a late sweep found."),
		duplicates: counter("duplicates_total", "Matches whose event had its signal already."),
		reduced: counter("signals_reduced_total",
			"New signals that the cluster took only without their event's fields."),
		withoutEvent: counter("signals_without_event_total",
			"New signals that only say where their event is, which was refused in any form."),
		deadLetters: counter("dead_letters_total",
			"Signals that the signals index refused in every form; they lie in the dead-letter index."),
		failures: counter("failures_total", "What went wrong, by kind. A run counts the error "+
			"that ended it early, "+
			"each index that is open behind it (index) and each dead letter (dead_letter).",
			"kind"),
		durations: prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Name: "esrule_rule_run_duration_seconds",
				Help: "How long a rule's part of a run took.", Buckets: durationBuckets()},
			ruleLabels()),

		lastAt: gauges("last_run_timestamp_seconds",
			"When the rule's last run began, in Unix seconds."),
		lastSuccess: gauges("last_run_success",
			"1 where the rule's last run left nothing open and lost no signal to the dead-letter "+
				"index, else 0."),
		lastDuration: gauges("last_run_duration_seconds",
			"How long the rule's part of the last run took."),
		lastSearched: gauges("last_run_searched_seconds",
			"The time of events that the last run searched, overlaps included."),
		lastIndices: gauges("last_run_indices", "Indices that the rule's last run searched."),
		lastCandidates: gauges("last_run_candidates",
			"Events that passed the pre-filter in the last run."),
		lastMatches: gauges("last_run_matches",
			"Events that the matcher accepted in the last run."),
		lastCreated: gauges("last_run_signals_created",
			"Signals that the last run wrote and that were not there before."),
		lastLate: gauges("last_run_late_signals_created",
			"Of the signals that the last run created, those that only its late sweep found."),
		lastDuplicates: gauges("last_run_duplicates",
			"Matches of the last run whose event had its signal already."),
		lastReduced: gauges("last_run_signals_reduced",
			"New signals of the last run that the cluster took only without their event's fields."),
		lastWithoutEvent: gauges("last_run_signals_without_event",
			"New signals of the last run that only say where their event is."),
		lastDeadLetters: gauges("last_run_dead_letters",
			"Signals of the last run that lie in the dead-letter index."),
		costly: gauges("costly", "1 where the last run cost the cluster more than a rule's "+
			"share, by what it cost: "+
			"candidates that did not match, or time.", "reason"),
	}
}

func (r ruleMetrics) counterVecs() []*prometheus.CounterVec {
	return []*prometheus.CounterVec{r.searched, r.candidates, r.matches, r.created, r.late,
		r.duplicates, r.reduced, r.withoutEvent, r.deadLetters}
}

func (r ruleMetrics) gaugeVecs() []*prometheus.GaugeVec {
	return []*prometheus.GaugeVec{r.lastAt, r.lastSuccess, r.lastDuration, r.lastSearched,
		r.lastIndices, r.lastCandidates, r.lastMatches,
		r.lastCreated, r.lastLate, r.lastDuplicates, r.lastReduced, r.lastWithoutEvent,
		r.lastDeadLetters, r.costly}
}

func (r ruleMetrics) counters() []prometheus.Collector {
	list := []prometheus.Collector{r.failures, r.durations}
	for _, c := range r.counterVecs() {
		list = append(list, c)
	}
	return list
}

func (r ruleMetrics) gauges() []prometheus.Collector {
	var list []prometheus.Collector
	for _, g := range r.gaugeVecs() {
		list = append(list, g)
	}
	return list
}

// keep makes the counters of the rules that run, at 0, so that the first increase can be seen, and
// forgets the others.
func (r ruleMetrics) keep(running map[rule.ID]string) {
	for id, name := range running {
		for _, c := range r.counterVecs() {
			c.WithLabelValues(string(id), name)
		}
		for _, k := range kinds() {
			r.failures.WithLabelValues(string(id), name, string(k))
		}
		r.durations.WithLabelValues(string(id), name)
	}
	for id, name := range r.known {
		if running[id] != name {
			r.forget(prometheus.Labels{"rule_id": string(id), "rule": name})
		}
	}
	clear(r.known)
	maps.Copy(r.known, running)
}

func (r ruleMetrics) forget(labels prometheus.Labels) {
	for _, c := range append(r.counterVecs(), r.failures) {
		c.DeletePartialMatch(labels)
	}
	for _, g := range r.gaugeVecs() {
		g.DeletePartialMatch(labels)
	}
	r.durations.DeletePartialMatch(labels)
}

// ran enters one rule's run. An interrupted one counts for what it did, and is no failure.
func (r ruleMetrics) ran(one schedule.RuleReport) {
	id, name, run := string(one.RuleID), one.Name, one.Run
	late := 0
	if run.Swept != nil {
		late = run.Swept.Created
	}
	r.searched.WithLabelValues(id, name).Add(run.Searched.Seconds())
	r.durations.WithLabelValues(id, name).Observe(run.Duration.Seconds())
	r.lastAt.WithLabelValues(id, name).Set(unixSeconds(run.At))
	r.lastSuccess.WithLabelValues(id,
		name).Set(oneIf(one.Covered()))
	r.lastDuration.WithLabelValues(id, name).Set(run.Duration.Seconds())
	r.lastSearched.WithLabelValues(id, name).Set(run.Searched.Seconds())
	r.lastIndices.WithLabelValues(id, name).Set(float64(run.Indices))
	for _, n := range []struct {
		total *prometheus.CounterVec
		last  *prometheus.GaugeVec
		count int
	}{
		{r.candidates, r.lastCandidates, run.Candidates},
		{r.matches, r.lastMatches, run.Matched},
		{r.created, r.lastCreated, run.Created},
		{r.late, r.lastLate, late},
		{r.duplicates, r.lastDuplicates, run.Duplicates},
		{r.reduced, r.lastReduced, run.Reduced},
		{r.withoutEvent, r.lastWithoutEvent, run.WithoutEvent},
		{r.deadLetters, r.lastDeadLetters, run.DeadLettered},
	} {
		n.total.WithLabelValues(id, name).Add(float64(n.count))
		n.last.WithLabelValues(id, name).Set(float64(n.count))
	}
	for _, err := range append([]error{one.Err}, one.Failed...) {
		if k, failed := kindOf(err); failed {
			r.failures.WithLabelValues(id, name, string(k)).Inc()
		}
	}
	r.failures.WithLabelValues(id, name, string(indexOpen)).Add(float64(len(one.Open)))
	r.failures.WithLabelValues(id, name, string(deadLetter)).Add(float64(run.DeadLettered))
	costs := one.Costs()
	for _, reason := range schedule.CostReasons() {
		is := func(c schedule.Cost) bool { return c.Reason == reason }
		r.costly.WithLabelValues(id, name,
			string(reason)).Set(oneIf(slices.ContainsFunc(costs, is)))
	}
}
