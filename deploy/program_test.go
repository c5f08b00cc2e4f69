package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"esrule/internal/estest"
)

// program builds esrule once for the test process.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "esrule-deploy-")
	if err != nil {
		return "", err
	}
	file, err := estest.BuildProgram(context.Background(), folder)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// workload is one way in which esrule is started: its arguments and its variables.
type workload struct {
	from string // the file
	args []string
	env  map[string]string
}

// workloads are all that this folder starts.
func workloads(t *testing.T) []workload {
	t.Helper()
	all := []workload{
		containerOf(t, "kubernetes/cronjob.yaml"), containerOf(t, "kubernetes/deployment.yaml"),
		composeOf(t), unitOf(t, "systemd/esrule.service"), unitOf(t, "systemd/esrule-once.service"),
	}
	return all
}

// The program takes the arguments: each flag is there. --help stops it before it does anything.
func TestArguments(t *testing.T) {
	for _, w := range workloads(t) {
		if len(w.args) == 0 {
			t.Errorf("%s: starts esrule without a command", w.from)
		}
		runs(t, w, 0, append(slices.Clone(w.args), "--help")...)
	}
	runs(t, workload{from: "a flag that is not there"}, 2, "run", "--no-such-flag", "--help")
}

// The program takes the variables, with a secret in each file that they name: what is printed needs
// no cluster.
func TestConfiguration(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads(t) {
		if w.env["ESRULE_ELASTICSEARCH_URL"] == "" {
			t.Errorf("%s: names no cluster", w.from)
		}
		if w.env["ESRULE_ELASTICSEARCH_API_KEY_FILE"] == "" {
			t.Errorf("%s: reads no key from a file", w.from)
		}
		for name := range w.env {
			if strings.HasPrefix(name, "ESRULE_") && strings.HasSuffix(name, "_FILE") {
				w.env[name] = secret
			}
		}
		runs(t, w, 0, "setup", "--role-only")
	}
	runs(t, workload{from: "a variable that is not there",
		env: map[string]string{"ESRULE_NO_SUCH": "1"}}, 2, "setup", "--role-only")
}

func runs(t *testing.T, w workload, code int, args ...string) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Env = []string{}
	for name, value := range w.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run() // judged by the exit code
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%s: esrule %s: exit code %d, want %d: %s", w.from, strings.Join(args, " "), got,
			code, stderr.String())
	}
}

// read gives a file of this folder, as one of the texts in it.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
