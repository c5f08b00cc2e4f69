package estest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// deleteEverything removes what bears the test's prefix. It lists names first: a server may refuse
// to delete by pattern.
func (c *Cluster) deleteEverything() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var found struct {
		Indices []struct {
			Name       string
			DataStream string `json:"data_stream"`
		}
		DataStreams        []struct{ Name string } `json:"data_streams"`
		IndexTemplates     []struct{ Name string } `json:"index_templates"`
		ComponentTemplates []struct{ Name string } `json:"component_templates"`
	}
	for _, list := range []string{"_resolve/index/%*?expand_wildcards=all", "_index_template/%*",
		"_component_template/%*"} {
		answer, err := c.send(ctx, http.MethodGet, strings.Replace(list, "%", c.prefix, 1), "", nil)
		if r := (*refusal)(nil); errors.As(err, &r) && r.status == http.StatusNotFound {
			continue // how the template APIs say that they have none
		}
		if err == nil {
			err = json.Unmarshal(answer, &found)
		}
		if err != nil {
			c.t.Errorf("look for what the test left behind: %v", err)
			return
		}
	}
	var undeletable bool
	for _, stream := range found.DataStreams {
		// The test distribution can make a data stream but lacks the API to delete one. It stays,
		// with its template, under a name that nobody else uses, until the server ends.
		_, err := c.send(ctx, http.MethodDelete, "_data_stream/"+stream.Name, "", nil)
		undeletable = undeletable || err != nil
	}
	var paths []string
	for _, index := range found.Indices {
		if index.DataStream == "" {
			// Elasticsearch takes line breaks in a name
			paths = append(paths, url.PathEscape(index.Name))
		}
	}
	if !undeletable {
		for _, template := range found.IndexTemplates {
			paths = append(paths, "_index_template/"+template.Name)
		}
		for _, template := range found.ComponentTemplates {
			paths = append(paths, "_component_template/"+template.Name)
		}
	}
	for _, path := range paths {
		if _, err := c.send(ctx, http.MethodDelete, path, "", nil); err != nil {
			c.t.Errorf("clean up after the test: %v", err)
		}
	}
}
