package elastic

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"esrule/internal/estest"
)

func TestSupported(t *testing.T) {
	f := func(s Server, want bool) {
		t.Helper()
		if got := s.supported(); got != want {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
	f(Server{7, "7.17.0"}, true)
	f(Server{7, "7.17.29"}, true)
	f(Server{7, "7.16.3"}, false)
	f(Server{7, ""}, true) // it may not be asked, and 7.14 to 7.16 answer alike
	f(Server{8, "8.0.1"}, true)
	f(Server{8, "8.19.13"}, true)
	f(Server{8, ""}, true)
	f(Server{9, "9.5.6-SNAPSHOT"}, true)
	f(Server{10, "10.0.0"}, false)
	f(Server{10, ""}, false)
}

// What answers without being a supported Elasticsearch is named. The texts are those of the
// servers.
func TestNameOf(t *testing.T) {
	f := func(header, text, want string) {
		t.Helper()
		h := http.Header{}
		if header != "" {
			h.Set("X-OpenSearch-Version", header)
		}
		if got := nameOf(h, []byte(text)); got != want {
			t.Errorf("%q %s: got %q, want %q", header, text, got, want)
		}
	}
	f("", `{"version": {"distribution": "opensearch", "number": "2.19.6"}, "tagline": "The OpenSearch Project: https://opensearch.org/"}`,
		"OpenSearch 2.19.6")
	f("OpenSearch/3.4.0 (opensearch)", `{"error": "no handler"}`, "OpenSearch 3.4.0")
	f("", `{"version": {"number": "7.10.2", "build_flavor": "oss"}, "tagline": "You Know, for Search"}`, "Elasticsearch 7.10.2")
	f("", `{"version": {"number": "1.0"}}`, "")
	f("", `<html>welcome</html>`, "")
	f("", ``, "")
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	server := estest.For(t)
	c, _ := clientFor(t, Config{Addresses: []string{server.URL}, Username: server.Username,
		Password: NewSecret(server.Password)})
	got, err := c.Connect(t.Context())
	major, minor, known := parseVersion(got.Version)
	if err != nil || !known || major != got.Major || major < 8 && minor < 17 {
		t.Errorf("got %+v and error %v, want the version and the same major version", got, err)
	}
}

// A server that says it is another, or older, is refused by its name.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	old := func(root string) string {
		return gateway(t, good, func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/" {
				_, _ = w.Write([]byte(root))
			} else {
				w.WriteHeader(http.StatusBadRequest)
			}
			return true
		}).URL
	}
	f := func(root, want string) {
		t.Helper()
		c, _ := clientFor(t, Config{Addresses: []string{old(root)}})
		_, err := c.Connect(t.Context())
		if _, ok := errors.AsType[*UnsupportedError](err); !ok ||
			!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), Supported) {
			t.Errorf("got %v, want %q and what is supported", err, want)
		}
	}
	f(`{"version": {"number": "6.8.23"}, "tagline": "You Know, for Search"}`,
		"Elasticsearch 6.8.23")
	f(`{"version": {"number": "2.19.6", "distribution": "opensearch"}}`, "OpenSearch 2.19.6")
	c, _ := clientFor(t, Config{Addresses: []string{old("welcome")}})
	if _, err := c.Connect(t.Context()); FailureOf(err) != Foreign ||
		!strings.Contains(err.Error(), "X-Elastic-Product") {
		t.Errorf("got %v, want something that is not Elasticsearch", err)
	}
}

// With security: a user who may not ask for the version is let in all the same, and where a gateway
// bars the question for our rights, nobody knows what may be read.
func TestRightsAreNotKnown(t *testing.T) {
	t.Parallel()
	server := estest.Own(t, estest.Options{
		Users: []estest.User{
			{Name: "job", Password: "correct-horse", Roles: []string{"job"}},
			{Name: "watcher", Password: "correct-horse", Roles: []string{"watcher"}},
		},
		Roles: map[string]string{
			"job":     `{"indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]}`,
			"watcher": `{"cluster": ["monitor"], "indices": [{"names": ["logs-*"], "privileges": ["read"]}]}`,
		},
	})
	as := func(user, url string) *Client {
		c, _ := clientFor(t, Config{Addresses: []string{url}, Username: user,
			Password: NewSecret("correct-horse")})
		return c
	}
	wanted := Wanted{Index: []WantedOnData{{Names: []string{"logs-*", "secret-*"},
		Privileges: []string{"read"}}}}
	f := func(user string, knowsVersion bool) {
		t.Helper()
		c := as(user, server.URL)
		got, err := c.Connect(t.Context())
		if err != nil || (got.Version != "") != knowsVersion || got.Major == 0 {
			t.Errorf("%s: got %+v and error %v, want the version known: %v", user, got, err,
				knowsVersion)
		}
		granted, err := Privileges(t.Context(), c.Once, wanted)
		if err != nil || !granted.Index("logs-*", "read") || granted.Index("secret-*", "read") {
			t.Errorf("%s: got %+v and error %v, want logs-* alone", user, granted, err)
		}
		for _, status := range []int{403, 404, 405} {
			c := as(user, barring(t, server.URL, status))
			if _, err := c.Connect(t.Context()); err != nil {
				t.Errorf("%s behind a %d: %v", user, status, err)
			}
			granted, err := Privileges(t.Context(), c.Once, wanted)
			if _, unknown := errors.AsType[*UnknownRightsError](err); !unknown ||
				granted.Index("logs-*", "read") {
				t.Errorf("%s behind a %d: got %+v and error %v, want that it is not known", user,
					status, granted, err)
			}
		}
	}
	f("job", false)
	f("watcher", true)
	c, _ := clientFor(t, Config{Addresses: []string{server.URL}, Username: "job",
		Password: NewSecret("wrong")})
	if _, err := c.Connect(t.Context()); FailureOf(err) != Unauthorized {
		t.Errorf("a wrong password: got %v, want %s", err, Unauthorized)
	}
}
