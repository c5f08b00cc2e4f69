package elastic

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// quietFor is how long a request may bring no answer before its address is asked whether it is
	// there at all, and quietBetween how long until it is asked again.
	quietFor     = 2 * time.Second
	quietBetween = 5 * time.Second
	// aliveWithin is how long an address may take for that question, which costs it nothing.
	aliveWithin = 3 * time.Second
)

// transport sends a request to one address, and to the next where the first fails or hangs.
//
// A slow search and a hung node look alike: neither sends a byte. So a request that brings nothing
// for two seconds has its address asked a second question that costs it nothing. If that is
// answered, the node is alive and the request goes on waiting, for minutes if need be. If not, the
// request is sent to the next address too, and the first answer of the two counts. A search is sent
// twice only where its node is hung, and no answer of a slow node is given up.
//
// Every request may be sent twice: reads change nothing, documents have ids that are made of what
// they hold, and ledgers are changed by compare-and-set.
type transport struct {
	addresses *addresses
	line      *line
	watch     func(Report)
	patience  patience // usual, but in tests
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req, err := replayable(req)
	if err != nil {
		return nil, err
	}
	res, err := t.send(req)
	t.report(req.Context(), res, err)
	return res, err
}

func (t *transport) send(req *http.Request) (*http.Response, error) {
	if t.addresses.several() {
		r := &race{transport: t, req: req, began: time.Now(), results: make(chan *attempt),
			hung: make(chan silence)}
		return r.run()
	}
	only := t.addresses.list[0]
	res, err := t.line.send(req, only)
	t.note(req.Context(), only, res, err)
	return res, err
}

// note enters what an attempt says of its address.
func (t *transport) note(ctx context.Context, a *address, res *http.Response,
	err error) (good bool) {
	if err == nil && isForeign(res) {
		err = foreignError(a, res)
	}
	switch {
	case err == nil:
		t.addresses.answered(a)
		return true
	case ctx.Err() == nil:
		t.addresses.failed(a, err)
	}
	return false
}

// isForeign reports whether something else than Elasticsearch answered: a gateway whose node is
// gone, or another program. Elasticsearch names itself in each answer but in some refusals, which
// it sends before it looks at the request. A gateway that bars a path or a method is not foreign:
// the node behind it is well.
func isForeign(res *http.Response) bool {
	if isElasticsearch(res) {
		return false
	}
	code, path := res.StatusCode, res.Request.URL.Path
	return code < 300 || code >= 500 || code == http.StatusNotFound &&
		!strings.Contains(path, "/_security/")
}

func foreignError(a *address, res *http.Response) error {
	return fmt.Errorf("%s answers %d %s, and is not Elasticsearch",
		a, res.StatusCode, http.StatusText(res.StatusCode))
}

// replayable returns the request with a body that can be sent more than once.
func replayable(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return req, nil
	}
	content, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	again := req.Clone(req.Context())
	again.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}
	again.Body, _ = again.GetBody()
	return again, nil
}

// rewound returns a request of its own with the body from the beginning.
func rewound(ctx context.Context, req *http.Request) (*http.Request, error) {
	again := req.Clone(ctx)
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("read the request's body again: %w", err)
	}
	again.Body = body
	return again, nil
}

// alive asks an address who we are, for any answer to it.
func (t *transport) alive(ctx context.Context, a *address) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, whoAmI, nil)
	if err != nil {
		return err
	}
	res, err := t.line.send(req, a)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 500 && isForeign(res) {
		return foreignError(a, res)
	}
	// To its end: an answer may stall half-way.
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	return err
}
