package estest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a busy server refuses is sent again, alone.
func TestBulkSendsAgain(t *testing.T) {
	answers := []string{
		`{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":500,"error":{"type":` +
			`"mapper_exception","reason":"timed out while waiting for a dynamic mapping update"}}},` +
			`{"create":{"status":429,"error":{"type":"es_rejected_execution_exception"}}}]}`,
		`{"errors":false}`,
	}
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		if !strings.HasSuffix(r.URL.Path, "/_bulk") {
			return
		}
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, strings.ReplaceAll(string(body), `{"create":{}}`+"\n", ""))
		_, _ = io.WriteString(w, answers[len(sent)-1])
	}))
	defer server.Close()
	newCluster(t, &Server{URL: server.URL}).Bulk("i", `{"n":1}`, `{"n":2}`, `{"n":3}`)
	want := []string{"{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", "{\"n\":2}\n{\"n\":3}\n"}
	if fmt.Sprint(sent) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", sent, want)
	}
}
