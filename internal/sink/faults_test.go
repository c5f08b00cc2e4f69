package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// faults stands in front of the real server and spoils some of the answers. It adds failures only:
// what succeeds was done by the server.
type faults struct {
	mu    sync.Mutex
	calls int
	// before the server; nil, nil lets it pass
	spoil  func(call int, req *http.Request) (res *http.Response, err error)
	answer func(call int, body []byte) ([]byte, error) // after it
}

func (f *faults) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.calls++
	call := f.calls
	f.mu.Unlock()
	if f.spoil != nil {
		if res, err := f.spoil(call, req); res != nil || err != nil {
			return res, err
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || f.answer == nil {
		return res, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if body, err = f.answer(call, body); err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	res.ContentLength = int64(len(body))
	return res, nil
}

func status(code int, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"X-Elastic-Product": {"Elasticsearch"},
			"Content-Type": {"application/json"}},
	}
}

const tooMany = `{"error":{"type":"es_rejected_execution_exception","reason":"queue full"},"status":429}`

func TestFailuresOnTheWay(t *testing.T) {
	c, i := set(t)
	next := 0
	f := func(name string, f *faults, wantCalls int, want fates) {
		t.Helper()
		next += 10
		signals := numbered(t, next)[next-10:]
		got, err := counted(NewWriter(c.Through(f), options(i)).Write(t.Context(), signals))
		if err != nil || got != want || f.calls != wantCalls {
			t.Errorf("%s: got %+v in %d calls, %v, want %+v in %d", name, got, f.calls, err, want,
				wantCalls)
		}
		c.Refresh(i.Signals)
		if n := c.Count(i.Signals); n != next {
			t.Errorf("%s: got %d documents, want %d", name, n, next)
		}
	}
	first := func(n int, res func() *http.Response, err error) *faults {
		return &faults{spoil: func(call int, _ *http.Request) (*http.Response, error) {
			if call > n {
				return nil, nil
			}
			if res == nil {
				return nil, err
			}
			return res(), nil
		}}
	}
	f("no fault", &faults{}, 1, fates{Created: 10})
	f("429", first(3, func() *http.Response { return status(429, tooMany) }, nil), 4,
		fates{Created: 10})
	f("503 of a proxy", first(1, func() *http.Response { return status(503, "<html>") }, nil), 2,
		fates{Created: 10})
	f("no connection", first(2, nil, io.ErrUnexpectedEOF), 3, fates{Created: 10})
	f("acknowledgement lost", &faults{answer: func(call int, body []byte) ([]byte, error) {
		if call == 1 {
			return nil, io.ErrUnexpectedEOF
		}
		return body, nil
	}}, 3, fates{Duplicate: 10}) // the third call reads whose signals are there
	f("acknowledgement cut", &faults{answer: func(call int, body []byte) ([]byte, error) {
		if call == 1 {
			return body[:len(body)/2], nil
		}
		return body, nil
	}}, 3, fates{Duplicate: 10})

	// A request larger than a proxy takes is halved until it fits.
	limit := 2*len(numbered(t, 1)[0].Document) + 500
	f("413", &faults{spoil: func(_ int, req *http.Request) (*http.Response, error) {
		if req.ContentLength > int64(limit) {
			return status(413, "too large"), nil
		}
		return nil, nil
	}}, 11, fates{Created: 10}) // 10, then twice 5, 2, 3, 1, 2
}

// TestNoAnswer: a request that hangs is given up and sent again.
func TestNoAnswer(t *testing.T) {
	c, i := set(t)
	silence := &faults{spoil: func(call int, req *http.Request) (*http.Response, error) {
		if call > 1 {
			return nil, nil
		}
		<-req.Context().Done()
		return nil, req.Context().Err()
	}}
	o := options(i)
	o.RequestTimeout = 2 * time.Second
	got, err := counted(NewWriter(c.Through(silence), o).Write(t.Context(), numbered(t, 5)))
	// On a slow machine a real answer may come too late as well, and what it told of is a duplicate
	// then.
	if err != nil || got[Created]+got[Duplicate] != 5 || silence.calls < 2 {
		t.Errorf("got %+v in %d calls, %v, want 5 in at least 2", got, silence.calls, err)
	}
}

// TestPartlyRejected: of a request of which some items are rejected, those alone are sent again.
func TestPartlyRejected(t *testing.T) {
	c, i := set(t)
	signals := numbered(t, 9)
	var sent []int // documents in each request
	seen := 0
	f := &faults{spoil: func(call int, req *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		lines := strings.SplitAfter(strings.TrimSuffix(string(body), "\n"), "\n")
		sent = append(sent, len(lines)/2)
		if call > 2 {
			return nil, nil
		}
		// The server sees every third document only; what it answers is put among rejections of the
		// others.
		var kept strings.Builder
		var items []string
		var through []int
		for n := 0; n < len(lines); n += 2 {
			if seen++; seen%3 == 0 {
				kept.WriteString(lines[n] + strings.TrimSuffix(lines[n+1], "\n") + "\n")
				through = append(through, len(items))
			}
			var action struct{ Create json.RawMessage }
			if err := json.Unmarshal([]byte(lines[n]), &action); err != nil {
				return nil, err
			}
			items = append(items, strings.TrimSuffix(string(action.Create), "}")+
				`,"_index":"`+i.Signals+
				`","status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue full"}}`)
		}
		req.Body = io.NopCloser(strings.NewReader(kept.String()))
		req.ContentLength = int64(kept.Len())
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		var got struct {
			Items []struct{ Create json.RawMessage }
		}
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			return nil, err
		}
		for n, at := range through {
			items[at] = string(got.Items[n].Create)
		}
		return status(200, `{"items":[{"create":`+strings.Join(items, `},{"create":`)+`}]}`), nil
	}}
	write(t, NewWriter(c.Through(f), options(i)), signals, fates{Created: 9})
	if got, want := fmt.Sprint(sent), "[9 6 4]"; got != want {
		t.Errorf("documents in each request: got %s, want %s", got, want)
	}
}

// TestGivingUp: a failure that lasts is an error after MaxElapsed, and what was acknowledged before
// is counted.
func TestGivingUp(t *testing.T) {
	c, i := set(t)
	signals := numbered(t, 4)
	f := func(wantErr string, want fates, f *faults) {
		t.Helper()
		o := options(i)
		o.MaxElapsed, o.MaxItems = 30*time.Millisecond, 2
		got, err := counted(NewWriter(c.Through(f), o).Write(t.Context(), signals))
		if err == nil || !strings.Contains(err.Error(), wantErr) || got != want {
			t.Errorf("got %+v, %v, want %+v and an error with %q", got, err, want, wantErr)
		}
	}
	f("429 es_rejected_execution_exception: queue full", fates{Created: 2}, &faults{
		spoil: func(call int, _ *http.Request) (*http.Response, error) {
			if call > 1 {
				return status(429, tooMany), nil
			}
			return nil, nil
		}})
	f("unexpected EOF", fates{}, &faults{
		spoil: func(int, *http.Request) (*http.Response, error) {
			return nil, io.ErrUnexpectedEOF
		}})
	f("may not create documents", fates{}, &faults{
		spoil: func(int, *http.Request) (*http.Response, error) {
			return status(403,
					`{"error":{"type":"security_exception","reason":"not authorized"},"status":403}`),
				nil
		}})
	f("check the user and password", fates{}, &faults{
		spoil: func(int, *http.Request) (*http.Response, error) { return status(401, `{}`), nil }})
	f("an ingest pipeline of the index dropped it", fates{},
		&faults{answer: func(_ int, body []byte) ([]byte, error) {
			for _, s := range []string{`"status":201`, `"status":409`} {
				body = bytes.ReplaceAll(body, []byte(s), []byte(`"status":200`))
			}
			return body, nil
		}})
	f("413", fates{}, &faults{
		spoil: func(int, *http.Request) (*http.Response, error) { return status(413, ``), nil }})
}
