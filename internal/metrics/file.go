package metrics

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// WriteFile writes the metrics for the textfile collector of Prometheus's node exporter: into a
// temporary file beside the named one, then renamed, so that no half of it is ever read. What a run
// could not learn of a rule that runs, since the cluster did not answer, is taken from the file
// that is there: what was covered stays covered.
func (m *Metrics) WriteFile(file string) error {
	gather := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := m.registry.Gather()
		if err != nil {
			return nil, err
		}
		return m.withKnown(families, file), nil
	})
	if err := prometheus.WriteToTextfile(file, gather); err != nil {
		return fmt.Errorf("write the metrics to %s: %w", file, err)
	}
	return nil
}

// withKnown adds what the file says about rules that run and of which nothing newer is known. A
// file that is not there or cannot be read adds nothing: it is about to be replaced.
func (m *Metrics) withKnown(families []*dto.MetricFamily, file string) []*dto.MetricFamily {
	before, err := readFile(file)
	if err != nil {
		return families
	}
	for _, name := range m.standings.carried() {
		old := before[name]
		if old == nil {
			continue
		}
		at := slices.IndexFunc(families, func(f *dto.MetricFamily) bool {
			return f.GetName() == name
		})
		if at < 0 {
			families = append(families, &dto.MetricFamily{Name: old.Name, Help: old.Help,
				Type: old.Type})
			at = len(families) - 1
		}
		for _, metric := range old.Metric {
			if m.standings.misses(label(metric, "rule_id"), label(metric, "rule")) {
				families[at].Metric = append(families[at].Metric, metric)
			}
		}
	}
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return len(f.Metric) == 0 })
}

func readFile(file string) (_ map[string]*dto.MetricFamily, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(bufio.NewReader(f))
}

func label(m *dto.Metric, name string) string {
	for _, pair := range m.Label {
		if pair.GetName() == name {
			return pair.GetValue()
		}
	}
	return ""
}
