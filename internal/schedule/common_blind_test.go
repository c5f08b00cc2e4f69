package schedule_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
)

// emptied takes the content away of documents that hold a text, as a proxy or field security does.
type emptied struct{ holding string }

func (e emptied) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path, "_search") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	if at := bytes.Index(body, []byte(e.holding)); at >= 0 {
		from := bytes.LastIndex(body[:at], []byte(`"_source":`)) + len(`"_source":`)
		depth := 0
		for to := from; to < len(body); to++ {
			switch body[to] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				body = append(append(bytes.Clone(body[:from]), "{}"...), body[to+1:]...)
				break
			}
		}
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.ContentLength = int64(len(body))
	answer.Header.Del("Content-Length")
	return answer, nil
}

// A document that came without its content makes only those rules blind that could match it.
func TestDocumentWithoutContent(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.event(index, 1, "bad.exe", 1)
	w.event(index, 2, "other.exe", 2)
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{w.URL},
		Transport: emptied{"other.exe"}, DisableRetry: true})
	if err != nil {
		t.Fatal(err)
	}
	w.through = client
	rules := w.together(`process where process.name == "bad.exe"`,
		`process where process.name == "other.exe"`)
	for i, r := range w.runAll(rules...) {
		if open := len(r.Open); r.Err != nil || open != i || r.Run.Created != 1-i {
			t.Errorf("rule %d: got %d open indices, %d created, error %v, want %d and %d", i, open,
				r.Run.Created, r.Err, i, 1-i)
		}
	}
}
