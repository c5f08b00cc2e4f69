package config

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/elastic"
)

// parse judges the variables that say how to reach the cluster.
func (env elasticsearchEnvironment) parse(p *problems) elastic.Config {
	var c elastic.Config
	addresses, user := p.addresses("ELASTICSEARCH_URL", env.URL)
	c.Addresses = addresses
	if env.CloudID != "" {
		if env.URL != "" {
			p.bad("ELASTICSEARCH_CLOUD_ID", env.CloudID,
				"ESRULE_ELASTICSEARCH_URL is set too; keep one of the two")
		}
		c.Addresses = append(c.Addresses, p.cloudAddress("ELASTICSEARCH_CLOUD_ID", env.CloudID)...)
		c.Compressed = true // traffic out of a cloud is paid for
	}
	c.APIKey = p.secret("ELASTICSEARCH_API_KEY", env.APIKey, env.APIKeyFile)
	c.Username = string(env.Username)
	c.Password = p.secret("ELASTICSEARCH_PASSWORD", env.Password, env.PasswordFile)
	p.checkCredentials(c, user)
	if user != nil {
		c.Username = user.Username()
		password, _ := user.Password()
		c.Password = elastic.NewSecret(password)
	}
	c.CA = p.authorities("ELASTICSEARCH_CA_FILE", env.CAFile)
	c.Fingerprint = p.fingerprint("ELASTICSEARCH_CERT_FINGERPRINT", env.CertFingerprint)
	p.checkTrust(env, c)
	c.APIKeyFile, c.PasswordFile, c.CAFile = string(env.APIKeyFile), string(env.PasswordFile),
		string(env.CAFile)
	return c
}

// addresses reads the list of addresses and takes the credentials out of it. They must be the same
// in all addresses, which are nodes of one cluster.
func (p *problems) addresses(name string, text setting) ([]string, *url.Userinfo) {
	var addresses []string
	var users []string
	var user *url.Userinfo
	// An address that cannot be read may hold its password anywhere, so no part of it is shown.
	mayHoldSecret := strings.Contains(string(text), "@")
	for _, item := range splitList(text) {
		u, want := parseAddress(item)
		switch {
		case want != "" && mayHoldSecret:
			p.badHidden(name, want)
			continue
		case want != "":
			p.bad(name, item, want)
			continue
		}
		if user = u.User; user != nil {
			users = append(users, user.String())
		} else {
			users = append(users, "")
		}
		u.User = nil
		addresses = append(addresses, strings.TrimRight(u.String(), "/"))
	}
	if len(slices.Compact(users)) > 1 {
		p.badHidden(name, "the addresses are nodes of one cluster, so all hold the same user and "+
			"password, or none does")
	}
	return addresses, user
}

// parseAddress reads one address, or says what an address has to be.
func parseAddress(text string) (_ *url.URL, want string) {
	if !strings.Contains(text, "://") {
		return nil, "want http:// or https:// before the host, such as https://localhost:9200"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		// The error quotes the address, so it is not shown.
		return nil, "not an address such as https://localhost:9200; in a user or password write " +
			"special characters as %XX"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "want http:// or https://"
	case u.Hostname() == "":
		return nil, "has no host; want an address such as https://localhost:9200"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, "holds ? or #; want only host, port and path, and in a user or password " +
			"write them as %3F and %23"
	case strings.Contains(u.Path, "@"):
		return nil, "holds / before @; in a user or password write it as %2F"
	}
	return u, ""
}

// cloudAddress returns the address that a Cloud ID stands for, as the client reads it.
func (p *problems) cloudAddress(name string, text setting) []string {
	client, err := elasticsearch.NewBaseClient(elasticsearch.Config{CloudID: string(text)})
	if err == nil {
		if transport, ok := client.Transport.(interface{ URLs() []*url.URL }); ok {
			if u := transport.URLs()[0]; !strings.HasPrefix(u.Host, ".") &&
				!strings.HasSuffix(u.Host, ".") {
				return []string{u.String()}
			}
		}
	}
	p.bad(name, text, `not a Cloud ID; copy it from the deployment's page, as "name:" and one long word`)
	return nil
}

// secret returns a secret from its variable or from the file that the variable with _FILE names.
func (p *problems) secret(name, text string, file setting) elastic.Secret {
	if file == "" {
		if !elastic.HeaderSafe(text) {
			p.badHidden(name, elastic.ErrControl.Error())
		}
		return elastic.NewSecret(text)
	}
	if text != "" {
		p.bad(name+"_FILE", file, Prefix+"_"+name+" is set too; keep one of the two")
		return elastic.Secret{}
	}
	found, err := elastic.ReadSecretFile(string(file))
	if errors.Is(err, elastic.ErrControl) {
		p.badHidden(name+"_FILE", err.Error())
	} else if err != nil {
		p.bad(name+"_FILE", file, err.Error())
	}
	return found
}

// checkCredentials refuses credentials that are incomplete or given twice: the client would choose
// one without a word.
func (p *problems) checkCredentials(c elastic.Config, user *url.Userinfo) {
	const url, key, name, password = "ELASTICSEARCH_URL", "ELASTICSEARCH_API_KEY",
		"ELASTICSEARCH_USERNAME", "ELASTICSEARCH_PASSWORD"
	if user != nil {
		if c.APIKey.IsSet() || c.Username != "" || c.Password.IsSet() {
			p.badHidden(url, "holds a user, and an API key, a user or a password is set besides; "+
				"keep one of them")
		}
		if text, ok := user.Password(); !ok || text == "" || user.Username() == "" {
			p.badHidden(url, "holds a user without a password or a password without a user; want "+
				"https://user:password@host")
		}
		return
	}
	if c.APIKey.IsSet() {
		if c.Username != "" || c.Password.IsSet() {
			p.badHidden(key, "a user or a password is set too; keep one of the two")
		}
		if strings.Contains(c.APIKey.Reveal(), ":") {
			p.badHidden(key,
				`want the value that Elasticsearch calls "encoded"; this looks like id:key`)
		}
		return
	}
	if c.Username != "" && !c.Password.IsSet() {
		p.bad(name, c.Username, "has no password; set ESRULE_ELASTICSEARCH_PASSWORD or "+
			"ESRULE_ELASTICSEARCH_PASSWORD_FILE")
	}
	if c.Username == "" && c.Password.IsSet() {
		p.badHidden(password, "has no user; set ESRULE_ELASTICSEARCH_USERNAME")
	}
	if strings.Contains(c.Username, ":") {
		p.bad(name, c.Username, "user names hold no colon")
	}
}

// authorities reads the certificates that may sign the cluster's.
func (p *problems) authorities(name string, file setting) *x509.CertPool {
	if file == "" {
		return nil
	}
	pool, err := elastic.ReadAuthorities(string(file))
	if err != nil {
		p.bad(name, file, err.Error())
	}
	return pool
}

func (p *problems) fingerprint(name string, text setting) []byte {
	if text == "" {
		return nil
	}
	digest, err := hex.DecodeString(strings.ReplaceAll(string(text), ":", ""))
	if err != nil || len(digest) != sha256.Size {
		p.bad(name, text, "want the SHA-256 of a certificate: 64 hexadecimal digits, with or "+
			"without colons")
	}
	return digest
}

// checkTrust refuses a certificate to trust that would not be used, or not for every address.
func (p *problems) checkTrust(env elasticsearchEnvironment, c elastic.Config) {
	given := named{"ELASTICSEARCH_CA_FILE", string(env.CAFile)}
	if env.CertFingerprint != "" {
		if env.CAFile != "" {
			p.bad(given.name, given.value, "ESRULE_ELASTICSEARCH_CERT_FINGERPRINT is set too; "+
				"keep one of the two")
		}
		given = named{"ELASTICSEARCH_CERT_FINGERPRINT", string(env.CertFingerprint)}
	}
	if given.value == "" {
		return
	}
	for _, address := range c.Addresses {
		if strings.HasPrefix(address, "http://") {
			p.bad(given.name, given.value, "has no effect on "+address+"; write it as https://")
		}
	}
}
