package metrics

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/schedule"
)

// A process of one run exports no counter: it would begin at 0 each time, and rate() would make
// nonsense of it.
func TestFileHoldsGauges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "esrule.prom")
	if err := everything(t, true).WriteFile(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	types := linesWith(string(text), "# TYPE ")
	if len(types) < 15 {
		t.Errorf("only %d metrics in %s", len(types), text)
	}
	for _, line := range types {
		if !strings.HasPrefix(line, "# TYPE esrule_") || !strings.HasSuffix(line, " gauge") {
			t.Errorf("got %s, want a gauge of esrule only", line)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&0o044 != 0o044 {
		t.Errorf("mode of the file: got %v, want one that the node exporter can read", mode)
	}
}

// A run that the cluster did not answer knows nothing of what is covered, and must not make the
// last that was known vanish: an alert on the lag would end with it.
func TestFileKeepsWhatIsKnown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "esrule.prom")
	c := newClock()
	write := func(ledgers []*schedule.Ledger, err error, detections ...*detect.Detection) {
		t.Helper()
		m := New(Options{Now: c.now, Once: true})
		m.Rules(detections, 0)
		m.Run(c.at, 0, schedule.Report{}, err)
		for _, l := range ledgers {
			m.Ledger(l)
		}
		if err := m.WriteFile(file); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(prefix string, want ...string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, linesWith(string(text), prefix)); diff != "" {
			t.Errorf("%s* (-want +got):\n%s", prefix, diff)
		}
	}
	upTo := func(name, id string, at time.Time) string {
		return fmt.Sprintf(`esrule_rule_covered_up_to_timestamp_seconds{rule=%q,rule_id=%q} %v`,
			name, id, float64(at.Unix()))
	}
	a, b := detection("a", "A"), detection("b", "B")
	first := c.at
	write([]*schedule.Ledger{schedule.NewLedger("a", "A", first),
		schedule.NewLedger("b", "B", first)}, nil, a, b)
	holds("esrule_rule_covered", upTo("A", "a", first), upTo("B", "b", first))
	holds("esrule_last_run_success", "esrule_last_run_success 1")

	c.at = c.at.Add(time.Hour)
	write(nil, errors.New("no cluster answers"), a, b)
	holds("esrule_rule_covered", upTo("A", "a", first), upTo("B", "b", first))
	holds("esrule_rule_gap", `esrule_rule_gap_seconds{rule="A",rule_id="a"} 0`,
		`esrule_rule_gap_seconds{rule="B",rule_id="b"} 0`)
	holds("esrule_rule_lag") // it has grown since
	holds("esrule_last_run_success", "esrule_last_run_success 0")

	// What is known of one is new, of the other old; a rule that is gone is not carried along.
	write([]*schedule.Ledger{schedule.NewLedger("a", "A", c.at)}, nil, a, b)
	holds("esrule_rule_covered", upTo("A", "a", c.at), upTo("B", "b", first))
	write(nil, nil, a)
	holds("esrule_rule_covered", upTo("A", "a", c.at))

	// Whatever is there is replaced.
	if err := os.WriteFile(file, []byte("no metrics\x00{"), 0o600); err != nil {
		t.Fatal(err)
	}
	write([]*schedule.Ledger{schedule.NewLedger("a", "A", c.at)}, nil, a)
	holds("esrule_rule_covered", upTo("A", "a", c.at))
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("files in the folder: got %v, %v; want the one", left, err)
	}
}

func TestFileCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no-such-folder", "esrule.prom")
	if err := everything(t, true).WriteFile(file); err == nil ||
		!strings.Contains(err.Error(), "write the metrics to "+file) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}
