package deploy_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// composeFile is the part of the Compose specification that the file uses.
// decode refuses others, such as "name", which Debian 12's Compose 1 does not take.
type composeFile struct {
	Services map[string]struct {
		Image string
		Build struct {
			Context string
			Args    map[string]string
		}
		Command     []string
		Environment map[string]string
		Secrets     []string
		Ports       []string
		Healthcheck struct {
			Test              []string
			Interval, Timeout string
			StartPeriod       string `yaml:"start_period"`
			Retries           int
		}
		Restart     string
		StopGrace   string `yaml:"stop_grace_period"`
		User        string
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
		SecurityOpt []string `yaml:"security_opt"`
		MemLimit    string   `yaml:"mem_limit"`
		PidsLimit   int      `yaml:"pids_limit"`
		Logging     struct {
			Driver  string
			Options map[string]string
		}
	}
	Secrets map[string]struct{ File string }
}

func composeOf(t *testing.T) workload {
	t.Helper()
	var c composeFile
	decode(t, "compose/compose.yaml", &c)
	s := c.Services["esrule"]
	return workload{from: "compose/compose.yaml", args: s.Command, env: s.Environment}
}

func TestCompose(t *testing.T) {
	var c composeFile
	decode(t, "compose/compose.yaml", &c)
	s := c.Services["esrule"]
	equal(t, "services", len(c.Services), 1)
	equal(t, "image", s.Image, "esrule:latest")
	dockerfile := read(t, "compose/"+s.Build.Context+"/Dockerfile")
	for name := range s.Build.Args {
		if !strings.Contains(dockerfile, "\nARG "+name+"=") {
			t.Errorf("build argument %s: the Dockerfile does not take it", name)
		}
	}
	equal(t, "build arguments", len(s.Build.Args), 2)
	equal(t, ".env names the project",
		strings.Contains(read(t, "compose/.env"), "\nCOMPOSE_PROJECT_NAME=esrule\n"), true)
	equal(t, "read_only", s.ReadOnly, true)
	equal(t, "cap_drop", s.CapDrop, []string{"ALL"})
	equal(t, "security_opt", s.SecurityOpt, []string{"no-new-privileges:true"})
	if !strings.Contains(read(t, "../Dockerfile"), "\nUSER "+s.User+"\n") {
		t.Errorf("user: got %q, which is not the image's", s.User)
	}
	if !strings.Contains(read(t, "../Dockerfile"), `ENTRYPOINT ["`+s.Healthcheck.Test[1]+`"]`) {
		t.Errorf("healthcheck: got %q, which is not the image's program", s.Healthcheck.Test)
	}
	equal(t, "healthcheck", s.Healthcheck.Test[0], "CMD")
	runs(t, workload{from: "the healthcheck of compose.yaml"}, 0,
		append(slices.Clone(s.Healthcheck.Test[2:]), "--help")...)
	for _, name := range s.Secrets {
		equal(t, "file of secret "+name, s.Environment["ESRULE_ELASTICSEARCH_API_KEY_FILE"],
			"/run/secrets/"+name)
		equal(t, "secret "+name+" is kept out of git",
			strings.TrimSpace(read(t, "compose/.gitignore")),
			strings.TrimPrefix(c.Secrets[name].File, "./"))
	}
	port := strings.TrimPrefix(s.Environment["ESRULE_METRICS_ADDRESS"], ":")
	equal(t, "ports", s.Ports, []string{"127.0.0.1:" + port + ":" + port})
}

func itoa(n int) string { return strconv.Itoa(n) }
