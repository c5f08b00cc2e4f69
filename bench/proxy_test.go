package bench

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// counter stands between the program and the server, and counts.
type counter struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	took     time.Duration // of all searches, as the server says
}

func newCounter(b *testing.B, server string) *counter {
	b.Helper()
	target, err := url.Parse(server)
	if err != nil {
		b.Fatal(err)
	}
	c := &counter{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding") // so that the answers can be read here
		},
		ModifyResponse: func(r *http.Response) error {
			c.mu.Lock()
			c.requests++
			c.mu.Unlock()
			if !strings.HasSuffix(r.Request.URL.Path, "/_search") {
				return nil
			}
			start := make([]byte, 1<<20)
			n, err := io.ReadFull(r.Body, start)
			if err == nil || n > 0 {
				c.read(start[:n])
			}
			r.Body = joined{io.MultiReader(bytes.NewReader(start[:n]), r.Body), r.Body}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // a page that is not waited for is no error
	}
	c.Server = httptest.NewServer(proxy)
	b.Cleanup(c.Close)
	return c
}

type joined struct {
	io.Reader
	io.Closer
}

var tookTime = regexp.MustCompile(`^\{(?:"pit_id":"[^"]*",)?"took":(\d+)`)

// read adds what an answer says that it took.
func (c *counter) read(start []byte) {
	found := tookTime.FindSubmatch(start)
	if found == nil {
		return
	}
	ms, _ := strconv.Atoi(string(found[1])) // digits
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took += time.Duration(ms) * time.Millisecond
}

// since returns what was counted since it was asked last.
func (c *counter) since() (requests int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	requests, took = c.requests, c.took
	c.requests, c.took = 0, 0
	return requests, took
}
