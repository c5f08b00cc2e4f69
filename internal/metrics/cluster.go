package metrics

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"esrule/internal/elastic"
)

// clusterMetrics are about the way to the cluster, request by request. They say how it is before
// the first run has begun, too.
type clusterMetrics struct {
	now              func() time.Time
	up, since, nodes *prometheus.Desc
	failures         *prometheus.CounterVec

	mu    sync.Mutex
	asked bool // something came of a request
	last  elastic.Report
	began time.Time // of the failure that lasts
}

func newClusterMetrics(now func() time.Time) *clusterMetrics {
	c := &clusterMetrics{
		now: now,
		up: prometheus.NewDesc("esrule_cluster_up",
			"1 where the cluster answered the last request and let us in, else 0.", nil, nil),
		since: prometheus.NewDesc("esrule_cluster_down_since_timestamp_seconds",
			"Since when the cluster does not answer or does not let us in, in Unix seconds. "+
				"Not there while it does.", nil, nil),
		nodes: prometheus.NewDesc("esrule_cluster_addresses_down",
			"Configured addresses that do not answer; the others are asked instead.", nil, nil),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "esrule_cluster_failures_total",
			Help: "Requests to the cluster that failed on the way, by kind.",
		}, []string{"kind"}),
	}
	for _, f := range elastic.Failures() {
		c.failures.WithLabelValues(string(f))
	}
	return c
}

func (c *clusterMetrics) note(r elastic.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Failure != "" {
		c.failures.WithLabelValues(string(r.Failure)).Inc()
		if c.last.Failure == "" {
			c.began = c.now()
		}
	}
	c.asked, c.last = true, r
}

// standing is what lasts, and since when; the empty failure is none.
func (c *clusterMetrics) standing() (elastic.Failure, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last.Failure, c.began
}

// Describe implements prometheus.Collector.
func (c *clusterMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.up
	ch <- c.since
	ch <- c.nodes
}

// Collect implements prometheus.Collector.
func (c *clusterMetrics) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked {
		return
	}
	put := func(d *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	put(c.up, oneIf(c.last.Failure == ""))
	put(c.nodes, float64(c.last.AddressesDown))
	if c.last.Failure != "" {
		put(c.since, unixSeconds(c.began))
	}
}

// Explain says what a failure means, without an address or what a server has answered.
func Explain(f elastic.Failure) string {
	switch f {
	case elastic.Unauthorized:
		return "the cluster refuses the password or API key"
	case elastic.Untrusted:
		return "no safe connection to the cluster: its certificate is not trusted"
	case elastic.Barred:
		return "a proxy or gateway before the cluster refuses or redirects"
	case elastic.Foreign:
		return "what answers is not Elasticsearch"
	case elastic.Unready:
		return "the cluster is not ready"
	case elastic.Unreachable:
		return "the cluster does not answer"
	}
	return ""
}

// ClusterNote says how the cluster fails and since when; it is empty where it does not.
func (m *Metrics) ClusterNote() string {
	failure, since := m.cluster.standing()
	if failure == "" {
		return ""
	}
	return fmt.Sprintf("%s, since %s", Explain(failure), since.UTC().Format(time.RFC3339))
}

// Cluster takes note of what a request says of the way to the cluster.
func (m *Metrics) Cluster(r elastic.Report) { m.cluster.note(r) }
