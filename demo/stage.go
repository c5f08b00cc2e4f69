package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/demo/samples"
	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// stage is the server with the sample events in it.
type stage struct {
	server *estest.Server
	client *elasticsearch.Client
	reader *search.Cluster
	// prefix starts every name that the demo makes on a cluster that others use; empty on the
	// demo's own.
	prefix    string
	events    []samples.Event
	patterns  []string
	detection *detect.Detection
}

// openStage gets a server and puts the samples into it. What fails half-way is taken down again.
func openStage(ctx context.Context, out io.Writer) (s *stage, err error) {
	fmt.Fprintln(out, "Starting Elasticsearch (some 20 seconds, longer the first time, when it "+
		"is downloaded)")
	start := time.Now()
	s = &stage{}
	if s.server, err = estest.Start(ctx, estest.Options{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = s.close(err)
		}
	}()
	fmt.Fprintf(out, "Elasticsearch is up at %s (%s), after %s\n", s.server.URL, s.server.From,
		since(start))
	if s.server.From == estest.FromURL {
		s.prefix = fmt.Sprintf("esrule-demo-%06x-", rand.N(1<<24))
	}
	if s.client, err = elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{s.server.URL}, Username: s.server.Username, Password: s.server.Password,
	}); err != nil {
		return nil, err
	}
	s.reader = search.NewCluster(s.client, search.Options{})
	if s.detection, s.patterns, err = shippedRule(s.prefix); err != nil {
		return nil, err
	}
	if s.events, err = samples.Events(time.Now()); err != nil {
		return nil, err
	}
	if err = samples.Install(ctx, s.client, s.prefix); err != nil {
		return nil, err
	}
	if err = samples.Load(ctx, s.client, s.prefix, s.events); err != nil {
		return nil, err
	}
	matches, copies := 0, 0
	for _, e := range s.events {
		if e.Match {
			matches++
		}
		if e.SameAs != "" {
			copies++
		}
	}
	fmt.Fprintf(out, "%d sample events of %d sources are in it: %d match the rule (%d of them a "+
		"record sent twice), %d just miss it\n",
		len(s.events), len(samples.Sources()), matches, copies, len(s.events)-matches)
	return s, nil
}

// The program's own indices, under the demo's prefix where it has one.
func (s *stage) signalsIndex() string    { return s.prefix + "esrule-signals" }
func (s *stage) stateIndex() string      { return s.prefix + "esrule-state" }
func (s *stage) deadLetterIndex() string { return s.prefix + "esrule-dead-letter" }

// close takes down what openStage put up, and what esrule made, and adds what fails of it to err.
func (s *stage) close(err error) error {
	if s.server.From == estest.FromURL && s.client != nil {
		// The demo's own context may be over, which is no reason to leave anything on a cluster of
		// others.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = errors.Join(err, s.remove(ctx))
	}
	if stopped := s.server.Stop(); stopped != nil {
		err = errors.Join(err, fmt.Errorf("stop Elasticsearch: %w", stopped))
	}
	return err
}

func (s *stage) remove(ctx context.Context) error {
	err := samples.Remove(ctx, s.client, s.prefix, s.events)
	for _, index := range []string{s.signalsIndex(), s.stateIndex(), s.deadLetterIndex()} {
		for _, path := range []string{"/" + index, "/_index_template/" + index} {
			if removed := s.ask(ctx, http.MethodDelete, path, nil, nil); removed != nil &&
				!errors.Is(removed, elastic.ErrNotFound) {
				err = errors.Join(err, removed)
			}
		}
	}
	return err
}

// candidates gives the ids of the events that the rule's pre-filter accepts, whatever their time.
func (s *stage) candidates(ctx context.Context) (map[string]bool, error) {
	classes, err := s.reader.Mappings(ctx, s.patterns, s.detection.Mapped())
	if err != nil {
		return nil, err
	}
	accepted := map[string]bool{}
	for _, class := range classes {
		ids, err := s.idsOf(ctx, class.Indices, preFilter(s.detection, class.Mapping))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			accepted[id] = true
		}
	}
	return accepted, nil
}

// maxSamples is more than there are; one page holds them all.
const maxSamples = 1000

func (s *stage) idsOf(ctx context.Context, indices []string, query any) ([]string, error) {
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	body := map[string]any{"size": maxSamples, "_source": false, "query": query}
	path := "/" + url.PathEscape(strings.Join(indices, ",")) + "/_search"
	if err := s.ask(ctx, http.MethodPost, path, body, &answer); err != nil {
		return nil, err
	}
	var ids []string
	for _, hit := range answer.Hits.Hits {
		ids = append(ids, hit.ID)
	}
	return ids, nil
}

// ask sends a request and reads its answer into one, where there is one to read it into.
func (s *stage) ask(ctx context.Context, method, path string, body, into any) error {
	r := elastic.Request{Method: method, Path: path}
	if body != nil {
		var err error
		if r, err = r.JSON(body); err != nil {
			return err
		}
	}
	answer, err := elastic.Send(ctx, s.client, r, nil, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", r, err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer.Text, into)
}
