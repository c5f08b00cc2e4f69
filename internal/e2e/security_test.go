package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// rolePart is a part of a printed role.
type rolePart struct {
	Names      []string `json:"names"`
	Privileges []string `json:"privileges"`
}

// less gives a role without what change takes out of its parts.
func less(t *testing.T, role string, change func([]rolePart) []rolePart) string {
	t.Helper()
	var r struct {
		Indices []rolePart `json:"indices"`
	}
	if err := json.Unmarshal([]byte(role), &r); err != nil {
		t.Fatal(err)
	}
	before, _ := json.Marshal(r)
	r.Indices = change(r.Indices)
	after, err := json.Marshal(r)
	if err != nil || len(after) >= len(before) {
		t.Fatalf("nothing was taken out of %s: %v", role, err)
	}
	return string(after)
}

func withoutPattern(pattern string) func([]rolePart) []rolePart {
	return func(parts []rolePart) []rolePart {
		for i := range parts {
			parts[i].Names = slices.DeleteFunc(parts[i].Names, func(n string) bool {
				return n == pattern
			})
		}
		return parts
	}
}

func withoutPrivilege(part int, privilege string) func([]rolePart) []rolePart {
	return func(parts []rolePart) []rolePart {
		parts[part].Privileges = slices.DeleteFunc(parts[part].Privileges, func(p string) bool {
			return p == privilege
		})
		return parts
	}
}

// The parts of the printed role, in their order.
const (
	patternsPart = iota
	statePart
	signalsPart // and dead letters
)

// lacking are users with the printed role less one privilege, by their names.
func lacking() map[string]struct {
	part      int
	privilege string
} {
	type one = struct {
		part      int
		privilege string
	}
	return map[string]one{
		"no-pattern-read": {patternsPart, "read"},
		"no-pattern-view": {patternsPart, "view_index_metadata"},
		"no-state-read":   {statePart, "read"}, "no-state-index": {statePart, "index"},
		"no-signals-read": {signalsPart, "read"}, "no-signals-create": {signalsPart, "create"},
	}
}

// What a server with security and TLS says no to. The tests share one, since starting it takes
// longer than they do.
func TestSecurity(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Elasticsearch; -short is set")
	}
	t.Parallel() // beside TestNoCluster: both wait more than they work
	const password = "hunter2-hunter2"
	unstarted := func(prefix string, patterns ...string) *stage {
		return stageOn(t, &estest.Cluster{Server: &estest.Server{}}, prefix, patterns...)
	}
	job, part := printedRole(t, unstarted("job", "events-*")),
		unstarted("part", "open-*", "closed-*")
	roles := map[string]string{
		"job":        job,
		"reader":     less(t, job, func(parts []rolePart) []rolePart { return parts[:1] }),
		"part-whole": printedRole(t, part),
		"part-less":  less(t, printedRole(t, part), withoutPattern(part.name("closed-*"))),
		"secrets":    printedRole(t, unstarted("secrets", "events-*")),
	}
	whole, alias := unstarted("whole", "*"), unstarted("alias", "the-alias", "events-*")
	roles["whole-less"] = less(t, strings.Replace(printedRole(t, whole), `"whole-*"`,
		`"whole-open-*", "gone"`, 1), withoutPattern("gone"))
	roles["alias"] = printedRole(t, alias)
	threats := unstarted("ti", "events-*")
	threats.more["RULES"] = threatRules(t, threats)
	roles["ti-less"] = less(t, printedRole(t, threats),
		withoutPattern(threats.name("ti-forbidden")))
	kinds := unstarted("kinds", "events-*")
	addKindRoles(t, kinds, roles)
	for name, without := range lacking() {
		roles[name] = less(t, job, withoutPrivilege(without.part, without.privilege))
	}
	users := []estest.User{{Name: "secrets", Password: plantedPassword, Roles: []string{"secrets"}}}
	for name := range roles {
		if name != "secrets" {
			users = append(users, estest.User{Name: name, Password: password,
				Roles: []string{name}})
		}
	}
	server := estest.Own(t, estest.Options{TLS: true, Users: users, Roles: roles})
	on := func(t *testing.T, prefix string, patterns ...string) *stage {
		s := stageOn(t, server, prefix, patterns...)
		for _, p := range patterns {
			s.Create(s.name(strings.ReplaceAll(p, "*", "1")), ecs)
		}
		return s
	}
	t.Run("the printed role is enough", func(t *testing.T) {
		operator := on(t, "job", "events-*")
		theRoleIsEnough(t, operator, password)
		readerDialectHolds(t, operator, password)
		t.Run("and no less is", func(t *testing.T) { noLessIsEnough(t, operator, password) })
		t.Run("a reader may look", func(t *testing.T) { aReaderMayLook(t, operator, password) })
		t.Run("certificates", func(t *testing.T) { certificates(t, operator.as("job", password)) })
	})
	t.Run("a pattern may not be read", func(t *testing.T) {
		patternForbidden(t, on(t, "part", "open-*", "closed-*"), password)
	})
	t.Run("a part of a pattern may not be read", func(t *testing.T) {
		partForbidden(t, on(t, "whole", "open-*", "closed-*"), password)
	})
	t.Run("an alias may be read and its index not", func(t *testing.T) {
		onlyTheAlias(t, on(t, "alias", "events-*"), password)
	})
	t.Run("indicators out of reach", func(t *testing.T) {
		s := on(t, "ti")
		s.patterns, s.more["RULES"] = threats.patterns, threats.more["RULES"]
		indicatorsOutOfReach(t, s, password)
	})
	t.Run("rules of every kind", func(t *testing.T) {
		theRoleIsEnoughForKinds(t, kinds, server, password)
	})
	t.Run("unknown user", func(t *testing.T) {
		unknownUser(t, on(t, "unknown", "events-*"), password)
	})
	t.Run("secrets", func(t *testing.T) { secretsStay(t, on(t, "secrets", "events-*")) })
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
	job.run("status", "--format", "json").want(t, 0)
	metrics := filepath.Join(t.TempDir(), "esrule.prom")
	job.run("run", "--once", "--metrics-file", metrics).want(t, 0)
	if text, err := os.ReadFile(metrics); err != nil || !strings.Contains(string(text), "esrule_") {
		t.Errorf("the metrics file: %v: %s", err, text)
	}
	job.run("backfill", "--from", "now-1h", "--to", "now", "--plan").want(t, 0)
	job.run("backfill", "--from", "now-1h", "--to", "now", "--dry-run").want(t, 0).says(t,
		`"id":"a"`)
	for _, more := range [][]string{nil, {"--restart"}} {
		job.run(append([]string{"backfill", "--from", "now-1h", "--to", "now"}, more...)...).want(t,
			0).
			says(t, "1 alerted before").saysNot(t, "level=WARN", "level=ERROR")
	}
	service := startMonitored(t, job.as("job", password))
	service.answers("/readyz", http.StatusOK, "ok")
	service.answers("/healthz", http.StatusOK, "ok")
	_ = service.cmd.Process.Kill() // it would find what comes next
	<-service.ended

	odd := recorded(match(time.Minute))
	odd.set("user.name", map[string]any{"an object": "where the alerts index has a keyword"})
	job.put("events-1", "odd", odd)
	job.runOnce().says(t, "reduced=1")
	job.wantFound("a", "odd")
}

// noLessIsEnough: whatever is taken out of the role, a run fails, and says what it was.
func noLessIsEnough(t *testing.T, operator *stage, password string) {
	for name, without := range lacking() {
		want := []string{"the privilege " + without.privilege + " on "}
		switch without.part {
		case patternsPart:
			want = []string{operator.name("events-*") + " is open for ", "[" + without.privilege +
				"] is missing"}
		case statePart:
			want[0] += operator.stateIndex()
		case signalsPart:
			want = []string{want[0] + operator.signalsIndex(), want[0] + operator.deadLetterIndex()}
		}
		user := operator.as(name, password)
		user.run("run", "--once").want(t, 1).says(t, want...)
		user.run("check").want(t, 3).says(t, "the privilege "+without.privilege, "is missing")
		if without.part != patternsPart {
			user.run("backfill", "--from", "now-2h", "--to", "now").want(t, 1).says(t,
				without.privilege)
		}
		if name == "no-state-read" {
			user.run("status").want(t, 1).says(t, operator.stateIndex(), "403", "read")
		}
	}
	// What was refused is covered as soon as it may be.
	operator.as("job", password).runOnce()
	operator.wantWhole()
}

// aReaderMayLook: who may read the patterns and nothing else sees what a backfill would find.
func aReaderMayLook(t *testing.T, operator *stage, password string) {
	reader := operator.as("reader", password)
	reader.run("backfill", "--from", "now-1h", "--to", "now", "--dry-run").want(t, 0).says(t,
		`"id":"a"`)
	reader.run("backfill", "--from", "now-1h", "--to", "now", "--plan").want(t, 0).
		says(t, "candidates", "the privilege read on the state index", operator.stateIndex())
	reader.run("backfill", "--from", "now-1h", "--to", "now").want(t, 1).says(t,
		operator.stateIndex(), "403", "read")
}

// certificates: the server is who it says it is, or nothing is said to it.
func certificates(t *testing.T, job *stage) {
	f := func(wantCode int, change map[string]string, says ...string) {
		t.Helper()
		s := job.as(job.user, job.password)
		delete(s.more, "ELASTICSEARCH_CA_FILE")
		maps.Copy(s.more, change)
		for _, command := range []string{"run --once", "check", "setup --role-only",
			"backfill --from now-1h --to now"} {
			if command == "setup --role-only" && wantCode != 0 {
				command = "setup"
			}
			s.run(strings.Fields(command)...).want(t, wantCode).says(t, says...).saysNot(t,
				job.password)
		}
	}
	sent := sentCertificates(t, job.url)
	other := httptest.NewTLSServer(nil)
	defer other.Close()
	stranger := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: other.Certificate().Raw}))
	const advice = "What to do: "

	f(0, map[string]string{"ELASTICSEARCH_CA_FILE": writeFile(t, "both.pem",
		stranger+string(job.Authority))})
	f(0, map[string]string{"ELASTICSEARCH_CERT_FINGERPRINT": fingerprint(sent[0])})
	f(0, map[string]string{"ELASTICSEARCH_CERT_FINGERPRINT": fingerprint(sent[1])})
	f(1, nil, "the connection is not safe", "unknown authority", advice+
		"set ESRULE_ELASTICSEARCH_CA_FILE")
	f(1, map[string]string{"ELASTICSEARCH_CA_FILE": writeFile(t, "other.pem", stranger)},
		"the connection is not safe", "unknown authority")
	f(1, map[string]string{"ELASTICSEARCH_CERT_FINGERPRINT": fingerprint(other.Certificate())},
		"the connection is not safe", "no certificate of the server has the fingerprint",
		fingerprint(sent[0]), advice)
}

func fingerprint(c *x509.Certificate) string { return fmt.Sprintf("%x", sha256.Sum256(c.Raw)) }

// sentCertificates are the server's own certificate and its authority's.
func sentCertificates(t *testing.T, address string) []*x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(address, "https://"),
		&tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := conn.ConnectionState().PeerCertificates
	if len(sent) != 2 {
		t.Fatalf("%s sent %d certificates, want two", address, len(sent))
	}
	return sent
}

// A search over what may not be read answers as if it were empty, so it has to be asked and told.
func patternForbidden(t *testing.T, operator *stage, password string) {
	operator.run("setup").want(t, 0)
	operator.put("open-1", "open", match(time.Minute))
	// far from the live window of a later run
	operator.put("closed-1", "closed", match(40*time.Minute))
	closed := operator.name("closed-*")

	less := operator.as("part-less", password)
	less.run("check").want(t, 3).says(t, closed, "the privilege read is missing",
		"the privilege view_index_metadata is missing")
	less.run("run", "--once").want(t, 1).says(t, "not everything was covered", closed+
		" is open for ", "[read view_index_metadata] is missing")
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

// partForbidden: of a pattern that may not be read whole, what may be read is searched.
func partForbidden(t *testing.T, operator *stage, password string) {
	operator.patterns = []string{operator.name("*")}
	operator.run("setup").want(t, 0)
	operator.put("open-1", "open", match(time.Minute))
	operator.put("closed-1", "closed", match(40*time.Minute))

	less := operator.as("whole-less", password)
	less.run("check").want(t, 3).says(t, "the privilege read is missing")
	less.run("run", "--once").want(t, 1).says(t, operator.name("*")+" is open for ",
		"what may be read of it is searched")
	less.wantFound("open")
	less.run("backfill", "--from", "now-1h", "--to", "now").want(t, 1).says(t, "the privilege")

	operator.runOnce()
	operator.wantFound("closed", "open")
	operator.wantWhole()
}

// onlyTheAlias: Elasticsearch grants a search over a filtered alias and refuses one of a point in
// time on it.
func onlyTheAlias(t *testing.T, operator *stage, password string) {
	operator.patterns = append(operator.patterns, operator.name("the-alias"))
	operator.Create(operator.name("hidden-1"), ecs)
	operator.Do(http.MethodPut, operator.name("hidden-1")+"/_alias/"+operator.name("the-alias"),
		`{"filter": {"exists": {"field": "event.category"}}}`)
	operator.run("setup").want(t, 0)
	operator.put("events-1", "open", match(time.Minute))
	operator.put("hidden-1", "hidden", match(40*time.Minute))

	less := operator.as("alias", password)
	less.run("check").want(t, 3).says(t, operator.name("the-alias"),
		"refuses to search a point in time")
	less.run("run", "--once").want(t, 1).says(t, operator.name("the-alias")+" is open for ",
		"refuses to search a point in time")
	less.wantFound("open")
	operator.runOnce()
	operator.wantFound("hidden", "open")
	operator.wantWhole()
}

func unknownUser(t *testing.T, s *stage, password string) {
	f := func(user, password, want string) {
		t.Helper()
		other := s.as(user, password)
		for _, command := range []string{"run --once", "check", "status", "setup"} {
			other.run(strings.Fields(command)...).want(t, 1).says(t, "the cluster refused "+want,
				s.url, "401", "What to do").saysNot(t, password)
		}
	}
	f("job", "no-such-password", `user "job" with this password`)
	f("stranger", password, `user "stranger" with this password`)

	inAddress := s.as("", "")
	inAddress.url = strings.Replace(s.url, "://", "://job:no-such-password@", 1)
	inAddress.run("run", "--once").want(t, 1).says(t, "the cluster refused", s.url).saysNot(t,
		"no-such-password")
	none := s.as("", "")
	none.run("run", "--once").want(t, 1).says(t, "a request without credentials",
		"ESRULE_ELASTICSEARCH_API_KEY")
}
