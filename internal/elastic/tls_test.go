package elastic

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newCertificate(t *testing.T, name string, parent *authority) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  parent == nil,
		BasicConstraintsValid: true,
	}
	signer := &authority{template, key}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey,
		signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func TestVerifyFingerprint(t *testing.T) {
	ours, theirs := newCertificate(t, "our authority", nil),
		newCertificate(t, "their authority", nil)
	server, impostor := newCertificate(t, "es.example", ours),
		newCertificate(t, "es.example", theirs)

	f := func(pinned *authority, host, want string, sent ...*authority) {
		t.Helper()
		var chain []*x509.Certificate
		for _, a := range sent {
			chain = append(chain, a.cert)
		}
		digest := sha256.Sum256(pinned.cert.Raw)
		err := verifyFingerprint(chain, host, digest[:])
		switch {
		case err == nil && want != "":
			t.Errorf("%s: accepted, want an error with %q", host, want)
		case err != nil && want == "":
			t.Errorf("%s: %v", host, err)
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%s: got %q, want in it %q", host, err, want)
		}
	}
	f(server, "es.example", "", server)
	f(server, "10.0.0.7", "", server, ours) // its own certificate, whatever the name
	f(ours, "es.example", "", server, ours)
	f(ours, "other.example", "not other.example", server, ours)
	f(ours, "es.example", "no certificate of the server has the fingerprint", server)
	f(ours, "es.example", "no certificate of the server has the fingerprint", impostor, theirs)
	// Our authority's certificate is public: sending it along proves nothing.
	f(ours, "es.example", "signed by unknown authority", impostor, ours)
	f(ours, "es.example", "signed by unknown authority", impostor, theirs, ours)
}
