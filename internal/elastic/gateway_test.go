package elastic

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"esrule/internal/estest"
)

func TestCheckProxy(t *testing.T) {
	f := func(value string, good bool) {
		t.Helper()
		if got := CheckProxy(value); (got == "") != good {
			t.Errorf("%q: got %q, want it good: %v", value, got, good)
		}
	}
	f("", true)
	f("proxy:3128", true)
	f("http://user:p%40ss@proxy:3128", true)
	f("socks5://proxy", true)
	f("http://[bad", false)
	f("http://user:pa ss@[bad", false)
	f("ftp://proxy", false)
	f("http://:3128", false)
	f("http://proxy:port", false)
	f("[bad", false)
}

// A gateway that redirects is named with where it leads to, and not followed.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var followed bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		followed = true
	}))
	t.Cleanup(other.Close)
	f := func(status int, to, want string) {
		t.Helper()
		g := gateway(t, other.URL, func(w http.ResponseWriter, r *http.Request) bool {
			if to != "" {
				w.Header().Set("Location", to)
			}
			w.WriteHeader(status)
			return true
		})
		c, _ := clientFor(t, Config{Addresses: []string{g.URL}, Username: "job",
			Password: NewSecret("hunter2")})
		for what, ask := range map[string]func() error{
			"connect": func() error { _, err := c.Connect(t.Context()); return err },
			"search": func() error {
				_, err := Send(t.Context(), c.Requests,
					Request{Method: http.MethodPost, Path: "/_search"}, nil, 0)
				return err
			},
		} {
			err := ask()
			if redirect, ok := errors.AsType[*RedirectError](err); !ok || redirect.To != want ||
				redirect.Status != status {
				t.Errorf("%d to %q, %s: got %v, want a redirect to %q", status, to, what, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
		}
	}
	f(301, other.URL+"/es", other.URL+"/es")
	f(302, "https://login.example/?token=job:hunter2", "https://login.example/")
	f(307, "https://job:hunter2@es.example/", "https://es.example/")
	f(308, other.URL, other.URL)
	f(303, "", "")
	if followed {
		t.Error("a redirect was followed")
	}
}

// An answer that is packed unasked is read.
func TestPackedUnasked(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	packing := gateway(t, good, func(w http.ResponseWriter, r *http.Request) bool {
		answer, err := http.Post(good+r.URL.Path, "application/json", r.Body)
		if err != nil {
			t.Error(err)
			return true
		}
		defer answer.Body.Close()
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Encoding", r.Header.Get("X-Packing"))
		w.WriteHeader(answer.StatusCode)
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, answer.Body)
		_ = z.Close()
		return true
	})
	for _, packed := range []bool{false, true} {
		c, _ := clientFor(t, Config{Addresses: []string{packing.URL}, Compressed: packed})
		f := func(path, encoding string, status int, want string) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path,
				strings.NewReader(`{"size": 0}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Packing", encoding)
			res, err := c.Once.Transport.Perform(req)
			if err != nil {
				if want == "" || !strings.Contains(err.Error(), want) {
					t.Errorf("%s as %s: got %v, want %q", path, encoding, err, want)
				}
				return
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != status || !json.Valid(text) ||
				!strings.Contains(string(text), want) {
				t.Errorf("%s as %s: got status %d, error %v, %q, want status %d and %q",
					path, encoding, res.StatusCode, err, text, status, want)
			}
		}
		f(searchNothing, "gzip", 200, `"took"`)
		f("/test-no-such-index/_search", "gzip", 404, "index_not_found_exception")
		f(searchNothing, "br", 0, `packed as "br"`)
	}
}

// A proxy that wants credentials is named; with those of the environment it lets us through, which
// e2e TestProxyCredentials holds.
func TestProxyWantsCredentials(t *testing.T) {
	t.Parallel()
	g := gateway(t, "http://127.0.0.1:1", func(w http.ResponseWriter, r *http.Request) bool {
		dump, _ := httputil.DumpRequest(r, false)
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = w.Write(dump)
		return true
	})
	c, _ := clientFor(t, Config{Addresses: []string{g.URL}, APIKey: NewSecret("c2VjcmV0")})
	_, err := c.Connect(t.Context())
	if proxy, ok := errors.AsType[*ProxyError](err); !ok || proxy.Status != 407 ||
		!strings.Contains(err.Error(), "write its user and password into HTTP_PROXY") {
		t.Errorf("got %v, want a proxy that asks for credentials", err)
	}
	if FailureOf(err) != Barred {
		t.Errorf("got kind %q, want %q", FailureOf(err), Barred)
	}
}

// barring is a gateway that bars all paths below /_security/ with a status.
func barring(t *testing.T, to string, status int) string {
	return gateway(t, to, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/_security/") {
			w.WriteHeader(status)
			return true
		}
		return false
	}).URL
}

// Where a gateway bars the question for our rights, a cluster without security is known by its
// settings, so that all may be read. (With security nobody knows: TestRightsAreNotKnown.)
func TestSecurityIsBarred(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	wanted := Wanted{Index: []WantedOnData{{Names: []string{"a-*"}, Privileges: []string{"read"}}}}
	for _, status := range []int{403, 404, 405, 301} {
		c, log := clientFor(t,
			Config{Addresses: []string{barring(t, good, status), barring(t, good, status)}})
		if _, err := c.Connect(t.Context()); err != nil {
			t.Errorf("%d: connect: %v", status, err)
		}
		granted, err := Privileges(t.Context(), c.Once, wanted)
		if err != nil || !granted.Index("a-*", "read") {
			t.Errorf("%d: got %v and error %v, want all", status, granted, err)
		}
		if status >= 400 && log.String() != "" {
			t.Errorf("%d: the address is well, and was logged:\n%s", status, log)
		}
	}
}
