package config

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeFile returns the path of a new file.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// seen is what matters of an elastic.Config, secrets revealed.
type seen struct {
	Addresses                  []string
	APIKey, Username, Password string
}

func TestClusterConfig(t *testing.T) {
	f := func(want seen, pairs ...string) {
		t.Helper()
		cfg, err := readConfig(t, pairs...)
		if err != nil {
			t.Errorf("%q: %v", pairs, err)
			return
		}
		c := cfg.Cluster
		got := seen{c.Addresses, c.APIKey.Reveal(), c.Username, c.Password.Reveal()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", pairs, diff)
		}
	}
	local := []string{"https://localhost:9200"}
	f(seen{Addresses: local}, "ESRULE_ELASTICSEARCH_URL=https://localhost:9200/")
	f(seen{Addresses: []string{"http://a:9200", "http://[::1]:9201/es"}},
		"ESRULE_ELASTICSEARCH_URL=http://a:9200, http://[::1]:9201/es/")
	f(seen{Addresses: local, Username: "elastic", Password: "a b:c@d"},
		"ESRULE_ELASTICSEARCH_URL=https://elastic:a%20b%3Ac%40d@localhost:9200")
	f(seen{Addresses: []string{"https://a", "https://b"}, Username: "u", Password: "p"},
		"ESRULE_ELASTICSEARCH_URL=https://u:p@a,https://u:p@b")
	f(seen{Addresses: []string{"https://es-uuid.example.com"}},
		"ESRULE_ELASTICSEARCH_CLOUD_ID=name:ZXhhbXBsZS5jb20kZXMtdXVpZCRraWJhbmE=")

	f(seen{Addresses: local, APIKey: "aWQ6a2V5"}, "ESRULE_ELASTICSEARCH_URL=https://localhost:9200",
		"ESRULE_ELASTICSEARCH_API_KEY=aWQ6a2V5")
	f(seen{APIKey: "aWQ6a2V5"}, "ESRULE_ELASTICSEARCH_API_KEY_FILE="+
		writeFile(t, "key", "aWQ6a2V5\n"))
	f(seen{Username: "u", Password: " p "}, "ESRULE_ELASTICSEARCH_USERNAME=u",
		"ESRULE_ELASTICSEARCH_PASSWORD= p ")
	f(seen{Username: "u", Password: "p "}, "ESRULE_ELASTICSEARCH_USERNAME=u",
		"ESRULE_ELASTICSEARCH_PASSWORD_FILE="+writeFile(t, "password", "p \r\n"))
}

func TestClusterConfigProblems(t *testing.T) {
	f := func(want string, pairs ...string) {
		t.Helper()
		t.Run(strings.Join(pairs, " "), func(t *testing.T) {
			_, err := readConfig(t, pairs...)
			checkProblems(t, err, want)
			for _, secret := range []string{"pw1", "pw2", "aWQ6a2V5"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the secret %q is in the message %q", secret, err)
				}
			}
		})
	}
	// Addresses. Where the text holds an @, the password may be anywhere in it, so none of it is
	// shown.
	const example = "want http:// or https:// before the host, such as https://localhost:9200"
	f(`ESRULE_ELASTICSEARCH_URL="localhost:9200": `+example,
		"ESRULE_ELASTICSEARCH_URL=localhost:9200")
	f(`ESRULE_ELASTICSEARCH_URL="127.0.0.1:9200": `+example,
		"ESRULE_ELASTICSEARCH_URL=127.0.0.1:9200")
	f(`ESRULE_ELASTICSEARCH_URL="ftp://localhost": want http:// or https://`,
		"ESRULE_ELASTICSEARCH_URL=ftp://localhost")
	f(`ESRULE_ELASTICSEARCH_URL="https://:9200": has no host; want an address such as https://localhost:9200`, "ESRULE_ELASTICSEARCH_URL=https://:9200")
	f(`ESRULE_ELASTICSEARCH_URL="https://localhost:port": not an address such as https://localhost:9200; in a user or password write special characters as %XX`,
		"ESRULE_ELASTICSEARCH_URL=https://localhost:port")
	f(`ESRULE_ELASTICSEARCH_URL="https://localhost:9200?x=1": holds ? or #; want only host, port and path, and in a user or password write them as %3F and %23`,
		"ESRULE_ELASTICSEARCH_URL=https://localhost:9200?x=1")
	f(`ESRULE_ELASTICSEARCH_URL (value not shown): not an address such as https://localhost:9200; in a user or password write special characters as %XX`,
		"ESRULE_ELASTICSEARCH_URL=https://elastic:pw1/pw2@localhost:9200")
	f(`ESRULE_ELASTICSEARCH_URL (value not shown): holds ? or #; want only host, port and path, and in a user or password write them as %3F and %23`,
		"ESRULE_ELASTICSEARCH_URL=https://elastic:12#pw2@localhost:9200")
	f(`ESRULE_ELASTICSEARCH_URL (value not shown): holds / before @; in a user or password write it as %2F`,
		"ESRULE_ELASTICSEARCH_URL=https://elastic:12/pw2@localhost:9200")
	f(`ESRULE_ELASTICSEARCH_URL (value not shown): `+example,
		"ESRULE_ELASTICSEARCH_URL=elastic:pw1@localhost:9200")
	f(`ESRULE_ELASTICSEARCH_URL (value not shown): the addresses are nodes of one cluster, so all hold the same user and password, or none does`,
		"ESRULE_ELASTICSEARCH_URL=https://u:pw1@a,https://b")
	f(`ESRULE_ELASTICSEARCH_URL (value not shown): holds a user without a password or a password without a user; want https://user:password@host`,
		"ESRULE_ELASTICSEARCH_URL=https://pw1@localhost")
	const cloud = `not a Cloud ID; copy it from the deployment's page, as "name:" and one long word`
	f(`ESRULE_ELASTICSEARCH_CLOUD_ID="deployment": `+cloud,
		"ESRULE_ELASTICSEARCH_CLOUD_ID=deployment")
	f(`ESRULE_ELASTICSEARCH_CLOUD_ID="name:JCQ=": `+cloud,
		"ESRULE_ELASTICSEARCH_CLOUD_ID=name:JCQ=")
	f(`ESRULE_ELASTICSEARCH_CLOUD_ID="name:ZXhhbXBsZS5jb20kZXMtdXVpZCRraWJhbmE=": ESRULE_ELASTICSEARCH_URL is set too; keep one of the two`,
		"ESRULE_ELASTICSEARCH_CLOUD_ID=name:ZXhhbXBsZS5jb20kZXMtdXVpZCRraWJhbmE=",
		"ESRULE_ELASTICSEARCH_URL=https://localhost:9200")

	// Credentials.
	const twice = `ESRULE_ELASTICSEARCH_URL (value not shown): holds a user, and an API key, a user or a password is set besides; keep one of them`
	f(twice, "ESRULE_ELASTICSEARCH_URL=https://u:pw1@a", "ESRULE_ELASTICSEARCH_API_KEY=aWQ6a2V5")
	f(twice, "ESRULE_ELASTICSEARCH_URL=https://u:pw1@a", "ESRULE_ELASTICSEARCH_USERNAME=u",
		"ESRULE_ELASTICSEARCH_PASSWORD=pw2")
	f(`ESRULE_ELASTICSEARCH_API_KEY (value not shown): a user or a password is set too; keep one of the two`,
		"ESRULE_ELASTICSEARCH_API_KEY=aWQ6a2V5", "ESRULE_ELASTICSEARCH_USERNAME=u",
		"ESRULE_ELASTICSEARCH_PASSWORD=pw1")
	f(`ESRULE_ELASTICSEARCH_API_KEY (value not shown): want the value that Elasticsearch calls "encoded"; this looks like id:key`,
		"ESRULE_ELASTICSEARCH_API_KEY=id:pw1")
	f(`ESRULE_ELASTICSEARCH_USERNAME="u": has no password; set ESRULE_ELASTICSEARCH_PASSWORD or ESRULE_ELASTICSEARCH_PASSWORD_FILE`, "ESRULE_ELASTICSEARCH_USERNAME=u")
	f(`ESRULE_ELASTICSEARCH_PASSWORD (value not shown): has no user; set ESRULE_ELASTICSEARCH_USERNAME`, "ESRULE_ELASTICSEARCH_PASSWORD=pw1")
	f(`ESRULE_ELASTICSEARCH_USERNAME="u:v": user names hold no colon`,
		"ESRULE_ELASTICSEARCH_USERNAME=u:v", "ESRULE_ELASTICSEARCH_PASSWORD=pw1")

	// Secrets from files.
	missing := filepath.Join(t.TempDir(), "none")
	key := writeFile(t, "key", "aWQ6a2V5")
	f(`ESRULE_ELASTICSEARCH_API_KEY_FILE="`+missing+
		`": cannot read the file: no such file or directory`, "ESRULE_ELASTICSEARCH_API_KEY_FILE="+
		missing)
	f(`ESRULE_ELASTICSEARCH_API_KEY_FILE="`+key+
		`": ESRULE_ELASTICSEARCH_API_KEY is set too; keep one of the two`,
		"ESRULE_ELASTICSEARCH_API_KEY_FILE="+key, "ESRULE_ELASTICSEARCH_API_KEY=aWQ6a2V5")
	empty := writeFile(t, "empty", "\n")
	f(`ESRULE_ELASTICSEARCH_API_KEY_FILE="`+empty+`": the file is empty`,
		"ESRULE_ELASTICSEARCH_API_KEY_FILE="+empty)
	f(`ESRULE_ELASTICSEARCH_API_KEY_FILE (value not shown): holds a line break or another control character`,
		"ESRULE_ELASTICSEARCH_API_KEY_FILE="+writeFile(t, "lines", "pw1\npw2\n"))

	// Trust.
	f(`ESRULE_ELASTICSEARCH_CA_FILE="`+missing+`": cannot read the file: no such file or directory`,
		"ESRULE_ELASTICSEARCH_CA_FILE="+missing)
	f(`ESRULE_ELASTICSEARCH_CA_FILE="`+key+
		`": holds no certificate; want PEM, which begins -----BEGIN CERTIFICATE-----`,
		"ESRULE_ELASTICSEARCH_CA_FILE="+key)
	f(`ESRULE_ELASTICSEARCH_CERT_FINGERPRINT="ab:cd": want the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons`,
		"ESRULE_ELASTICSEARCH_CERT_FINGERPRINT=ab:cd")
	digest := strings.Repeat("ab", 32)
	f(`ESRULE_ELASTICSEARCH_CERT_FINGERPRINT="`+digest+
		`": has no effect on http://localhost:9200; write it as https://`,
		"ESRULE_ELASTICSEARCH_CERT_FINGERPRINT="+digest,
		"ESRULE_ELASTICSEARCH_URL=http://localhost:9200")
	ca := writeFile(t, "ca.pem", certificate(t))
	f(`ESRULE_ELASTICSEARCH_CA_FILE="`+ca+
		`": ESRULE_ELASTICSEARCH_CERT_FINGERPRINT is set too; keep one of the two`,
		"ESRULE_ELASTICSEARCH_CERT_FINGERPRINT="+digest, "ESRULE_ELASTICSEARCH_CA_FILE="+ca)
}

func TestFingerprintForms(t *testing.T) {
	want := bytes.Repeat([]byte{0xAB, 0x01}, 16)
	f := func(text string) {
		t.Helper()
		cfg, err := readConfig(t, "ESRULE_ELASTICSEARCH_CERT_FINGERPRINT="+text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if !bytes.Equal(cfg.Cluster.Fingerprint, want) {
			t.Errorf("%q: got %x, want %x", text, cfg.Cluster.Fingerprint, want)
		}
	}
	f(hex.EncodeToString(want))
	f(strings.ToUpper(hex.EncodeToString(want)))
	f(strings.TrimSuffix(strings.Repeat("AB:01:", 16), ":"))
}

// certificate returns the certificate of a server as PEM.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: server.Certificate().Raw}))
}
