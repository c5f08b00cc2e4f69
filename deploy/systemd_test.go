package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installed is where the units expect the program.
const installed = "/usr/local/bin/esrule"

// directives gives the values of a directive of a unit, in order.
func directives(t *testing.T, file, name string) []string {
	t.Helper()
	var values []string
	for line := range strings.Lines(read(t, file)) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			values = append(values, strings.TrimSuffix(value, "\n"))
		}
	}
	return values
}

// unitOf gives what a unit starts, with the variables of its file and its own.
func unitOf(t *testing.T, file string) workload {
	t.Helper()
	starts := directives(t, file, "ExecStart")
	if len(starts) != 1 || !strings.HasPrefix(starts[0], installed+" ") {
		t.Fatalf("%s: starts %q, want one command of %s", file, starts, installed)
	}
	w := workload{from: file, args: strings.Fields(starts[0])[1:], env: map[string]string{}}
	set := directives(t, file, "Environment")
	for line := range strings.Lines(read(t, "systemd/esrule.env")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			set = append(set, line)
		}
	}
	for _, pair := range set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			t.Errorf("%s: %q is not NAME=VALUE", file, pair)
		}
		w.env[name] = value
	}
	return w
}

func TestUnits(t *testing.T) {
	for _, file := range []string{"systemd/esrule.service", "systemd/esrule-once.service"} {
		equal(t, file+": file of variables", directives(t, file, "EnvironmentFile"),
			[]string{"/etc/esrule/esrule.env"})
		equal(t, file+": credential", directives(t, file, "LoadCredential"),
			[]string{"api-key:/etc/esrule/api-key"})
		equal(t, file+": file of the key", unitOf(t, file).env["ESRULE_ELASTICSEARCH_API_KEY_FILE"],
			"%d/api-key")
		user := directives(t, file, "User")[0]
		if !strings.Contains(read(t, "systemd/esrule.sysusers.conf"), "\nu "+user+" ") {
			t.Errorf("%s: runs as %s, whom esrule.sysusers.conf does not make", file, user)
		}
	}
	once := unitOf(t, "systemd/esrule-once.service")
	metrics := once.args[len(once.args)-1]
	if folder := "/var/lib/" + directives(t, "systemd/esrule-once.service",
		"StateDirectory")[0]; filepath.Dir(metrics) != folder {
		t.Errorf("metrics are written to %s, and only %s may be", metrics, folder)
	}
	if len(directives(t, "systemd/esrule-once.timer", "OnCalendar")) != 1 {
		t.Error("esrule-once.timer: has no time")
	}
}

// systemd reads the units as they stand, but for the program, which is the one just built.
func TestSystemdVerify(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here, so systemd's own reading of the units is not checked")
	}
	folder := t.TempDir()
	units, err := filepath.Glob("systemd/*.service")
	if err != nil || len(units) != 2 {
		t.Fatalf("services: got %q, %v; want two", units, err)
	}
	var copies []string
	for _, unit := range append(units, "systemd/esrule-once.timer") {
		copied := filepath.Join(folder, filepath.Base(unit))
		text := strings.ReplaceAll(read(t, unit), installed, binary(t))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, copied)
	}
	output, err := exec.Command(analyze,
		append([]string{"verify", "--man=no"}, copies...)...).CombinedOutput()
	// It also complains of units of the machine's own; a line about ours names one of them.
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, "esrule") {
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
	if err != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, output)
	}
	for _, unit := range copies[:len(units)] {
		// 0 is closed, 10 is open; what is left is the network.
		output, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=15",
			unit).CombinedOutput()
		if err != nil && strings.Contains(string(output), "unrecognized option") {
			t.Log("this systemd-analyze cannot judge the hardening offline")
			continue
		}
		if err != nil {
			t.Errorf("systemd-analyze security %s: %v\n%s", unit, err, output)
		}
	}
}
