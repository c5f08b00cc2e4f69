package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"esrule/internal/estest"
)

// addKindRoles writes a rule of every kind, and two over their signals, and adds the role that is
// printed for them, and those that lack one of its privileges.
func addKindRoles(t *testing.T, s *stage, roles map[string]string) {
	t.Helper()
	all := kindRules(s.name("ti"))
	over := func(id, kind, query, more string) {
		all[id] = strings.Replace(kindRule(id, kind, "kuery", query, more), `["events-*"]`,
			`[".alerts-security.*"]`, 1)
	}
	over("over", "query", `kibana.alert.rule.name: indicator`, "")
	over("counted", "threshold", `kibana.alert.rule.name: (event or query)`, `
[rule.threshold]
field = []
value = 2
`)
	folder := t.TempDir()
	for id, text := range all {
		if err := os.WriteFile(filepath.Join(folder, id+".toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.more["RULES"], s.more["ALERTS_INDEX"] = folder, ".alerts-security.*"
	roles["kinds"] = printedRole(t, s)
	for name, without := range lackingForKinds() {
		roles[name] = lessOn(t, roles["kinds"], s.name(without[0]), without[1])
	}
}

// lackingForKinds are privileges that rules of some kind need on an index, by its short name.
func lackingForKinds() map[string][2]string {
	return map[string][2]string{
		"kinds-no-ti-read":      {"ti", "read"},
		"kinds-no-ti-view":      {"ti", "view_index_metadata"},
		"kinds-no-signals-view": {"out-signals", "view_index_metadata"},
	}
}

// lessOn returns a role without a privilege on an index that it may read.
func lessOn(t *testing.T, role, index, privilege string) string {
	t.Helper()
	kept := rolePart{Names: []string{index}}
	less := less(t, role, func(parts []rolePart) []rolePart {
		reading := &parts[patternsPart]
		for _, p := range reading.Privileges {
			if p != privilege {
				kept.Privileges = append(kept.Privileges, p)
			}
		}
		reading.Names = slices.DeleteFunc(reading.Names, func(n string) bool { return n == index })
		return parts
	})
	var r map[string][]rolePart
	if err := json.Unmarshal([]byte(less), &r); err != nil {
		t.Fatal(err)
	}
	r["indices"] = append(r["indices"], kept)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// refusals is a way to a server with TLS that notes what the server refuses for want of a
// privilege. What a normalizer makes of a text is asked with a privilege of its own, and where that
// is missing a normalizer that lowers case needs no answer: docs/eql.md.
type refusals struct {
	*httptest.Server
	mu  sync.Mutex
	all []string
}

func newRefusals(t *testing.T, s *stage) *refusals {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(s.Authority)
	r := &refusals{}
	r.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(to) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority}},
		ModifyResponse: func(answer *http.Response) error {
			path := answer.Request.URL.Path
			if answer.StatusCode == http.StatusForbidden && !strings.HasSuffix(path, "/_analyze") {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.all = append(r.all, answer.Request.Method+" "+path)
			}
			return nil
		},
	})
	t.Cleanup(r.Close)
	return r
}

// theRoleIsEnoughForKinds: with the printed role, and no more, a service runs rules of every kind,
// those over its own signals too, and the server refuses nothing. With a privilege less, the rules
// that need it stay open and say which; the others go on.
func theRoleIsEnoughForKinds(t *testing.T, kinds *stage, server *estest.Cluster,
	password string) {
	operator := stageOn(t, server, kinds.prefix)
	operator.patterns = kinds.patterns
	maps.Copy(operator.more, kinds.more)
	kindEvents(operator, "events-1", operator.name("ti"))
	operator.run("setup").want(t, 0)
	for name, without := range lackingForKinds() {
		less, index := operator.as(name, password), operator.name(without[0])
		missing := "the privilege [" + without[1] + "] is missing on it"
		said := fmt.Sprintf("the indicators in %s cannot be read: %s", index, missing)
		if without[0] == "out-signals" {
			said = index + " is open for "
		}
		less.run("run", "--once").want(t, 1).says(t, said, missing)
		less.run("status").want(t, 1).says(t, index, missing)
		less.run("check").want(t, 3).says(t, index, "privilege", without[1])
	}

	through := newRefusals(t, operator)
	job := operator.as("kinds", password)
	job.url = through.URL
	delete(job.more, "ELASTICSEARCH_CA_FILE")
	for range 3 {
		job.runOnce().saysNot(t, "level=WARN", "level=ERROR")
		job.Refresh(job.signalsIndex())
	}
	var got []string
	for _, hit := range job.signals() {
		got = append(got, job.about(hit.Source))
	}
	for _, want := range append(kindsFound(), "over: threat-block 198.51.100.9 and its signals",
		"over: threat-exact 192.0.2.7 and its signals", "counted: ") {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("got %q, want also %q", got, want)
		}
	}
	job.run("check").saysNot(t, "privilege")
	job.run("status").want(t, 0)
	job.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0)
	service := startMonitored(t, job.as("kinds", password))
	service.answers("/readyz", http.StatusOK, "ok")
	service.reaches(`esrule_last_run_success`, 1)
	_ = service.cmd.Process.Kill()
	<-service.ended
	through.mu.Lock()
	defer through.mu.Unlock()
	if len(through.all) > 0 {
		t.Errorf("the server refused %q, want nothing refused", through.all)
	}
}
