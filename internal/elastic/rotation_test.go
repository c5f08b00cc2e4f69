package elastic

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"esrule/internal/estest"
)

// write replaces a file as whoever rotates a secret does.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A password and an API key that the cluster refuses are read again from their files; so they are
// when somebody asks for it. A file that is gone or empty changes nothing.
func TestRotatedSecrets(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	var valid string // the header's value that the gateway lets through
	guarded := gateway(t, good, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == valid {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	f := func(name string, cfg Config, file string, header func(secret string) string) {
		t.Helper()
		var reports []Report
		cfg.Addresses = []string{guarded.URL}
		cfg.Watch = func(r Report) { reports = append(reports, r) }
		c, log := clientFor(t, cfg)
		status := func(want int, why string) {
			t.Helper()
			got, _, err := ask(t.Context(), c, http.MethodPost, searchNothing, `{"size": 0}`)
			if err != nil || got != want {
				t.Errorf("%s, %s: got status %d and error %v, want %d", name, why, got, err, want)
			}
			if failed := reports[len(reports)-1].Failure == Unauthorized; failed != (want == 401) {
				t.Errorf("%s, %s: reported %q", name, why, reports[len(reports)-1].Failure)
			}
		}
		valid = header("first")
		status(200, "at the start")
		valid = header("second")
		status(401, "the file is the old one")
		write(t, file, "second\n")
		status(200, "the file is the new one")
		if got := log.count("was read again from its file"); got != 1 {
			t.Errorf("%s: said %d times that the file was read, want once:\n%s", name, got, log)
		}
		write(t, file, "")
		valid = header("third")
		status(401, "the file is empty")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		status(401, "the file is gone")
		valid = header("second")
		status(200, "the one before is still in use")
		write(t, file, "third")
		c.Reload()
		status(401, "asked to read it before the cluster knows it")
		valid = header("third")
		status(200, "read before it was refused")
	}
	folder := t.TempDir()
	password, key := filepath.Join(folder, "password"), filepath.Join(folder, "key")
	write(t, password, "first")
	write(t, key, "first")
	f("password", Config{Username: "job", Password: NewSecret("first"), PasswordFile: password},
		password,
		func(s string) string { return "Basic " + basic("job", s) })
	f("API key", Config{APIKey: NewSecret("first"), APIKeyFile: key}, key,
		func(s string) string { return "ApiKey " + s })
}

// A certificate that is not trusted has the CA file read again.
func TestRenewedAuthority(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(estest.For(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	first, second := newCertificate(t, "localhost", nil), newCertificate(t, "localhost", nil)
	var current tls.Certificate
	as := func(a *authority) tls.Certificate {
		return tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key}
	}
	server := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	server.Config.ErrorLog = quietLog()
	server.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &current, nil
	}}
	current = as(first)
	server.StartTLS()
	t.Cleanup(server.Close)
	server.TLS.Certificates = nil

	file := filepath.Join(t.TempDir(), "ca.pem")
	pemOf := func(certs ...*authority) string {
		var text bytes.Buffer
		for _, a := range certs {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
		}
		return text.String()
	}
	write(t, file, pemOf(first))
	pool := x509.NewCertPool()
	pool.AddCert(first.cert)
	_, port, _ := bytes.Cut([]byte(server.Listener.Addr().String()), []byte(":"))
	var last Report
	c, log := clientFor(t, Config{Addresses: []string{"https://localhost:" + string(port)},
		CA: pool, CAFile: file,
		Watch: func(r Report) { last = r }})
	asks := func(good bool, why string) {
		t.Helper()
		_, _, err := ask(t.Context(), c, http.MethodPost, searchNothing, `{"size": 0}`)
		if (err == nil) != good || (last.Failure == Untrusted) == good {
			t.Errorf("%s: got error %v and reported %q, want it good: %v", why, err, last.Failure,
				good)
		}
	}
	asks(true, "at the start")
	current = as(second)
	c.transport.line.http.Load().CloseIdleConnections()
	asks(false, "a certificate of another authority")
	write(t, file, "no certificate")
	asks(false, "the file is broken")
	write(t, file, pemOf(first, second))
	asks(true, "the file names both")
	if got := log.count("the CA file was read again"); got != 1 {
		t.Errorf("said %d times that the file was read, want once:\n%s", got, log)
	}
	write(t, file, pemOf(first))
	c.Reload()
	c.transport.line.http.Load().CloseIdleConnections()
	asks(false, "read again when asked to")
}
