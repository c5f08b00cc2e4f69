package metrics

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// ruleLabels name the rule in every metric that is there for each rule. The name is for people.
func ruleLabels() []string { return []string{"rule_id", "rule"} }

// ruleMetrics are about what runs came to: counters over the life of the process, and the last run.
// What alerts ask of one rule is there for each; everything else is a sum over the rules, so that a
// thousand rules can be scraped. None has both a rule and another label.
type ruleMetrics struct {
	known map[rule.ID]string

	// For each rule.
	created, deadLetters *prometheus.CounterVec
	lastSuccess, lastDuration, lastCandidates, lastCreated, lastDeadLetters,
	costly *prometheus.GaugeVec

	// Over all rules.
	searched, candidates, matches, late, duplicates, reduced, withoutEvent,
	excepted, chainStopped prometheus.Counter
	failures  *prometheus.CounterVec
	durations prometheus.Histogram
	// Vectors without labels: they are not there before there is something to say.
	lastAt, lastSearched, lastIndices, lastSearches, lastTogether, lastMatches, lastLate,
	lastDuplicates, lastReduced, lastWithoutEvent, lastExcepted,
	lastChainStopped *prometheus.GaugeVec
}

func newRuleMetrics() ruleMetrics {
	const prefix = "esrule_rule_"
	counters := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help},
			ruleLabels())
	}
	gauges := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help},
			ruleLabels())
	}
	sum := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name,
			Help: help + " Of all rules."})
	}
	last := func(name, help string) *prometheus.GaugeVec {
		return laterGauge(prefix+"last_run_"+name, help+" Of all rules.")
	}
	return ruleMetrics{
		known: map[rule.ID]string{},

		created: counters("signals_created_total", "Signals written that were not there before."),
		deadLetters: counters("dead_letters_total",
			"Signals that the signals index refused in every form; they lie in the dead-letter index."),
		lastSuccess: gauges("last_run_success",
			"1 where the rule's last run left nothing open and lost no signal to the dead-letter "+
				"index, else 0."),
		lastDuration: gauges("last_run_duration_seconds",
			"How long the rule's part of the last run took; of a search for several rules, its "+
				"share."),
		lastCandidates: gauges("last_run_candidates",
			"Events that could match the rule and were judged by its matcher in the last run."),
		lastCreated: gauges("last_run_signals_created",
			"Signals that the last run wrote and that were not there before."),
		lastDeadLetters: gauges("last_run_dead_letters",
			"Signals of the last run that lie in the dead-letter index."),
		costly: gauges("costly", "1 where the last run cost the cluster more than a rule's "+
			"share, else 0; the log and esrule status say of what."),

		searched: sum("searched_seconds_total",
			"The time of events that was searched, overlaps included."),
		candidates: sum("candidates_total",
			"Events that passed the pre-filter and were judged by the matcher."),
		matches: sum("matches_total", "Events that the matcher accepted, and no exception."),
		late: sum("late_signals_created_total",
			"Of the signals created, those that only a late sweep found."),
		duplicates: sum("duplicates_total", "Matches whose event had its signal already."),
		reduced: sum("signals_reduced_total",
			"New signals that the cluster took only without their event's fields."),
		withoutEvent: sum("signals_without_event_total",
			"New signals that only say where their event is, which was refused in any form."),
		excepted: sum("excepted_total",
			"Events that the matcher accepted, and an exception too."),
		chainStopped: sum("chain_stopped_total",
			"Signals that a rule over alerts would have matched, and did not judge since they end "+
				"a chain."),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "failures_total",
			Help: "What went wrong, by kind, of all rules. A rule's run counts the error that " +
				"ended it early, each index that is open after it (index) and each dead letter " +
				"(dead_letter)."}, []string{"kind"}),
		durations: prometheus.NewHistogram(
			prometheus.HistogramOpts{Name: prefix + "run_duration_seconds",
				Help:    "How long the rules' parts of runs took, all rules in one histogram.",
				Buckets: durationBuckets()}),

		lastAt: last("timestamp_seconds", "When the last run began, in Unix seconds."),
		lastSearched: last("searched_seconds",
			"The time of events that the last run searched, overlaps included."),
		lastIndices: last("indices", "Indices that the last run searched, each counted once."),
		lastSearches: last("searches", "Searches that the last run sent; one may be for many "+
			"rules."),
		lastTogether: last("together", "Rules that shared a search with others in the last run."),
		lastMatches: last("matches", "Events that the matcher accepted in the last run, and no "+
			"exception."),
		lastLate: last("late_signals_created",
			"Of the signals that the last run created, those that only its late sweep found."),
		lastDuplicates: last("duplicates",
			"Matches of the last run whose event had its signal already."),
		lastReduced: last("signals_reduced",
			"New signals of the last run that the cluster took only without their event's fields."),
		lastWithoutEvent: last("signals_without_event",
			"New signals of the last run that only say where their event is."),
		lastExcepted: last("excepted",
			"Events of the last run that the matcher accepted, and an exception too."),
		lastChainStopped: last("chain_stopped",
			"Signals that a rule over alerts would have matched in the last run, and did not "+
				"judge since they end a chain."),
	}
}

func (r ruleMetrics) ruleCounters() []*prometheus.CounterVec {
	return []*prometheus.CounterVec{r.created, r.deadLetters}
}

func (r ruleMetrics) ruleGauges() []*prometheus.GaugeVec {
	return []*prometheus.GaugeVec{r.lastSuccess, r.lastDuration, r.lastCandidates, r.lastCreated,
		r.lastDeadLetters, r.costly}
}

func (r ruleMetrics) counters() []prometheus.Collector {
	return []prometheus.Collector{r.created, r.deadLetters, r.searched, r.candidates, r.matches,
		r.late, r.duplicates, r.reduced, r.withoutEvent, r.excepted, r.chainStopped, r.failures,
		r.durations}
}

func (r ruleMetrics) gauges() []prometheus.Collector {
	list := []prometheus.Collector{r.lastAt, r.lastSearched, r.lastIndices, r.lastSearches,
		r.lastTogether, r.lastMatches, r.lastLate, r.lastDuplicates, r.lastReduced,
		r.lastWithoutEvent, r.lastExcepted, r.lastChainStopped}
	for _, g := range r.ruleGauges() {
		list = append(list, g)
	}
	return list
}

// keep makes the counters of the rules that run, at 0, so that the first increase can be seen, and
// forgets the others.
func (r ruleMetrics) keep(running map[rule.ID]string) {
	for id, name := range running {
		for _, c := range r.ruleCounters() {
			c.WithLabelValues(string(id), name)
		}
	}
	for _, k := range kinds() {
		r.failures.WithLabelValues(string(k))
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
	for _, c := range r.ruleCounters() {
		c.Delete(labels)
	}
	for _, g := range r.ruleGauges() {
		g.Delete(labels)
	}
}

// ran enters a run over all rules. An interrupted one counts for what it did, and is no failure.
// Where no rule had its turn, the last run stays the one before.
func (r ruleMetrics) ran(report schedule.Report) {
	if len(report.Rules) == 0 {
		return
	}
	var searched float64
	for _, one := range report.Rules {
		r.ranOne(one)
		searched += one.Run.Searched.Seconds()
	}
	sum := report.Sum()
	r.lastAt.WithLabelValues().Set(unixSeconds(report.Rules[0].Run.At))
	r.lastSearched.WithLabelValues().Set(searched)
	r.lastIndices.WithLabelValues().Set(float64(report.Indices))
	r.lastSearches.WithLabelValues().Set(float64(sum.Searches))
	r.lastTogether.WithLabelValues().Set(float64(sum.Together))
	r.searched.Add(searched)
	r.candidates.Add(float64(sum.Candidates))
	for _, n := range []struct {
		total prometheus.Counter
		last  *prometheus.GaugeVec
		count int
	}{
		{r.matches, r.lastMatches, sum.Matched},
		{r.late, r.lastLate, sum.LateCreated},
		{r.duplicates, r.lastDuplicates, sum.Duplicates},
		{r.reduced, r.lastReduced, sum.Reduced},
		{r.withoutEvent, r.lastWithoutEvent, sum.WithoutEvent},
		{r.excepted, r.lastExcepted, sum.Excepted},
		{r.chainStopped, r.lastChainStopped, sum.ChainStopped},
	} {
		n.total.Add(float64(n.count))
		n.last.WithLabelValues().Set(float64(n.count))
	}
}

// ranOne enters what there is for each rule, and its failures.
func (r ruleMetrics) ranOne(one schedule.RuleReport) {
	id, name, run := string(one.RuleID), one.Name, one.Run
	r.durations.Observe(run.Duration.Seconds())
	r.lastSuccess.WithLabelValues(id, name).Set(oneIf(one.Covered()))
	r.lastDuration.WithLabelValues(id, name).Set(run.Duration.Seconds())
	r.lastCandidates.WithLabelValues(id, name).Set(float64(run.Candidates))
	r.created.WithLabelValues(id, name).Add(float64(run.Created))
	r.lastCreated.WithLabelValues(id, name).Set(float64(run.Created))
	r.deadLetters.WithLabelValues(id, name).Add(float64(run.DeadLettered))
	r.lastDeadLetters.WithLabelValues(id, name).Set(float64(run.DeadLettered))
	r.costly.WithLabelValues(id, name).Set(oneIf(len(one.Costs()) > 0))
	for _, err := range append(slices.Clip(one.Failed), one.Err) {
		if k, failed := kindOf(err); failed {
			r.failures.WithLabelValues(string(k)).Inc()
		}
	}
	r.failures.WithLabelValues(string(indexOpen)).Add(float64(len(one.Open)))
	r.failures.WithLabelValues(string(deadLetter)).Add(float64(run.DeadLettered))
}
