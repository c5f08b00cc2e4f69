package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// Options are what Metrics need to know of the process.
type Options struct {
	Now                      func() time.Time
	Version, Commit, Runtime string // of the program, and the Go that built it
	// Once is set where the process ends after one run: then there are no counters and histograms,
	// which would begin at 0 with each process, and nothing about the process itself.
	Once bool
}

// Metrics are all that is exported. Its methods may be called at any time, from any goroutine.
type Metrics struct {
	registry  *prometheus.Registry
	process   processMetrics
	rules     ruleMetrics
	standings *standings
	cluster   *clusterMetrics
}

// New gives metrics that know of no rule yet.
func New(o Options) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), process: newProcessMetrics(),
		rules: newRuleMetrics(), standings: newStandings(o.Now), cluster: newClusterMetrics(o.Now)}
	m.process.build.WithLabelValues(o.Version, o.Commit, o.Runtime).Set(1)
	m.process.reloadedAt(o.Now(), true)
	m.registry.MustRegister(m.standings, m.cluster)
	m.registry.MustRegister(m.process.gauges()...)
	m.registry.MustRegister(m.rules.gauges()...)
	if !o.Once {
		m.registry.MustRegister(m.cluster.failures)
		m.registry.MustRegister(m.process.counters()...)
		m.registry.MustRegister(m.rules.counters()...)
		m.registry.MustRegister(collectors.NewGoCollector(),
			collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return m
}

// Rules says which rules run from now on, and how many were skipped. What was known of others is
// forgotten. It is not to be called while a run is under way.
func (m *Metrics) Rules(detections []*detect.Detection, skipped int) {
	running := map[rule.ID]string{}
	for _, d := range detections {
		running[d.Rule.ID] = d.Rule.Name
	}
	m.process.loaded.Set(float64(len(running)))
	m.process.skipped.Set(float64(skipped))
	m.rules.keep(running)
	m.standings.keep(running)
}

// Ledger takes note of what a rule has covered.
func (m *Metrics) Ledger(l *schedule.Ledger) { m.standings.note(l) }

// Run takes note of what a run over all rules came to. err is what kept or stopped it as a whole:
// the report is empty where it never began.
func (m *Metrics) Run(began time.Time, took time.Duration, report schedule.Report, err error) {
	m.process.ran(began, took, outcomeOf(report, err))
	m.rules.ran(report)
}

// PatternsWithoutIndex says how many of the rules' patterns no index matches.
func (m *Metrics) PatternsWithoutIndex(n int) {
	m.process.unmatched.WithLabelValues().Set(float64(n))
}

// Reload takes note that the rules were read again; with an error, the old ones stay.
func (m *Metrics) Reload(at time.Time, err error) { m.process.reloaded(at, err == nil) }
