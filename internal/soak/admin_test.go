package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// admin speaks to the cluster directly, past what fails between the program and it.
type admin struct {
	url  string
	http *http.Client
}

// refused is an answer that is no success.
type refused struct {
	request string
	status  int
	body    []byte
}

func (r *refused) Error() string {
	return fmt.Sprintf("%s: %d: %.500s", r.request, r.status, r.body)
}

// do sends one request. The body is nil, text, or a value to marshal; text goes to _bulk as it is.
func (a *admin) do(ctx context.Context, method, path string, body any) ([]byte, error) {
	var content []byte
	switch body := body.(type) {
	case nil:
	case string:
		content = []byte(body)
	case []byte:
		content = body
	default:
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.url+"/"+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/x-ndjson")
		if json.Valid(content) {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	res, err := a.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, &refused{method + " " + path, res.StatusCode, answer}
	}
	return answer, nil
}

// patience is how long anything may take. A node comes back in 20 seconds, on a busy machine in
// minutes.
const patience = 5 * time.Minute

// insist sends a request until it succeeds: what fails here fails because of a fault that passes.
func (a *admin) insist(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		answer, err := a.do(ctx, method, path, body)
		if err == nil || isDone(method, err) {
			return answer, nil
		}
		if no, ok := errors.AsType[*refused](err); ok && no.status == http.StatusMethodNotAllowed {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("in vain for %s: %w", patience, err)
		case <-time.After(50 * ms):
		}
	}
}

// isDone tells that an earlier try, whose answer was lost, did what was asked.
func isDone(method string, err error) bool {
	no := (*refused)(nil)
	if !errors.As(err, &no) {
		return false
	}
	return method == http.MethodPut &&
		bytes.Contains(no.body, []byte("resource_already_exists_exception")) ||
		method == http.MethodDelete && no.status == http.StatusNotFound
}
