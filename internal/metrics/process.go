package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"esrule/internal/schedule"
)

// outcome is how a run over all rules ended.
type outcome string

const (
	covered     outcome = "covered"     // everything asked for was covered
	notCovered  outcome = "not_covered" // something stays open for the next run
	notBegun    outcome = "not_begun"   // no rule had its turn
	interrupted outcome = "interrupted" // the process was told to end
)

func outcomes() []outcome { return []outcome{covered, notCovered, notBegun, interrupted} }

func outcomeOf(report schedule.Report, err error) outcome {
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted
	case err != nil && len(report.Rules) == 0:
		return notBegun
	case err != nil || !report.Covered():
		return notCovered
	}
	return covered
}

// processMetrics are about the process, not about one rule.
type processMetrics struct {
	build           *prometheus.GaugeVec
	loaded, skipped prometheus.Gauge
	runs, reloads   *prometheus.CounterVec
	durations       prometheus.Histogram
	// Without labels, yet vectors: they are not there before there is something to say.
	unmatched, lastRun, lastSuccess, lastDuration, lastReload, lastReloadGood *prometheus.GaugeVec
}

func newProcessMetrics() processMetrics {
	p := processMetrics{
		build: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "esrule_build_info",
			Help: "1, with the version of esrule, the commit it was built from and the Go it was " +
				"built with."}, []string{"version", "commit", "goversion"}),
		loaded: gauge("esrule_rules_loaded", "Rules that run."),
		skipped: gauge("esrule_rules_skipped",
			"Rules that were read and do not run, since this version does not support them."),
		unmatched: laterGauge("esrule_patterns_without_index",
			"Index patterns of the rules that no index matches that may be read: nothing is "+
				"searched there, and that counts as covered."),
		lastRun: laterGauge("esrule_last_run_timestamp_seconds",
			"When the last run over all rules ended, in Unix seconds."),
		lastSuccess: laterGauge("esrule_last_run_success",
			"1 where the last run covered everything that was asked for, else 0."),
		lastDuration: laterGauge("esrule_last_run_duration_seconds",
			"How long the last run over all rules took."),
		lastReload: laterGauge("esrule_last_reload_timestamp_seconds",
			"When the rules were read last, in Unix seconds."),
		lastReloadGood: laterGauge("esrule_last_reload_success",
			"1 where the rules that were read last run, 0 where they were wrong and the ones "+
				"before run on."),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "esrule_runs_total",
			Help: "Runs over all rules, by how they ended: covered, not_covered, not_begun, " +
				"interrupted."}, []string{"outcome"}),
		reloads: prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: "esrule_reloads_total",
				Help: "How often SIGHUP made esrule read the rules again, by what came of it: " +
					"taken, or refused since they were wrong."}, []string{"outcome"}),
		durations: prometheus.NewHistogram(
			prometheus.HistogramOpts{Name: "esrule_run_duration_seconds",
				Help: "How long runs over all rules took.", Buckets: durationBuckets()}),
	}
	for _, o := range outcomes() {
		p.runs.WithLabelValues(string(o))
	}
	p.reloads.WithLabelValues("taken")
	p.reloads.WithLabelValues("refused")
	return p
}

// durationBuckets reach from a run that finds nothing to one that catches up on days.
func durationBuckets() []float64 {
	return []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 150, 300, 900, 3600}
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func laterGauge(name, help string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, nil)
}

func (p processMetrics) gauges() []prometheus.Collector {
	return []prometheus.Collector{p.build, p.loaded, p.skipped, p.unmatched, p.lastRun,
		p.lastSuccess, p.lastDuration}
}

// counters are what makes sense only where the process stays.
func (p processMetrics) counters() []prometheus.Collector {
	return []prometheus.Collector{p.runs, p.reloads, p.durations, p.lastReload, p.lastReloadGood}
}

func (p processMetrics) ran(began time.Time, took time.Duration, o outcome) {
	p.lastRun.WithLabelValues().Set(unixSeconds(began.Add(took)))
	p.lastDuration.WithLabelValues().Set(took.Seconds())
	p.lastSuccess.WithLabelValues().Set(oneIf(o == covered))
	p.runs.WithLabelValues(string(o)).Inc()
	p.durations.Observe(took.Seconds())
}

func (p processMetrics) reloaded(at time.Time, good bool) {
	p.reloadedAt(at, good)
	if good {
		p.reloads.WithLabelValues("taken").Inc()
	} else {
		p.reloads.WithLabelValues("refused").Inc()
	}
}

func (p processMetrics) reloadedAt(at time.Time, good bool) {
	p.lastReload.WithLabelValues().Set(unixSeconds(at))
	p.lastReloadGood.WithLabelValues().Set(oneIf(good))
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
