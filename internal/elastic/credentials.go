package elastic

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
)

// credentials are how the cluster is told who we are. They are read again from their file when the
// cluster refuses them, since whoever rotates them replaces the file.
type credentials struct {
	cfg    Config
	always redactor // the proxies' passwords

	mu            sync.Mutex
	authorization string // the header's value; empty is none
	redactor      redactor
}

func newCredentials(cfg Config) *credentials {
	c := &credentials{cfg: cfg, always: proxySecrets(cfg.Addresses)}
	c.take(cfg.APIKey, cfg.Password)
	return c
}

func (c *credentials) take(apiKey, password Secret) {
	switch {
	case apiKey.IsSet():
		c.authorization = "ApiKey " + apiKey.Reveal()
	case c.cfg.Username != "":
		c.authorization = "Basic " + basic(c.cfg.Username, password.Reveal())
	}
	c.redactor = append(newRedactor(c.cfg.Username, apiKey, password), c.always...)
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// authorize adds the credentials to a request.
func (c *credentials) authorize(req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.authorization != "" {
		req.Header.Set("Authorization", c.authorization)
	}
}

// renew reads the file of the credentials again. It reports whether they are others now than those
// that were refused; another request may have read them meanwhile.
func (c *credentials) renew(refused string) (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.authorization != refused {
		return true, nil
	}
	apiKey, password := c.cfg.APIKey, c.cfg.Password
	switch {
	case c.cfg.APIKeyFile != "":
		apiKey, err = ReadSecretFile(c.cfg.APIKeyFile)
	case c.cfg.PasswordFile != "":
		password, err = ReadSecretFile(c.cfg.PasswordFile)
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c.take(apiKey, password)
	return c.authorization != refused, nil
}

// current is what requests carry now.
func (c *credentials) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.authorization
}

// ReadSecretFile returns the password or key that a file holds.
func ReadSecretFile(path string) (Secret, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, fileError(err)
	}
	text := strings.TrimRight(string(content), "\r\n")
	switch {
	case text == "":
		return Secret{}, errors.New("the file is empty")
	case !HeaderSafe(text):
		return Secret{}, ErrControl
	}
	return NewSecret(text), nil
}

// ErrControl is a secret that no HTTP header can carry.
var ErrControl = errors.New("holds a line break or another control character")

// HeaderSafe reports whether an HTTP header can carry a text. What it cannot carry is most often a
// file of the wrong kind.
func HeaderSafe(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// fileError says why a file could not be read, without its name, which the message has already.
func fileError(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("cannot read the file: %w", err)
}

// redactor takes our own credentials out of what the other side says. A proxy that puts the request
// into its error page would otherwise see them into the log, and from there into the ledger.
type redactor []string

func newRedactor(user string, secrets ...Secret) redactor {
	var r redactor
	for _, s := range secrets {
		if text := s.Reveal(); text != "" {
			r = append(r, text, url.QueryEscape(text), url.PathEscape(text), basic(user, text))
		}
	}
	return r
}

// proxySecrets are the passwords of the proxies between us and the addresses.
func proxySecrets(addresses []string) redactor {
	var r redactor
	for _, text := range addresses {
		base, err := url.Parse(text)
		if err != nil {
			continue
		}
		proxy, err := http.ProxyFromEnvironment(&http.Request{URL: base})
		if err != nil || proxy == nil || proxy.User == nil {
			continue
		}
		password, _ := proxy.User.Password()
		r = append(r, newRedactor(proxy.User.Username(), NewSecret(password))...)
	}
	return r
}

// mostRedacted bounds what is kept of a refusal: more than any reader of it takes.
const mostRedacted = 8 << 20

// clean takes the credentials out of an answer that is no success (documents come in successes
// only), and leaves Elasticsearch's own alone: it does not quote credentials, and a password may be
// a word that its errors are told by.
func (c *credentials) clean(res *http.Response) error {
	c.mu.Lock()
	r := c.redactor
	c.mu.Unlock()
	if len(r) == 0 || res.StatusCode < http.StatusMultipleChoices || isElasticsearch(res) {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, mostRedacted))
	res.Body.Close()
	if err != nil {
		return err
	}
	for _, text := range r {
		body = bytes.ReplaceAll(body, []byte(text), []byte("(secret)"))
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	for _, values := range res.Header {
		for i := range values {
			values[i] = r.text(values[i])
		}
	}
	return nil
}

func (c *credentials) redact(s string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.redactor.text(s)
}

func (r redactor) text(s string) string {
	for _, text := range r {
		s = strings.ReplaceAll(s, text, "(secret)")
	}
	return s
}
