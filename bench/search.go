package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/valyala/fastjson"
)

// pageSize is that with which the program begins.
const pageSize = 1000

// measured is one way to ask for a rule's events.
type measured struct {
	name  string
	query any
	// source asks for the events themselves, as the program does; without, for their places only.
	source bool
	// firstPage ends the reading there: the rest of a time range would be every event.
	firstPage bool
}

// answer is what one search came to.
type answer struct {
	whole   time.Duration // from the first request to the last byte
	cluster time.Duration // what the cluster says that it took
	hits    []*fastjson.Value
}

// body is what package search sends: pages in the order of the documents, from a point in time,
// without a total.
type body struct {
	PIT        any             `json:"pit"`
	Size       int             `json:"size"`
	Query      any             `json:"query"`
	Sort       []string        `json:"sort"`
	After      json.RawMessage `json:"search_after,omitempty"`
	TrackTotal bool            `json:"track_total_hits"`
	Source     bool            `json:"_source"`
}

// run searches once, page by page. The server's request cache is off, for the index and for each
// request.
func (s server) run(ctx context.Context, pit string, m measured) (answer, error) {
	var a answer
	b := body{
		PIT: map[string]string{"id": pit, "keep_alive": "10m"}, Size: pageSize, Query: m.query,
		Sort: []string{"_doc"}, Source: m.source,
	}
	for {
		request, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		begin := time.Now()
		text, err := s.send(ctx, http.MethodPost, "_search?request_cache=false", request)
		a.whole += time.Since(begin)
		if err != nil {
			return answer{}, fmt.Errorf("%s: %w", m.name, err)
		}
		page, err := fastjson.ParseBytes(text)
		if err != nil {
			return answer{}, fmt.Errorf("%s: %w", m.name, err)
		}
		if page.GetInt("_shards", "failed") > 0 || page.GetBool("timed_out") {
			return answer{}, fmt.Errorf("%s: not answered whole: %s", m.name, page.Get("_shards"))
		}
		a.cluster += time.Duration(page.GetInt("took")) * time.Millisecond
		hits := page.GetArray("hits", "hits")
		a.hits = append(a.hits, hits...)
		if len(hits) < pageSize || m.firstPage {
			return a, nil
		}
		b.After = hits[len(hits)-1].Get("sort").MarshalTo(nil)
	}
}

// openPointInTime holds the index as it is, so that every search reads the same segments.
func (s server) openPointInTime(ctx context.Context, index string) (string, error) {
	var opened struct{ ID string }
	err := s.do(ctx, http.MethodPost, index+"/_pit?keep_alive=10m", "", &opened)
	return opened.ID, err
}

func (s server) closePointInTime(ctx context.Context, pit string) error {
	return s.do(ctx, http.MethodDelete, "_pit", fmt.Sprintf(`{"id":%q}`, pit), nil)
}
