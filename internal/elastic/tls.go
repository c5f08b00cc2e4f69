package elastic

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
)

// tlsConfig says whom to trust. The client has a CertificateFingerprint of its own, which is not
// used: it accepts a connection as soon as any certificate that the server sent has the digest,
// without asking whether that certificate signed the server's. Since an authority's certificate is
// public, anybody could send it along. (It also dials without a timeout.)
func tlsConfig(cfg Config) *tls.Config {
	if cfg.Fingerprint == nil {
		return &tls.Config{RootCAs: cfg.CA}
	}
	return &tls.Config{
		InsecureSkipVerify: true, // VerifyConnection takes its place
		VerifyConnection: func(state tls.ConnectionState) error {
			return verifyFingerprint(state.PeerCertificates, state.ServerName, cfg.Fingerprint)
		},
	}
}

// ReadAuthorities returns the certificates that a file holds.
func ReadAuthorities(path string) (*x509.CertPool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, errors.New("holds no certificate; want PEM, which begins -----BEGIN " +
			"CERTIFICATE-----")
	}
	return pool, nil
}

// verifyFingerprint accepts the server whose own certificate has the fingerprint, whatever its
// names and dates; and a server whose certificate is valid under an authority with the fingerprint,
// which has to be among those that it sent, as Elasticsearch sends its own.
func verifyFingerprint(chain []*x509.Certificate, host string, fingerprint []byte) error {
	i := slices.IndexFunc(chain, func(cert *x509.Certificate) bool {
		digest := sha256.Sum256(cert.Raw)
		return bytes.Equal(digest[:], fingerprint)
	})
	if i < 0 {
		return fingerprintError{chain}
	}
	if i == 0 {
		return nil
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[i])
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots,
		Intermediates: between})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
	}
	return nil
}

// fingerprintError says that no certificate of the server has the fingerprint. It carries those
// that it does have, for the user to compare with what the cluster's operator says.
type fingerprintError struct{ chain []*x509.Certificate }

func (e fingerprintError) Error() string {
	var has bytes.Buffer
	for i, cert := range e.chain {
		if i > 0 {
			has.WriteString(" and ")
		}
		fmt.Fprintf(&has, "%x (%s)", sha256.Sum256(cert.Raw), cert.Subject)
	}
	return "no certificate of the server has the fingerprint; it has " + has.String()
}

// isRefusal says whether the two sides disagree on TLS, which trying again does not change.
func isRefusal(err error) bool { return tlsAdvice(err) != "" }

// tlsAdvice says what a user can do about a failed TLS handshake; it is empty for other errors.
func tlsAdvice(err error) string {
	if _, ok := errors.AsType[fingerprintError](err); ok {
		return "if the certificate was replaced, ask the cluster's operator for the new " +
			"fingerprint " +
			"and set ESRULE_ELASTICSEARCH_CERT_FINGERPRINT; otherwise this is not your cluster"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "use an address whose host the certificate names"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "set ESRULE_ELASTICSEARCH_CA_FILE to the authority's certificate " +
			"(Elasticsearch makes config/certs/http_ca.crt), " +
			"or ESRULE_ELASTICSEARCH_CERT_FINGERPRINT to its SHA-256"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the cluster needs a valid certificate"
	}
	// A TLS alert has no type of its own.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return "the server refused the handshake; if it asks for a client certificate, that is " +
			"not supported"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS; if that is meant, write the address as http://"
	}
	return ""
}
