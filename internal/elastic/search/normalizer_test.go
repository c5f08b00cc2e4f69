package search_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
)

// normalizedIn is an index with a field k of each kind of normalizer: the server's own lowercase,
// one that is known to be the same, and one of which only the server knows what it does.
const normalizedIn = `{"settings": {"number_of_replicas": 0, "analysis": {"normalizer": {
		"same": {"type": "custom", "filter": ["lowercase"]}, "other": {"type": "custom", "filter": ["lowercase", "lowercase"]}}}},
	"mappings": {"properties": {"k": {"type": "keyword", "normalizer": "NAME"}}}}`

// forms are what the class of an index has of its normalizer, and why not, after texts were asked
// about.
func forms(t *testing.T, c *search.Cluster, index string,
	texts ...string) (map[string]string, []string) {
	t.Helper()
	classes, err := c.Mappings(t.Context(), []string{index}, []string{"k"})
	if err != nil || len(classes) != 1 {
		t.Fatalf("%s: %v, %d classes", index, err, len(classes))
	}
	classes, err = c.Normalize(t.Context(), classes, texts)
	if err != nil {
		t.Fatalf("%s: %v", index, err)
	}
	n := classes[0].Mapping.Fields["k"].Normalizer
	for _, text := range texts {
		if got, want := n.Constant(text), string(event.Lowercase(nil, []byte(text))); got != want &&
			len(classes[0].Mapping.Unknown) == 0 {
			t.Errorf("%s: %q: got %q, want %q", index, text, got, want)
		}
	}
	return n.Constants, classes[0].Mapping.Unknown
}

// normalizersByRole: a role that may read may not analyse, which is enough for lowercase.
func normalizersByRole(t *testing.T, server *estest.Cluster) {
	for _, name := range []string{"lowercase", "same", "other"} {
		server.Create(name, strings.Replace(normalizedIn, "NAME", name, 1))
	}
	f := func(user, index string, known bool) {
		t.Helper()
		c := search.NewCluster(server.As(user, user+"-password"), search.Options{Tries: 1})
		got, unknown := forms(t, c, index, "ABC", "", "É İ ΣΣ")
		if (len(got) == 3) != known || (len(unknown) == 0) != known {
			t.Errorf("%s of %s: got the forms %q, unknown %q, want known %v", user, index, got,
				unknown, known)
		}
		for _, reason := range unknown {
			if !strings.Contains(reason, "k: ") || !strings.Contains(reason, "unauthorized") {
				t.Errorf("%s of %s: got %q, want the field and the reason", user, index, reason)
			}
		}
	}
	f("viewer", "lowercase", true)
	f("viewer", "same", true)
	f("viewer", "other", false)
	f("asker", "lowercase", true)
	f("asker", "other", true)
}

// TestNormalizeAsksOnce: indices that define a normalizer alike are asked once, and about new texts
// only.
func TestNormalizeAsksOnce(t *testing.T) {
	server := estest.For(t)
	for _, name := range []string{"a", "b", "c"} {
		server.Create(server.Index(name), strings.Replace(normalizedIn, "NAME", "other", 1))
	}
	counted := &analyses{next: http.DefaultTransport}
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{server.URL}, Username: server.Username, Password: server.Password,
		Transport: counted,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := search.NewCluster(client, search.Options{})
	f := func(texts []string, want ...string) {
		t.Helper()
		counted.bodies = nil
		forms(t, c, server.Index("*"), texts...)
		if diff := cmp.Diff(want, counted.bodies); diff != "" {
			t.Errorf("%q: asked (-want +got):\n%s", texts, diff)
		}
	}
	f([]string{"A", "B"}, `{"normalizer":"other","text":["A","B"]}`)
	f([]string{"A", "B"})
	f([]string{"A", "C"}, `{"normalizer":"other","text":["C"]}`)
	f(nil)
}

// TestForbiddenNormalizerIsAskedOnce: where it may not be asked what a normalizer makes of texts,
// and it is known to lower case, it is asked once, whatever other texts come.
func TestForbiddenNormalizerIsAskedOnce(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("a"), strings.Replace(normalizedIn, "NAME", "same", 1))
	counted := &analyses{next: http.DefaultTransport, forbidden: true}
	c := search.NewCluster(server.Through(counted), search.Options{})
	for _, text := range []string{"A", "B", "C"} {
		got, unknown := forms(t, c, server.Index("*"), text)
		if got[text] != strings.ToLower(text) || len(unknown) > 0 {
			t.Errorf("%s: got %v and unknown %v, want it in lower case", text, got, unknown)
		}
	}
	if len(counted.bodies) != 1 {
		t.Errorf("asked %q, want one question", counted.bodies)
	}
}

// analyses keeps what is sent to _analyze.
type analyses struct {
	next      http.RoundTripper
	forbidden bool // to ask
	bodies    []string
}

func (a *analyses) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_analyze") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.bodies = append(a.bodies, string(body))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if a.forbidden {
			return &http.Response{StatusCode: http.StatusForbidden, Request: r,
				Header: http.Header{"Content-Type": {"application/json"},
					"X-Elastic-Product": {"Elasticsearch"}},
				Body: io.NopCloser(strings.NewReader(`{"error":{"type":"security_exception",` +
					`"reason":"action [indices:admin/analyze] is unauthorized"},"status":403}`))}, nil
		}
	}
	return a.next.RoundTrip(r)
}
