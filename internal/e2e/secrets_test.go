package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is planted, and must come out nowhere.
const (
	plantedPassword = `Pl4nted/P&ss"w<rd%`
	plantedKey      = "cGxhbnRlZC1hcGktazpleTEyMzQ1Ng=="
	plantedProxy    = "pl4nted-proxy-secret"
)

// forms are the ways in which a planted secret could be written.
func forms(user string) []string {
	var all []string
	for _, s := range []string{plantedPassword, plantedKey, plantedProxy} {
		quoted, _ := json.Marshal(s)
		all = append(all, s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s),
			strings.Trim(string(quoted), `"`), fmt.Sprintf("%x", s))
	}
	return append(all, base64.StdEncoding.EncodeToString([]byte(user+":"+plantedPassword)))
}

// haystack is all that a program left behind, by where.
type haystack map[string]string

func (h haystack) wantNoSecret(t *testing.T, user string) {
	t.Helper()
	for where, text := range h {
		for _, secret := range forms(user) {
			if strings.Contains(text, secret) {
				t.Errorf("%s: holds %q:\n%s", where, secret, text)
			}
		}
	}
}

func (h haystack) addResult(why string, r result) {
	h[why+": "+r.args] += r.stdout + r.stderr
}

func (h haystack) addFile(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		t.Fatalf("read %s: %d bytes, %v", path, len(text), err)
	}
	h[path] = string(text)
}

// secretsStay plants secrets in every place that takes one and looks for them in all that the
// program writes, while it works and while it fails.
func secretsStay(t *testing.T, operator *stage) {
	operator.run("setup").want(t, 0)
	operator.put("events-1", "a", match(time.Minute))
	odd := recorded(match(time.Minute))
	odd.set("user.name", map[string]any{"an object": "where the alerts index has a keyword"})
	operator.put("events-1", "odd", odd)

	job := operator.as("secrets", plantedPassword)
	job.more["LOG_LEVEL"] = "debug"
	found := haystack{}
	folder := t.TempDir()
	sample := writeFile(t, "event.json", string(operator.Hits(operator.name("events-1"))[0].Source))

	with := func(why string, code int, change func(*stage), commands ...string) {
		t.Helper()
		s := job.as(job.user, job.password)
		change(s)
		for _, command := range commands {
			found.addResult(why, s.run(strings.Fields(command)...).want(t, code))
		}
	}
	report, scanned, metrics := filepath.Join(folder, "report.html"),
		filepath.Join(folder, "scan.html"), filepath.Join(folder, "esrule.prom")
	all := []string{"run --once --metrics-file " + metrics, "check", "check --format json",
		"status", "status --format json",
		"backfill --from now-1h --to now --plan", "backfill --from now-1h --to now --dry-run",
		"backfill --from now-1h --to now --report " + report,
		"explain --event " + sample, "scan --report " + scanned + " " + sample, "setup --role-only",
		"version"}
	asIs := func(*stage) {}
	with("well", 0, asIs, all...)
	with("in JSON", 0, func(s *stage) { s.more["LOG_FORMAT"] = "json" }, "run --once", "status")
	with("set up by the job", 0, asIs, "setup")
	inFile := func(s *stage) {
		s.more["ELASTICSEARCH_PASSWORD_FILE"], s.password = writeFile(t, "password",
			plantedPassword+"\n"), ""
	}
	with("password in a file", 0, inFile, "run --once", "status")
	inURL := func(s *stage) {
		s.url, s.user = strings.Replace(s.url, "://", "://"+
			url.UserPassword("secrets", plantedPassword).String()+"@", 1), ""
	}
	with("password in the address", 0, inURL, "run --once", "status")

	failing := []string{"run --once", "check", "status", "backfill --from now-1h --to now", "setup"}
	key := func(s *stage) { s.user, s.more["ELASTICSEARCH_API_KEY"] = "", plantedKey }
	with("an unknown key", 1, key, failing...)
	with("an unknown key in a file", 1, func(s *stage) {
		s.user, s.more["ELASTICSEARCH_API_KEY_FILE"] = "", writeFile(t, "key", plantedKey)
	}, failing...)
	with("a user with another's password", 1, func(s *stage) { s.user = "job" }, failing...)
	with("the same in the address", 1, func(s *stage) {
		inURL(s)
		s.url = strings.Replace(s.url, "secrets:", "job:", 1)
	}, failing...)
	with("a server that is not trusted", 1, func(s *stage) {
		delete(s.more, "ELASTICSEARCH_CA_FILE")
	}, failing...)
	with("an address without its host", 2, func(s *stage) {
		s.url, s.user = "https://secrets:"+plantedPassword+"@", ""
	}, failing...)
	with("a password with a line break", 2, func(s *stage) { s.password += "\nx" }, failing...)
	with("an empty user", 2, func(s *stage) {
		s.user = ""
		s.more["ELASTICSEARCH_PASSWORD"] = plantedPassword
	}, failing...)
	with("both", 2, func(s *stage) { s.more["ELASTICSEARCH_API_KEY"] = plantedKey }, failing...)
	unreachable(t, job, inURL, key, found)
	aService(t, job, found)

	found.addFile(t, report)
	found.addFile(t, scanned)
	found.addFile(t, metrics)
	for _, index := range []string{operator.signalsIndex(), operator.stateIndex(),
		operator.deadLetterIndex()} {
		operator.Refresh(index)
		for _, hit := range operator.Hits(index) {
			found["document "+index+"/"+hit.ID] = string(hit.Source)
		}
	}
	operator.wantFound("a", "odd")
	found.wantNoSecret(t, job.user)
}

// unreachable asks at once what takes its time to fail.
func unreachable(t *testing.T, job *stage, inURL, key func(*stage), found haystack) {
	t.Helper()
	proxy := refusingProxy(t)
	at := func(why string, code int, says string, change func(*stage), address,
		proxy string) func() {
		s := job.as(job.user, job.password)
		if change != nil {
			change(s)
		}
		s.url = strings.Replace(s.url, strings.TrimPrefix(job.url, "https://"), address, 1)
		delete(s.more, "ELASTICSEARCH_CA_FILE")
		p := start(t, append(s.env(), "HTTPS_PROXY="+proxy), "run", "--once")
		return func() { found.addResult(why, p.wait().want(t, code).says(t, says)) }
	}
	// A server on this machine is never asked for through a proxy.
	const elsewhere = "elasticsearch.invalid:9200"
	user := "http://user:" + plantedProxy + "@"
	for _, await := range []func(){
		at("nobody there", 1, "no cluster answers", inURL, "127.0.0.1:1", ""),
		at("no proxy there", 1, "no cluster answers", inURL, elsewhere, user+"127.0.0.1:1"),
		at("a proxy that is none", 2, "HTTPS_PROXY (value not shown): not an address", key,
			elsewhere, user+"[bad"),
		at("a proxy that refuses", 1, "does not let the request through (407", key, elsewhere,
			user+proxy),
	} {
		await()
	}
}

// refusingProxy is a proxy that puts the request into its refusal.
func refusingProxy(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			_ = req.Header.Write(w)
		})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// aService looks at what a running one shows of itself, and at what it says when it is killed for a
// dump.
func aService(t *testing.T, job *stage, found haystack) {
	t.Helper()
	s := job.as(job.user, job.password)
	m := &monitored{address: freeAddress(t)}
	s.more["METRICS_ADDRESS"], s.more["SCHEDULE"] = m.address, "@every 1s"
	m.process = start(t, append(s.env(), "GOTRACEBACK=crash"), "run")
	m.answers("/readyz", http.StatusOK, "ok")
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/debug/pprof/cmdline",
		"/debug/vars"} {
		_, found[path] = m.get(path)
	}
	if runtime.GOOS == "linux" {
		proc := fmt.Sprintf("/proc/%d/", m.cmd.Process.Pid)
		found.addFile(t, proc+"cmdline")
		limits, err := os.ReadFile(proc + "limits")
		if line := "Max core file size        0                    0 "; err != nil ||
			!strings.Contains(string(limits), line) {
			t.Errorf("%v: want %q in\n%s", err, line, limits)
		}
	}
	if err := m.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	found.addResult("killed for a dump", m.wait().says(t, "goroutine "))
	if state, ok := m.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && state.CoreDump() {
		t.Error("the process left a core file")
	}
}
