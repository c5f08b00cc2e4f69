package elastic

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
)

// TestAProxyEchoesTheRequest: an error page that quotes our headers gives none of our credentials
// away. The server is the proxy itself, of which nothing but such a page is wanted.
func TestAProxyEchoesTheRequest(t *testing.T) {
	f := func(status int, header string, cfg Config, secrets ...string) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
			req *http.Request) {
			dump, _ := httputil.DumpRequest(req, true)
			if header != "" {
				w.Header().Set(header, "Elasticsearch")
			}
			w.WriteHeader(status)
			_, _ = w.Write(dump)
			_, _ = io.WriteString(w, strings.Join(secrets, " "))
		}))
		defer server.Close()
		cfg.Addresses = []string{server.URL}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := ask(t.Context(), c, http.MethodGet, "/x", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range secrets {
			if kept := strings.Contains(body, s); kept != (header != "") {
				t.Errorf("status %d, header %q: %q kept %v in\n%s", status, header, s, kept, body)
			}
		}
	}
	user := Config{Username: "job", Password: NewSecret("pa ss/word")}
	f(502, "", user, "pa ss/word", "pa+ss%2Fword", "am9iOnBhIHNzL3dvcmQ=")
	f(400, "", Config{APIKey: NewSecret("c2VjcmV0LWtleQ==")}, "c2VjcmV0LWtleQ==")
	// Elasticsearch's own errors are left as they are: the password may be a word of theirs.
	f(400, "X-Elastic-Product",
		Config{Username: "job", Password: NewSecret("index_not_found_exception")},
		"index_not_found_exception")
}
