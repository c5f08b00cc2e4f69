package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"esrule/internal/config"
	"esrule/internal/elastic"
)

// connectTo reads the configuration from pairs and connects as a command does, without waiting for
// a cluster that does not answer.
func connectTo(t *testing.T, pairs ...string) (*elastic.Client, error) {
	t.Helper()
	setEnvironment(t, pairs...)
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	a.readyWithin = 0
	cfg, err := a.config()
	if err != nil {
		t.Fatal(err)
	}
	return a.connect(t.Context(), cfg, a.logger(cfg))
}

// checkRefused checks that err is one that a command ends with, and says each of want.
func checkRefused(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("connected, want an error with %q", want)
		return
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got\n  %s\nwant in it\n  %s", err, part)
		}
	}
}

func TestConnectNeedsACluster(t *testing.T) {
	_, err := connectTo(t)
	checkRefused(t, err, "no cluster is configured", "ESRULE_ELASTICSEARCH_URL")
	if coded, ok := errors.AsType[*exitError](err); !ok || coded.code != exitUsage {
		t.Errorf("got %#v, want exit code %d", err, exitUsage)
	}
}

func TestConnectNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, err = connectTo(t, "ESRULE_ELASTICSEARCH_URL=http://elastic:hunter2@"+address)
	checkRefused(t, err, "no cluster answers: http://"+address+": ", "connection refused",
		"check ESRULE_ELASTICSEARCH_URL")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is in %q", err)
	}
}

func TestConnectTLS(t *testing.T) {
	server := newTLSServer(t)
	url := "ESRULE_ELASTICSEARCH_URL=" + server.URL
	digest := sha256.Sum256(server.Certificate().Raw)

	_, err := connectTo(t, url)
	checkRefused(t, err, server.URL, "certificate signed by unknown authority",
		"set ESRULE_ELASTICSEARCH_CA_FILE", "ESRULE_ELASTICSEARCH_CERT_FINGERPRINT")

	_, err = connectTo(t, url, "ESRULE_ELASTICSEARCH_CERT_FINGERPRINT="+strings.Repeat("ab", 32))
	checkRefused(t, err, server.URL, "no certificate of the server has the fingerprint",
		fmt.Sprintf("%x", digest), "otherwise this is not your cluster")

	if _, err = connectTo(t, url, "ESRULE_ELASTICSEARCH_CA_FILE="+
		writeFile(t, "ca.pem", string(pemOf(server)))); err != nil {
		t.Errorf("with the CA file: %v", err)
	}
	if _, err = connectTo(t, url, fmt.Sprintf("ESRULE_ELASTICSEARCH_CERT_FINGERPRINT=%X",
		digest)); err != nil {
		t.Errorf("with the fingerprint of the server's certificate: %v", err)
	}

	// The certificate names 127.0.0.1 and example.com, not localhost.
	other := "ESRULE_ELASTICSEARCH_URL=" + strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	_, err = connectTo(t, other, "ESRULE_ELASTICSEARCH_CA_FILE="+
		writeFile(t, "ca.pem", string(pemOf(server))))
	checkRefused(t, err, "not localhost", "use an address whose host the certificate names")
}

func TestConnectSchemeMismatch(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	_, err := connectTo(t, "ESRULE_ELASTICSEARCH_URL="+strings.Replace(plain.URL, "http:", "https:",
		1))
	checkRefused(t, err, "does not look like a TLS handshake", "write the address as http://")

	_, err = connectTo(t, "ESRULE_ELASTICSEARCH_URL="+plain.URL)
	checkRefused(t, err, "not Elasticsearch: "+plain.URL, "status 404 Not Found",
		"X-Elastic-Product")
}

// Requests say which program and version sent them; operators look for that in their audit logs.
func TestClientNamesItself(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
	}))
	t.Cleanup(server.Close)
	c, err := connectTo(t, "ESRULE_ELASTICSEARCH_URL="+server.URL)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Once.Cluster.Health()
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if agent := got.Get("User-Agent"); !strings.HasPrefix(agent, "esrule/") {
		t.Errorf("User-Agent: got %q, want esrule/…", agent)
	}
	if meta := got.Get("X-Elastic-Client-Meta"); !strings.HasPrefix(meta, "es=8") {
		t.Errorf("X-Elastic-Client-Meta: got %q, want es=8…", meta)
	}
}

// A wait for a cluster ends with the process, and says so.
func TestReadyEndsWithTheContext(t *testing.T) {
	setEnvironment(t, "ESRULE_ELASTICSEARCH_URL=http://127.0.0.1:1")
	cfg, err := config.Load(nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	c, err := elastic.New(cfg.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	waiting := cancelOnWrite{&out, cancel} // the first failure is logged, and then waited on
	_, err = c.Ready(ctx, time.Hour, newLogger(waiting, config.LogText, slog.LevelInfo))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if !strings.Contains(out.String(), "the cluster does not answer yet") {
		t.Errorf("the log does not say what is waited for: %q", out.String())
	}
}

type cancelOnWrite struct {
	io.Writer
	cancel context.CancelFunc
}

func (w cancelOnWrite) Write(p []byte) (int, error) {
	w.cancel()
	return w.Writer.Write(p)
}
