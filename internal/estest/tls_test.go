package estest

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// A container's port may be reached on another machine, or at a bridge's address from within a
// container.
func TestCertificateNames(t *testing.T) {
	f := func(engine string, want ...string) {
		t.Helper()
		c, err := Options{TLS: true, host: engine}.withDefaults().config()
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(c.files["http.crt"])
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if err := certificate.VerifyHostname(name); err != nil {
				t.Errorf("engine at %q: %v", engine, err)
			}
		}
	}
	f("", "localhost", "127.0.0.1", "::1")
	f("localhost", "localhost")
	f("172.17.0.1", "172.17.0.1", "localhost")
	f("docker.example", "docker.example", "localhost")
	f("fd00::2", "fd00::2")
}
