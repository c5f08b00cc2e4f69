package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"esrule/internal/estest"
)

// relay stands before the transport port of a server, through which another cluster searches it. It
// can be cut, as if the server were gone.
type relay struct {
	address string
	target  string

	mu       sync.Mutex
	listener net.Listener // nil while it is cut
	open     map[net.Conn]bool
}

func newRelay(t *testing.T, to *estest.Cluster) *relay {
	t.Helper()
	var answer struct {
		Nodes map[string]struct {
			Transport string `json:"transport_address"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal(to.Do(http.MethodGet, "_nodes?filter_path=nodes.*.transport_address",
		nil), &answer); err != nil {
		t.Fatal(err)
	}
	r := &relay{address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	for _, node := range answer.Nodes {
		r.target = node.Transport
	}
	r.restore(t)
	t.Cleanup(r.cut)
	return r
}

// restore lets connections through again, at the same address.
func (r *relay) restore(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.listener, r.address = listener, listener.Addr().String()
	r.mu.Unlock()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", r.target)
			if err != nil {
				near.Close()
				continue
			}
			r.carry(near, far)
			r.carry(far, near)
		}
	}()
}

// carry copies one direction of a connection, until either end is closed.
func (r *relay) carry(from, to net.Conn) {
	r.mu.Lock()
	r.open[from] = true
	r.mu.Unlock()
	go func() {
		_, _ = io.Copy(to, from) // its end is all that is of interest
		to.Close()
		r.mu.Lock()
		delete(r.open, from)
		r.mu.Unlock()
	}()
}

// cut ends all connections, and refuses new ones.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != nil {
		r.listener.Close()
		r.listener = nil
	}
	for c := range r.open {
		c.Close()
	}
}
