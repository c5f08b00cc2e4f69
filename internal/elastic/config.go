package elastic

import (
	"crypto/x509"
	"fmt"
	"log/slog"
)

// Config is how to reach the cluster. It holds no credential outside of a Secret: those that
// came inside an address are taken out of it.
type Config struct {
	Addresses   []string
	APIKey      Secret
	Username    string
	Password    Secret
	CA          *x509.CertPool // nil means the system's authorities
	Fingerprint []byte         // SHA-256 of a certificate to trust; nil means none
	Compressed  bool           // answers travel packed

	// Where the key, the password and the authorities came from, to be read again when they were
	// rotated; empty where they came from the environment.
	APIKeyFile, PasswordFile, CAFile string

	UserAgent string       // names the program in the cluster's audit log
	Log       *slog.Logger // is told of addresses that fail and of files that are read again
	Watch     func(Report) // is told what each request says of the way to the cluster; may be nil
}

// LogValue shows how the cluster is reached, without the secrets.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("addresses", c.Addresses),
		slog.Any("api_key", c.APIKey),
		slog.String("username", c.Username),
		slog.Any("password", c.Password),
		slog.Bool("ca_file", c.CA != nil),
		slog.String("cert_fingerprint", fmt.Sprintf("%x", c.Fingerprint)),
	)
}
