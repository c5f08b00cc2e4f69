package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/rules"
)

// stage is a server with index names of one test's own, and the configuration by which the program
// finds them.
type stage struct {
	*estest.Cluster
	t        *testing.T
	prefix   string
	patterns []string
	url      string // where the program is sent: the server, or a proxy before it
	user     string
	password string
	more     map[string]string // further variables, by their names without ESRULE_
}

// newStage gives a stage on the shared server. The patterns are those under the test's prefix.
func newStage(t *testing.T, patterns ...string) *stage {
	t.Helper()
	c := estest.For(t)
	return stageOn(t, c, c.Prefix(), patterns...)
}

func stageOn(t *testing.T, c *estest.Cluster, prefix string, patterns ...string) *stage {
	s := &stage{
		Cluster: c, t: t, prefix: prefix, url: c.URL, user: c.Username, password: c.Password,
		more: map[string]string{"START": "1h"},
	}
	if c.Authority != nil {
		s.more["ELASTICSEARCH_CA_FILE"] = writeFile(t, "ca.pem", string(c.Authority))
	}
	for _, p := range patterns {
		s.patterns = append(s.patterns, s.name(p))
	}
	return s
}

func (s *stage) name(short string) string { return s.prefix + "-" + short }

// The program's own indices. Their names hold none of a test's patterns.
func (s *stage) signalsIndex() string    { return s.name("out-signals") }
func (s *stage) stateIndex() string      { return s.name("out-state") }
func (s *stage) deadLetterIndex() string { return s.name("out-dead-letter") }

func (s *stage) env() []string {
	variables := map[string]string{
		"ELASTICSEARCH_URL": s.url,
		"INDEX":             strings.Join(s.patterns, ","),
		"SIGNALS_INDEX":     s.signalsIndex(),
		"STATE_INDEX":       s.stateIndex(),
		"DEAD_LETTER_INDEX": s.deadLetterIndex(),
	}
	if s.user != "" {
		variables["ELASTICSEARCH_USERNAME"], variables["ELASTICSEARCH_PASSWORD"] = s.user,
			s.password
	}
	maps.Copy(variables, s.more)
	var env []string
	for name, value := range variables {
		env = append(env, "ESRULE_"+name+"="+value)
	}
	slices.Sort(env)
	return env
}

func (s *stage) run(args ...string) result {
	s.t.Helper()
	return run(s.t, s.env(), args...)
}

// runOnce covers what is open, which must go well.
func (s *stage) runOnce() result {
	s.t.Helper()
	return s.run("run", "--once").want(s.t, 0)
}

// as gives the stage as another user sees it.
func (s *stage) as(user, password string) *stage {
	other := *s
	other.more = maps.Clone(s.more)
	other.user, other.password = user, password
	return &other
}

// ecs is a mapping of the rule's fields as most sources have it.
const ecs = `{"mappings": {"dynamic": false, "properties": {
	"@timestamp": {"type": "date"},
	"event": {"properties": {
		"category": {"type": "keyword", "ignore_above": 1024}, "type": {"type": "keyword", "ignore_above": 1024},
		"kind": {"type": "keyword"}, "ingested": {"type": "date"}}},
	"host": {"properties": {"os": {"properties": {"type": {"type": "keyword", "ignore_above": 1024}}}}},
	"process": {"properties": {"name": {"type": "keyword", "ignore_above": 1024}}},
	"file": {"properties": {
		"name": {"type": "keyword", "ignore_above": 1024}, "extension": {"type": "keyword", "ignore_above": 1024},
		"path": {"type": "keyword", "ignore_above": 1024}}}}}}`

// match is an event of the shipped rule, of some time ago.
func match(ago time.Duration) map[string]any {
	return map[string]any{
		"@timestamp": time.Now().Add(-ago).UTC().Format(time.RFC3339Nano),
		"event": map[string]any{"category": []string{"file"}, "type": []string{"creation"},
			"kind": "event"},
		"host":    map[string]any{"os": map[string]any{"type": "windows"}},
		"process": map[string]any{"name": "UMWorkerProcess.exe"},
		"file": map[string]any{
			"name": "shell.aspx", "extension": "aspx",
			"path": `C:\inetpub\wwwroot\aspnet_client\shell.aspx`,
		},
	}
}

// put writes one event under an id by which found names it again.
func (s *stage) put(index, id string, event any) {
	s.t.Helper()
	s.Do(http.MethodPut, s.name(index)+"/_doc/"+url.PathEscape(id)+"?refresh=true", event)
}

// found names the events that have a signal, sorted, each as often as it has one.
func (s *stage) found() []string {
	s.t.Helper()
	var ids []string
	for _, hit := range s.signals() {
		var signal struct {
			Ancestors []struct{ ID string } `json:"kibana.alert.ancestors"`
		}
		if err := json.Unmarshal(hit.Source, &signal); err != nil || len(signal.Ancestors) != 1 {
			s.t.Fatalf("signal %s names no event: %v: %s", hit.ID, err, hit.Source)
		}
		ids = append(ids, signal.Ancestors[0].ID)
	}
	slices.Sort(ids)
	return ids
}

func (s *stage) signals() []estest.Hit {
	s.t.Helper()
	s.Refresh(s.signalsIndex())
	return s.Hits(s.signalsIndex())
}

// signalRules returns the rules of the signals, one for each.
func (s *stage) signalRules() (ids []string) {
	s.t.Helper()
	for _, hit := range s.signals() {
		var signal struct {
			Rule string `json:"kibana.alert.rule.rule_id"`
		}
		if err := json.Unmarshal(hit.Source, &signal); err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, signal.Rule)
	}
	return ids
}

func (s *stage) wantFound(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if got := s.found(); !slices.Equal(got, want) {
		s.t.Errorf("events with a signal:\n got %q\nwant %q", got, want)
	}
}

// ruleID is the shipped rule's.
const ruleID rule.ID = "6cd1779c-560f-4b68-a8f1-11009b27fe63"

func (s *stage) ledgerPath() string {
	return fmt.Sprintf("%s/_doc/ledger-%s", s.stateIndex(), ruleID)
}

// ledger is the shipped rule's.
func (s *stage) ledger() schedule.Ledger {
	s.t.Helper()
	var answer struct {
		Source schedule.Ledger `json:"_source"`
	}
	if err := json.Unmarshal(s.Do(http.MethodGet, s.ledgerPath(), nil), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer.Source
}

// wantWhole fails the test where the ledger has a gap or something open. It is covered up to the
// last run at least.
func (s *stage) wantWhole() {
	s.t.Helper()
	l := s.ledger()
	if len(l.Covered) != 1 || len(l.Gaps(l.Covered.End())) > 0 || len(l.Open) > 0 ||
		l.LastRun == nil || l.Covered.End().Before(l.LastRun.At.Truncate(time.Millisecond)) {
		text, _ := json.MarshalIndent(l, "", "  ")
		s.t.Errorf("the ledger is not whole: %s", text)
	}
}

// shippedRule is the rule that is built into the program, looking where the stage's events are.
func (s *stage) shippedRule() *detect.Detection {
	s.t.Helper()
	set, err := rule.LoadFS(rules.FS(), "rules")
	if err != nil || len(set.Rules) != 1 || set.Rules[0].ID != ruleID {
		s.t.Fatalf("built-in rules: got %d, %v; want the one with id %s", len(set.Rules), err,
			ruleID)
	}
	d, err := detect.New(set.Rules[0], s.patterns)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}
