package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// rulesFolder is a folder of rule files that a test changes under a service.
func rulesFolder(t *testing.T) (folder string, put func(name, id, query string)) {
	t.Helper()
	folder = t.TempDir()
	return folder, func(name, id, query string) {
		t.Helper()
		text, err := os.ReadFile(writeRule(t, query))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("33333333-3333-4333-8333-333333333333", id,
			"A rule of this test", name).Replace(string(text))
		if err := os.WriteFile(filepath.Join(folder, name+".toml"), []byte(changed),
			0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *monitored) hangUp() {
	m.t.Helper()
	if err := m.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		m.t.Fatal(err)
	}
}

func (m *monitored) logs(text string) {
	m.t.Helper()
	eventually(m.t, "the log says "+text, func() bool {
		return strings.Contains(m.stderr.String(), text)
	})
}

const (
	firstRule  = "11111111-1111-4111-8111-111111111111"
	secondRule = "22222222-2222-4222-8222-222222222222"
)

// SIGHUP takes new rules; where one is wrong, all the old ones run on.
func TestReload(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	folder, put := rulesFolder(t)
	put("first", firstRule, `file where file.extension == "first"`)
	m := startMonitored(t, s, "--rules", folder)
	m.reaches("esrule_rules_loaded", 1)
	m.answers("/readyz", 200, "ok")

	event := func(extension string) map[string]any {
		e := match(0)
		e["file"] = map[string]any{"extension": extension}
		return e
	}
	found := func(want string) {
		t.Helper()
		eventually(t, "a signal for "+want, func() bool {
			return strings.Join(s.found(), " ") == want
		})
	}

	put("second", secondRule, `file where file.extension == "second"`)
	m.hangUp()
	m.reaches("esrule_rules_loaded", 2)
	m.reaches(`esrule_reloads_total{outcome="taken"}`, 1)
	m.logs("added=[" + secondRule + "] changed=[] removed=[]")
	s.put("events-1", "a", event("second"))
	found("a")

	put("first", firstRule, `file where file.extension : file.name`)
	put("second", secondRule, `file where file.extension == "third"`)
	m.hangUp()
	m.reaches(`esrule_reloads_total{outcome="refused"}`, 1)
	m.reaches("esrule_last_reload_success", 0)
	m.logs("the rules were read again and are wrong")
	m.logs(filepath.Join(folder, "first.toml") + ":")
	s.put("events-1", "b", event("first"))
	s.put("events-1", "c", event("second"))
	found("a b c")

	if err := os.Remove(filepath.Join(folder, "first.toml")); err != nil {
		t.Fatal(err)
	}
	m.hangUp()
	m.reaches("esrule_rules_loaded", 1)
	m.reaches("esrule_last_reload_success", 1)
	m.logs("added=[] changed=[" + secondRule + "] removed=[" + firstRule + "]")
	s.put("events-1", "d", event("third"))
	found("a b c d")

	// Nothing left to run is wrong too.
	if err := os.Remove(filepath.Join(folder, "second.toml")); err != nil {
		t.Fatal(err)
	}
	m.hangUp()
	m.reaches(`esrule_reloads_total{outcome="refused"}`, 2)
	m.reaches("esrule_rules_loaded", 1)

	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.wait().want(t, 0)
}

// A run that is under way ends with the rules with which it began.
func TestReloadWaitsForTheRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	v := newValve(t, s.url)
	s.url = v.URL
	folder, put := rulesFolder(t)
	put("first", firstRule, `file where file.extension == "first"`)
	m := startMonitored(t, s, "--rules", folder)
	m.reaches("esrule_rules_loaded", 1)

	v.hold()
	runs, _ := m.value("esrule_run_duration_seconds")
	eventually(t, "a run is held at its search", v.isHolding)
	put("second", secondRule, `file where file.extension == "second"`)
	m.hangUp()
	m.logs("the rules were read again; the next run takes them")
	m.reaches(`esrule_reloads_total{outcome="taken"}`, 1)
	if loaded, _ := m.value("esrule_rules_loaded"); loaded != 1 {
		t.Errorf("rules of the run under way: got %v, want 1", loaded)
	}
	if strings.Contains(m.stderr.String(), "new rules run from now on") {
		t.Error("the new rules were taken in the middle of a run")
	}
	v.open()
	m.reaches("esrule_rules_loaded", 2)
	if now, _ := m.value("esrule_run_duration_seconds"); now <= runs {
		t.Errorf("runs that ended before the new rules were taken: got %v, want more than %v", now,
			runs)
	}
}
