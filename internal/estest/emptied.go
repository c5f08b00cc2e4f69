package estest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Emptied is a way to the cluster that takes the content away of documents that hold a text, as
// field security or a proxy does.
type Emptied struct{ Holding string }

// RoundTrip sends the request, and empties the document of a search's answer that holds the text.
func (e Emptied) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path, "_search") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	if at := bytes.Index(body, []byte(e.Holding)); at >= 0 {
		from := bytes.LastIndex(body[:at], []byte(`"_source":`)) + len(`"_source":`)
		body = slices.Concat(body[:from], []byte("{}"), body[from+object(body[from:]):])
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer.Header.Del("Content-Length")
	return answer, nil
}

// object returns the length of the JSON object that a text begins with, whose texts hold no braces.
func object(text []byte) int {
	depth := 0
	for i, c := range text {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}
