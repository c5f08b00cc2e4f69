package elastic

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Transport sends one request; *elasticsearch.Client is one, and any esapi.Transport.
type Transport interface {
	Perform(req *http.Request) (*http.Response, error)
}

// Request is one request to the cluster.
type Request struct {
	Method string
	Path   string // escaped
	Params url.Values
	Body   []byte // JSON, or lines of it; nil is none
	Good   int    // the status that says yes; 0 is 200
}

// String names the request for messages, without its parameters.
func (r Request) String() string { return r.Method + " " + r.Path }

// JSON returns the request with a value as its body.
func (r Request) JSON(body any) (Request, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return r, fmt.Errorf("write the body of %s: %w", r, err)
	}
	r.Body = text
	return r, nil
}

// ErrTooLarge says that an answer is longer than the reader has room for.
var ErrTooLarge = errors.New("the answer is too large")

// maxErrorBytes bounds what is read of a refusal; one that names thousands of shards stays below
// it.
const maxErrorBytes = 8 << 20

// Send sends a request once and returns the cluster's answer. Its text is read into buf, which may
// have to grow; a text longer than limit is ErrTooLarge, and a limit of 0 is none. A refusal is an
// *Error, an answer of something that is not Elasticsearch a *ForeignError, one with a status that
// it does not send an *UntrueError. Any other error means that no answer came.
func Send(ctx context.Context, t Transport, r Request, buf []byte, limit int64) (Answer, error) {
	res, err := perform(ctx, t, r)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	a := Answer{from: addressOf(res), request: r.String()}
	if res.StatusCode/100 == 2 {
		if !isElasticsearch(res) {
			return a, &ForeignError{From: a.from, Request: a.request, Status: res.StatusCode}
		}
		if good := cmp.Or(r.Good, http.StatusOK); res.StatusCode != good {
			return a, a.Named(Contradicts("its status is %d %s, where Elasticsearch answers %d",
				res.StatusCode, http.StatusText(res.StatusCode), good))
		}
		a.Text, err = read(res, buf, limit)
		return a, err
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
	if err != nil {
		return a, err
	}
	refused := newError(res.StatusCode, text)
	refused.From, refused.Genuine = a.from, isElasticsearch(res)
	return a, refused
}

func perform(ctx context.Context, t Transport, r Request) (*http.Response, error) {
	target := r.Path
	if len(r.Params) > 0 {
		target += "?" + r.Params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("make the request %s: %w", r, err)
	}
	req.Header.Set("Accept", "application/json")
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return t.Perform(req)
}

// isElasticsearch reports whether an answer has the header that every Elasticsearch since 7.14
// sends with all that it answers, but for a refusal of who is asking.
func isElasticsearch(res *http.Response) bool {
	return res.Header.Get("X-Elastic-Product") == "Elasticsearch"
}

// addressOf is where an answer came from, without credentials.
func addressOf(res *http.Response) string {
	if res.Request == nil || res.Request.URL == nil || res.Request.URL.Host == "" {
		return "the configured address"
	}
	return res.Request.URL.Scheme + "://" + res.Request.URL.Host
}

func read(res *http.Response, buf []byte, limit int64) ([]byte, error) {
	source := io.Reader(res.Body)
	if limit > 0 {
		if res.ContentLength > limit {
			return nil, ErrTooLarge
		}
		source = io.LimitReader(source, limit+1)
	}
	into := bytes.NewBuffer(buf[:0])
	if _, err := into.ReadFrom(source); err != nil {
		return nil, err
	}
	if limit > 0 && int64(into.Len()) > limit {
		return nil, ErrTooLarge
	}
	return into.Bytes(), nil
}
