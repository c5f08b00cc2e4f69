package sink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
	"esrule/internal/sink/indices"
	"esrule/internal/sink/signal"
)

const testRule rule.ID = "0d3a2f6e-5d2b-4c07-9a55-6f0f3b1c2a10"

func signalOf(t testing.TB, source string) signal.Signal {
	t.Helper()
	return signalFrom(t, "doc", source)
}

// signalFrom is the signal of an event that is the document of an id.
func signalFrom(t testing.TB, id, source string) signal.Signal {
	t.Helper()
	r := &rule.Rule{Head: rule.Head{
		ID: testRule, Name: "Web Page Written by a Mail Server", Severity: "medium", RiskScore: 47,
		Type: "eql", Language: "eql",
		Interval: 5 * time.Minute, From: 9 * time.Minute,
		Threat: []rule.Threat{{
			Framework: "MITRE ATT&CK", Tactic: rule.ThreatEntry{ID: "TA0003", Name: "Persistence"},
			Technique: []rule.Technique{{
				ThreatEntry:  rule.ThreatEntry{ID: "T1505", Name: "Server Software Component"},
				Subtechnique: []rule.ThreatEntry{{ID: "T1505.003", Name: "Web Shell"}},
			}},
		}},
	}, Body: &rule.EventQuery{Query: &cond.Query{Text: `file where file.extension == "aspx"`}}}
	s, err := signal.New(signal.Match{Rule: r, Events: []signal.Event{
		{Index: "idx", ID: id, Source: []byte(source)}}},
		signal.Execution{ID: "f3d1c2a6", Version: "1.2.3", Now: func() time.Time {
			return time.Date(2026, 3, 2, 10, 5, 2, 314_000_000, time.UTC)
		}})
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return s
}

// fates counts verdicts by their kind.
type fates [Refused + 1]int

// counted counts what became of signals, without those that are in no index. It adds an error where
// the writer's own contradicts the verdicts.
func counted(verdicts []Verdict, err error) (fates, error) {
	var got fates
	for _, v := range verdicts {
		got[v.Fate]++
		if (v.Why == nil) != (v.Fate == Created || v.Fate == Duplicate) {
			err = errors.Join(err, fmt.Errorf("a verdict of kind %d says %w", v.Fate, v.Why))
		}
	}
	if nowhere := got[Open] + got[Refused]; (nowhere > 0) != (err != nil) {
		err = fmt.Errorf("%d signals are in no index, and the error is %w", nowhere, err)
	}
	got[Open], got[Refused] = 0, 0
	return got, err
}

// exampleEvent is one of the events that package signal has as files.
func exampleEvent(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("signal", "testdata", "signals", name+".event.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(c *estest.Cluster) indices.Names {
	return indices.Names{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead-letter")}
}
