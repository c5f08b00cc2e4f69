package estest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// authority signs certificates: an operator's own, as every secured cluster has one.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority() (*authority, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "estest authority " + randomName(4)}, IsCA: true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	key, der, err := sign(template, nil)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key, pemOf("CERTIFICATE", der)}, err
}

// sign makes a key and its certificate; without an authority it signs itself.
func sign(template *x509.Certificate, by *authority) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	const validFor = 24 * time.Hour
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(validFor)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	return key, der, err
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// addTLS adds a certificate for the addresses by which tests reach a node: this machine's, and host
// where a Docker engine elsewhere runs the node. It is sent with its authority's, as
// Elasticsearch's own set-up does.
func (c *config) addTLS(host string) error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "estest node"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	} else if host != "" {
		template.DNSNames = append(template.DNSNames, host)
	}
	key, der, err := sign(template, ca)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	c.files["http.key"] = pemOf("PRIVATE KEY", pkcs8)
	c.files["http.crt"] = append(pemOf("CERTIFICATE", der), ca.pem...)
	c.settings["xpack.security.http.ssl.enabled"] = true
	c.settings["xpack.security.http.ssl.key"] = "http.key"
	c.settings["xpack.security.http.ssl.certificate"] = "http.crt"
	c.authority = ca.pem
	return nil
}

// httpTransport trusts the server's authority where it has one of its own.
func (s *Server) httpTransport() http.RoundTripper {
	if s.Authority == nil {
		return http.DefaultTransport
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.Authority)
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		IdleConnTimeout: time.Minute}
}
