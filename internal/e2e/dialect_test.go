package e2e

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

	"esrule/internal/elastic"
	"esrule/internal/estest"
)

// dialectHolds: what the table says of a server that names its version is what the server does.
// Each question reports whether the server can do it.
func dialectHolds(t *testing.T, c *estest.Cluster, ask map[elastic.Capability]func() bool) {
	t.Helper()
	cfg := elastic.Config{Addresses: []string{c.URL}, Username: c.Username,
		Password: elastic.NewSecret(c.Password)}
	if c.Authority != nil {
		cfg.CA = x509.NewCertPool()
		cfg.CA.AppendCertsFromPEM(c.Authority)
	}
	client, err := elastic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server, err := client.Connect(t.Context())
	if err != nil || server.Version == "" {
		t.Fatalf("got %s and the error %v, want its version", server, err)
	}
	for _, row := range elastic.Differences() {
		question, asked := ask[row.Capability]
		if !asked {
			continue
		}
		if got, want := question(), client.Dialect.Can(row.Capability); got != want {
			t.Errorf("%s, %s: the server can: %v, the table says %v (since %s)", server, row.Name,
				got, want, row.Elasticsearch)
		}
	}
}

// openDialectHolds asks a server without security, which is the test's own.
func openDialectHolds(t *testing.T, s *stage) {
	t.Helper()
	s.Create(s.name("a"), nil)
	settings := func(seeds, skip any) {
		s.Do(http.MethodPut, "_cluster/settings", map[string]any{"persistent": map[string]any{
			"cluster.remote.gone.seeds": seeds, "cluster.remote.gone.skip_unavailable": skip}})
	}
	dialectHolds(t, s.Cluster, map[elastic.Capability]func() bool{
		elastic.PartialPointInTime: func() bool {
			answer, err := send(t, s.Cluster.Client, http.MethodPost,
				"/"+s.name("a")+"/_pit?keep_alive=1s&allow_partial_search_results=true")
			return err == nil && strings.Contains(answer, `"_shards"`)
		},
		elastic.ResolvesClusters: func() bool {
			_, err := send(t, s.Cluster.Client, http.MethodGet, "/_resolve/cluster/*:*")
			return err == nil
		},
		elastic.ClusterDetails: func() bool {
			settings([]string{"127.0.0.1:1"}, true)
			defer settings(nil, nil)
			answer, err := send(t, s.Cluster.Client, http.MethodPost,
				"/gone:*/_search?ccs_minimize_roundtrips=false")
			return err == nil && strings.Contains(answer, `"details"`)
		},
	})
}

// readerDialectHolds asks as a job that may read an index and not look at its mapping.
func readerDialectHolds(t *testing.T, operator *stage, password string) {
	t.Helper()
	dialectHolds(t, operator.Cluster, map[elastic.Capability]func() bool{
		elastic.ReadResolvesIndices: func() bool {
			_, err := send(t, operator.As("job", password), http.MethodGet,
				"/_resolve/index/"+operator.signalsIndex())
			return err == nil
		},
	})
}

// send sends a request that the server may refuse.
func send(t *testing.T, client elastic.Transport, method, path string) (string, error) {
	answer, err := elastic.Send(t.Context(), client, elastic.Request{Method: method, Path: path},
		nil, 0)
	return string(answer.Text), err
}
