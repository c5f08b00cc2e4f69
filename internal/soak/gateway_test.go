package soak

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

const (
	// bodyLimit is the largest request that the gateway lets through, all the time.
	bodyLimit = 256 << 10
	userName  = "soak"
)

// gateway is what stands before many clusters: it limits the size of a request and asks for a
// password. For a while it may answer with less than the cluster said.
type gateway struct {
	file string // holds the password, as the program reads it

	mu       sync.Mutex
	password string
	tooLarge int // requests answered 413
	unknown  int // requests answered 401
	hollow   map[int]uint64
	hollowed map[int]int
	answers  int
}

func newGateway(file string) (*gateway, error) {
	g := &gateway{file: file, password: rand.Text(), hollow: map[int]uint64{},
		hollowed: map[int]int{}}
	return g, g.publish()
}

// publish writes the password that is valid into the file, as whoever rotates it does.
func (g *gateway) publish() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.file + ".next"
	if err := os.WriteFile(next, []byte(g.password+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, g.file)
}

// rotate makes another password valid. The file holds the one before until publish.
func (g *gateway) rotate() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.password = rand.Text()
}

// admit answers what the cluster is not to see, and reports whether it may see the request.
func (g *gateway) admit(w http.ResponseWriter, r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	g.mu.Lock()
	known := user == userName && password == g.password
	small := r.ContentLength <= bodyLimit
	switch {
	case !known:
		g.unknown++
	case !small:
		g.tooLarge++
	}
	g.mu.Unlock()
	if known && small {
		return true
	}
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/html")
	if !known {
		w.Header().Set("WWW-Authenticate", `Basic realm="soak"`)
		http.Error(w, "<html><h1>401 Authorization Required</h1></html>", http.StatusUnauthorized)
		return false
	}
	http.Error(w, "<html><h1>413 Request Entity Too Large</h1></html>",
		http.StatusRequestEntityTooLarge)
	return false
}

// withhold makes the gateway withhold a part of its answers; what is missing is amount's.
func (g *gateway) withhold(number int, amount uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hollow[number] = amount
}

// restore ends what withhold began, and returns how many answers were changed.
func (g *gateway) restore(number int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.hollow, number)
	return g.hollowed[number]
}

// needed are what Elasticsearch always sends in one answer or another, and what hits always have.
func needed() (inAnswers, inHits []string) {
	return []string{"_shards", "hits", "id", "items", "_seq_no", "_source", "timed_out",
			"aggregations", "indices", "nodes"},
		[]string{"_index", "_id", "sort"}
}

// spoils reports whether answers are spoiled just now.
func (g *gateway) spoils() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.hollow) > 0
}

// spoil takes away from an answer what the faults that hold ask for. Of three answers two stay
// whole.
func (g *gateway) spoil(header http.Header, body []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	for number, amount := range g.hollow {
		if g.answers++; g.answers%3 > 0 {
			continue
		}
		if spoiled, changed := without(header, body, amount+uint64(g.answers/3)); changed {
			g.hollowed[number]++
			return spoiled
		}
	}
	return body
}

// without leaves out what is needed, beginning anywhere in the list, or leaves nothing.
func without(header http.Header, body []byte, amount uint64) ([]byte, bool) {
	switch amount % 8 {
	case 0:
		return []byte("{}"), true
	case 1:
		return nil, true
	case 2:
		header.Del("X-Elastic-Product")
		return body, true
	}
	inAnswers, inHits := needed()
	for i := range len(inAnswers) + len(inHits) {
		n := int((amount/8 + uint64(i)) % uint64(len(inAnswers)+len(inHits)))
		less, key := withoutKey, append(inAnswers, inHits...)[n]
		if n >= len(inAnswers) {
			less = hitsWithout
		}
		if spoiled, changed := less(body, key); changed {
			return spoiled, true
		}
	}
	return body, false
}

func withoutKey(body []byte, key string) ([]byte, bool) {
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil || answer[key] == nil {
		return body, false
	}
	delete(answer, key)
	text, err := json.Marshal(answer)
	return text, err == nil
}

func hitsWithout(body []byte, key string) ([]byte, bool) {
	var answer map[string]json.RawMessage
	var outer map[string]json.RawMessage
	var hits []map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer["hits"], &outer) != nil ||
		json.Unmarshal(outer["hits"], &hits) != nil || len(hits) == 0 {
		return body, false
	}
	delete(hits[len(hits)-1], key)
	for _, level := range []struct {
		in   map[string]json.RawMessage
		from any
	}{{outer, hits}, {answer, outer}} {
		text, err := json.Marshal(level.from)
		if err != nil {
			return body, false
		}
		level.in["hits"] = text
	}
	text, err := json.Marshal(answer)
	return text, err == nil
}

// replaceBody puts another body into an answer.
func replaceBody(res *http.Response, body []byte) {
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header.Set("Content-Length", fmt.Sprint(len(body)))
}

func (g *gateway) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return fmt.Sprintf("%d requests too large, %d with an old password", g.tooLarge, g.unknown)
}
