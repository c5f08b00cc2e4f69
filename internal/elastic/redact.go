package elastic

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// redactor takes our own credentials out of what the other side says. A proxy that puts the request into its error page
// would otherwise see them into the log, and from there into the ledger.
type redactor []string

func newRedactor(cfg Config) redactor {
	var r redactor
	for _, s := range []Secret{cfg.APIKey, cfg.Password} {
		if text := s.Reveal(); text != "" {
			r = append(r, text, url.QueryEscape(text), url.PathEscape(text))
		}
	}
	if cfg.Password.IsSet() {
		r = append(r, base64.StdEncoding.EncodeToString([]byte(cfg.Username+":"+cfg.Password.Reveal())))
	}
	return r
}

// mostRedacted bounds what is kept of a refusal: more than any reader of it takes.
const mostRedacted = 8 << 20

// clean takes the credentials out of an answer that is no success (documents come in successes only), and leaves
// Elasticsearch's own alone: it does not quote credentials, and a password may be a word that its errors are told by.
func (r redactor) clean(res *http.Response) error {
	if len(r) == 0 || res.StatusCode < http.StatusMultipleChoices || res.Header.Get("X-Elastic-Product") != "" {
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

func (r redactor) text(s string) string {
	for _, text := range r {
		s = strings.ReplaceAll(s, text, "(secret)")
	}
	return s
}
