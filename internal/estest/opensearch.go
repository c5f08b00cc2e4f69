package estest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// OpenSearchVersion is the OpenSearch that judges the field types which Elasticsearch's test
// distribution lacks: wildcard, constant_keyword, match_only_text, version, unsigned_long,
// scaled_float.
//
// It is no Elasticsearch, and esrule does not support it. A test that it judges sees the
// differences and says what it leaves out for them: see [Server.IsOpenSearch]. Those that were met
// with 3.8:
//   - no flattened (flat_object instead), no runtime fields, no ignore_malformed on booleans;
//   - `_ignored` does not name what ignore_above left out (OpenSearch#8641);
//   - a term in any letter case does not find the empty text; on wildcard no term does, and none in
//     any letter case finds a text with characters beyond ASCII or U+0000; no order on wildcard;
//   - version takes nothing but semantic versions, in documents and in queries;
//   - unsigned_long takes fractions, and finds nothing below its greatest number; scaled_float
//     rounds the constant of a comparison by order;
//   - the answer to opening a point in time, and what its searches say of missing shards: the tests
//     it judges open none.
const OpenSearchVersion = "3.8.0"

// IsOpenSearch reports whether the server is one.
func (s *Server) IsOpenSearch() bool { return s.product == productOpenSearch }

// sharedOpenSearch is the one OpenSearch of a test process, as shared is its Elasticsearch.
var sharedOpenSearch = sync.OnceValues(func() (*Server, error) {
	return StartOpenSearch(context.Background())
})

// StartOpenSearch returns the server that ESTEST_OPENSEARCH_URL names, or starts its test
// distribution.
func StartOpenSearch(ctx context.Context) (*Server, error) {
	if named := os.Getenv("ESTEST_OPENSEARCH_URL"); named != "" {
		server, err := connect(ctx, "ESTEST_OPENSEARCH_URL", named)
		if err != nil {
			return nil, err
		}
		server.product = productOpenSearch
		return server, nil
	}
	o := Options{product: productOpenSearch, Version: OpenSearchVersion}
	server, err := startDistribution(ctx, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf(
			`no server has all field types: Elasticsearch's test distribution lacks some, and
OpenSearch %s cannot be had: %w
Install Java 21 or newer with Maven, or set ESTEST_URL to a cluster of the full Elasticsearch`,
			o.Version, err)
	}
	return server, nil
}

// openSearch is the Judge.
func openSearch(t testing.TB) *Cluster {
	t.Helper()
	return on(t, sharedOpenSearch)
}

// transport is the way to the server for a client that takes nothing but Elasticsearch.
func (s *Server) transport() http.RoundTripper {
	if s.IsOpenSearch() {
		return bridge{s.httpTransport()}
	}
	return s.httpTransport()
}

// bridge lets an OpenSearch pass for an Elasticsearch. It adds the header by which clients know the
// product, and takes the normalizer "default" out of mappings, by which OpenSearch names that a
// field has none. Nothing else is changed: what a test sees is the server's own.
type bridge struct{ next http.RoundTripper }

func (b bridge) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Header.Set("X-Elastic-Product", "Elasticsearch")
	if !strings.Contains(req.URL.Path, "/_mapping/field/") {
		return res, nil
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, errors.Join(err, res.Body.Close())
	}
	answer = bytes.ReplaceAll(answer, []byte(`"normalizer":"default"`), []byte(`"normalizer":null`))
	res.Header.Del("Content-Length")
	res.ContentLength = int64(len(answer))
	closing := res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(answer))
	return res, closing
}
