package deploy_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const testCommit = "0123456789abcdef"

// Docker's older builder sets no platform variables and refuses RUN --mount.
func TestDockerfileNeedsNoBuildKit(t *testing.T) {
	for _, line := range strings.Split(read(t, "../Dockerfile"), "\n") {
		if strings.HasPrefix(line, "RUN --") {
			t.Errorf("%q: only BuildKit takes a flag of RUN", line)
		}
		if strings.HasPrefix(line, "FROM ") &&
			strings.Contains(strings.ReplaceAll(line, "${BUILDPLATFORM:-linux}", ""), "$") {
			t.Errorf("%q: the variable has no default", line)
		}
	}
}

// The linker accepts names of variables that do not exist, so the image's own flags are tried.
func TestImageVersion(t *testing.T) {
	flags := regexp.MustCompile(`-ldflags "([^"]*)"`).FindStringSubmatch(read(t, "../Dockerfile"))
	if flags == nil {
		t.Fatal("the Dockerfile has no -ldflags")
	}
	values := strings.NewReplacer("$VERSION", "v1.2.3", "$COMMIT", testCommit)
	program := filepath.Join(t.TempDir(), "esrule")
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", values.Replace(flags[1]),
		"-o", program, "../cmd/esrule")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	saysVersion(t, exec.Command(program, "version"))
}

// It builds only where the base image is there: to fetch it is for whoever builds an image, and not
// for a test.
func TestImageBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an image; -short is set")
	}
	const base, tag = "golang:1.26", "esrule-deploy-test:latest"
	if output, err := exec.Command("docker", "image", "inspect", "--format", "{{.Id}}",
		base).CombinedOutput(); err != nil {
		t.Skipf("left out: building the image: no Docker engine with %s: %v: %s", base, err, output)
	}
	build := exec.Command("docker", "build", "--network", "host", "--build-arg", "VERSION=v1.2.3",
		"--build-arg", "COMMIT="+testCommit, "--tag", tag, "..")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v: %s", err, output)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", tag).Run() })
	saysVersion(t, exec.Command("docker", "run", "--rm", tag, "version"))
}

func saysVersion(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if want := "esrule v1.2.3\ncommit " + testCommit + "\n"; err != nil ||
		!strings.HasPrefix(string(output), want) {
		t.Errorf("version: got %q, %v; want %q first", output, err, want)
	}
}
