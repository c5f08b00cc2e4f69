package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
)

// printedRole is the role that `esrule setup` tells the operator to create, as JSON.
func printedRole(t *testing.T, s *stage) string {
	t.Helper()
	out := s.run("setup", "--role-only").want(t, 0).stdout
	at := strings.Index(out, "{")
	if at < 0 {
		t.Fatalf("esrule setup --role-only prints no role: %s", out)
	}
	return out[at:]
}

// withoutPattern takes one of the names out of a role.
func withoutPattern(t *testing.T, role, pattern string) string {
	t.Helper()
	var r struct {
		Indices []struct {
			Names      []string `json:"names"`
			Privileges []string `json:"privileges"`
		} `json:"indices"`
	}
	if err := json.Unmarshal([]byte(role), &r); err != nil {
		t.Fatal(err)
	}
	for i := range r.Indices {
		r.Indices[i].Names = slices.DeleteFunc(r.Indices[i].Names, func(n string) bool { return n == pattern })
	}
	less, err := json.Marshal(r)
	if err != nil || len(less) == len(role) {
		t.Fatalf("take %s out of %s: %v", pattern, role, err)
	}
	return string(less)
}

// What a server with security says no to. The tests share one, since starting it takes longer than they do.
func TestSecurity(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Elasticsearch; -short is set")
	}
	t.Parallel() // beside TestNoCluster: both wait more than they work
	const password = "hunter2-hunter2"
	unstarted := func(prefix string, patterns ...string) *stage {
		return stageOn(t, &estest.Cluster{Server: &estest.Server{}}, prefix, patterns...)
	}
	job, part := unstarted("job", "events-*"), unstarted("part", "open-*", "closed-*")
	user := func(name string) estest.User {
		return estest.User{Name: name, Password: password, Roles: []string{name}}
	}
	server := estest.Own(t, estest.Options{
		Users: []estest.User{user("job"), user("part-less"), user("part-whole")},
		Roles: map[string]string{
			"job":        printedRole(t, job),
			"part-whole": printedRole(t, part),
			"part-less":  withoutPattern(t, printedRole(t, part), part.name("closed-*")),
		},
	})
	on := func(t *testing.T, prefix string, patterns ...string) *stage {
		s := stageOn(t, server, prefix, patterns...)
		for _, p := range patterns {
			s.Create(s.name(strings.ReplaceAll(p, "*", "1")), ecs)
		}
		return s
	}
	t.Run("the printed role is enough", func(t *testing.T) { theRoleIsEnough(t, on(t, "job", "events-*"), password) })
	t.Run("a pattern may not be read", func(t *testing.T) { patternForbidden(t, on(t, "part", "open-*", "closed-*"), password) })
	t.Run("unknown user", func(t *testing.T) { unknownUser(t, on(t, "unknown", "events-*"), password) })
}

func theRoleIsEnough(t *testing.T, operator *stage, password string) {
	job := operator.as("job", password)
	job.put("events-1", "a", match(time.Minute))

	// Before the set-up the job may not make its indices, and says who can.
	job.run("run", "--once").want(t, 1).says(t, job.signalsIndex(), "not allowed", "esrule setup")
	operator.run("setup").want(t, 0).says(t, "created index "+job.signalsIndex())
	operator.run("setup").want(t, 0).says(t, "are there already")

	job.runOnce().saysNot(t, "level=WARN", "level=ERROR")
	job.wantFound("a")
	job.wantWhole()
	job.run("check").want(t, 0)
	job.run("status").want(t, 0)

	odd := recorded(match(time.Minute))
	odd.set("user.name", map[string]any{"an object": "where the alerts index has a keyword"})
	job.put("events-1", "odd", odd)
	job.runOnce().says(t, "reduced=1")
	job.wantFound("a", "odd")
}

// A search over what may not be read answers as if it were empty, so it has to be asked and told.
func patternForbidden(t *testing.T, operator *stage, password string) {
	operator.run("setup").want(t, 0)
	operator.put("open-1", "open", match(time.Minute))
	operator.put("closed-1", "closed", match(40*time.Minute)) // far from the live window of a later run
	closed := operator.name("closed-*")

	less := operator.as("part-less", password)
	less.run("check").want(t, 3).says(t, closed, "the privilege read is missing", "the privilege view_index_metadata is missing")
	less.run("run", "--once").want(t, 1).says(t, "not everything was covered", closed+" is open for ", "[read view_index_metadata] is missing")
	less.wantFound("open")
	less.run("status").want(t, 1).says(t, closed)
	less.run("run", "--once").want(t, 1).says(t, closed)
	less.wantFound("open")

	whole := operator.as("part-whole", password)
	whole.runOnce().saysNot(t, closed)
	whole.wantFound("closed", "open")
	whole.wantWhole()
	whole.run("status").want(t, 0)
}

func unknownUser(t *testing.T, s *stage, password string) {
	f := func(user, password, want string) {
		t.Helper()
		other := s.as(user, password)
		for _, command := range []string{"run --once", "check", "status", "setup"} {
			other.run(strings.Fields(command)...).want(t, 1).says(t, "the cluster refused "+want, s.url, "401", "What to do").saysNot(t, password)
		}
	}
	f("job", "no-such-password", `user "job" with this password`)
	f("stranger", password, `user "stranger" with this password`)

	inAddress := s.as("", "")
	inAddress.url = strings.Replace(s.url, "://", "://job:no-such-password@", 1)
	inAddress.run("run", "--once").want(t, 1).says(t, "the cluster refused", s.url).saysNot(t, "no-such-password")
	none := s.as("", "")
	none.run("run", "--once").want(t, 1).says(t, "a request without credentials", "ESRULE_ELASTICSEARCH_API_KEY")
}
