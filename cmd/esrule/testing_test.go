package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esrule/internal/config"
)

// noon is the time at which the tests read the configuration.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// quiet keeps the handshakes that a test makes fail out of its output.
var quiet = log.New(io.Discard, "", 0)

// setEnvironment replaces the ESRULE_ variables of the process by pairs such as
// "ESRULE_INDEX=logs-*".
func setEnvironment(t *testing.T, pairs ...string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, config.Prefix+"_") {
			t.Setenv(name, value) // so that it comes back after the test
			os.Unsetenv(name)
		}
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}

// writeFile returns the path of a new file.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pemOf returns the server's own certificate as PEM.
func pemOf(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// newTLSServer starts a server that says it is Elasticsearch and has no security API: what is
// tested with it is the handshake before any answer.
func newTLSServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.WriteHeader(http.StatusBadRequest)
	}))
	server.Config.ErrorLog = quiet
	t.Cleanup(server.Close)
	return server
}
