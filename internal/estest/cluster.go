package estest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
)

// Cluster is a server as one test sees it. Its helpers end the test where the server refuses; what
// a test is about, it does through Client.
type Cluster struct {
	*Server
	// Client does not retry, so that a test sees what happens.
	Client *elasticsearch.Client

	t      testing.TB
	prefix string
}

// shared is the one server of a test process that has no ESTEST_URL: starting one takes longer than
// most tests. Nobody stops it; its guard does when the process ends.
var shared = sync.OnceValues(func() (*Server, error) {
	return Start(context.Background(), Options{Log: os.Stderr})
})

// For gives a test the server that the whole run shares, with index names of the test's own. It
// skips the test under -short and fails it, saying what to install, where no server can be had.
func For(t testing.TB) *Cluster {
	t.Helper()
	return on(t, shared)
}

// on gives a test a server that others use too.
func on(t testing.TB, server func() (*Server, error)) *Cluster {
	t.Helper()
	skipIfShort(t)
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, s)
	t.Cleanup(c.deleteEverything)
	return c
}

// Own gives a test a server of its own, ended with the test. Client has all privileges; see As for
// the Options' users.
func Own(t testing.TB, o Options) *Cluster {
	t.Helper()
	skipIfShort(t)
	o.own = true
	if o.Log == nil {
		o.Log = t.Output()
	}
	server, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop %s: %v", server.URL, err)
		}
	})
	return newCluster(t, server)
}

func skipIfShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Elasticsearch; -short is set")
	}
}

func newCluster(t testing.TB, server *Server) *Cluster {
	t.Helper()
	c := &Cluster{Server: server, t: t, prefix: prefixFor(t.Name())}
	c.Client = c.As(server.Username, server.Password)
	return c
}

// As gives a client that is the named user.
func (c *Cluster) As(username, password string) *elasticsearch.Client {
	c.t.Helper()
	return c.client(username, password, c.transport())
}

// Through gives a client whose requests go through a transport of the test's own, which may count,
// hold or spoil them.
func (c *Cluster) Through(transport http.RoundTripper) *elasticsearch.Client {
	c.t.Helper()
	return c.client(c.Username, c.Password, transport)
}

func (c *Cluster) client(username, password string,
	transport http.RoundTripper) *elasticsearch.Client {
	c.t.Helper()
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses:    []string{c.URL},
		Username:     username,
		Password:     password,
		DisableRetry: true,
		Transport:    transport,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// prefixFor makes the start of index names from a test's name: readable in a listing, and never the
// same twice.
func prefixFor(test string) string {
	readable := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, test)
	const longest = 60
	readable = strings.Trim(readable[:min(len(readable), longest)], "-")
	return readable + "-" + randomName(4)
}

func randomName(bytes int) string {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

// Prefix starts the name of everything that the test makes on the server, so that it is deleted
// after the test.
func (c *Cluster) Prefix() string { return c.prefix }

// Index is a name, or a pattern, under the test's prefix.
func (c *Cluster) Index(name string) string { return c.prefix + "-" + name }

// Do sends a request and gives the answer's body. The body may be nil, JSON as string or []byte, or
// a value to marshal.
func (c *Cluster) Do(method, path string, body any) json.RawMessage {
	c.t.Helper()
	content, err := encode(body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	answer, err := c.send(c.t.Context(), method, path, "application/json", content)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

func encode(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(body), nil
	case []byte:
		return body, nil
	case json.RawMessage:
		return body, nil
	default:
		return json.Marshal(body)
	}
}

func (c *Cluster) send(ctx context.Context, method, path, contentType string,
	body []byte) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, method, "/"+strings.TrimPrefix(path, "/"),
		bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.Client.Perform(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, &refusal{status: res.StatusCode, message: fmt.Sprintf("%s %s: %s: %s", method,
			path, res.Status, answer)}
	}
	return answer, nil
}

// refusal is the server's answer with a status that is no success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

// Create makes an index from the body of the create index API, such as {"mappings": …}; nil gives
// one without mapping.
func (c *Cluster) Create(index string, body any) {
	c.t.Helper()
	c.Do(http.MethodPut, index, body)
}

// PutTemplate makes an index template, whose name is put under the test's prefix.
func (c *Cluster) PutTemplate(name string, body any) {
	c.t.Helper()
	c.Do(http.MethodPut, "_index_template/"+c.Index(name), body)
}

// Delete removes an index, or a data stream with Do.
func (c *Cluster) Delete(index string) {
	c.t.Helper()
	c.Do(http.MethodDelete, index, nil)
}

// Refresh makes what was written searchable.
func (c *Cluster) Refresh(index string) {
	c.t.Helper()
	c.Do(http.MethodPost, index+"/_refresh", nil)
}

// Count gives the number of searchable documents in an index or a pattern.
func (c *Cluster) Count(index string) int {
	c.t.Helper()
	var answer struct{ Count int }
	c.decode(c.Do(http.MethodGet, index+"/_count", nil), &answer)
	return answer.Count
}

// Hit is a document as a search gives it.
type Hit struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// Hits gives the searchable documents of an index or a pattern, by _id; at most 10,000.
func (c *Cluster) Hits(index string) []Hit {
	c.t.Helper()
	var answer struct {
		Hits struct{ Hits []Hit }
	}
	c.decode(c.Do(http.MethodPost, index+"/_search", `{"size": 10000, "sort": ["_doc"]}`), &answer)
	return answer.Hits.Hits
}

func (c *Cluster) decode(answer json.RawMessage, into any) {
	c.t.Helper()
	if err := json.Unmarshal(answer, into); err != nil {
		c.t.Fatalf("%v in %s", err, answer)
	}
}
