package indices

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/estest"
)

func names(c *estest.Cluster) Names {
	return Names{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead-letter")}
}

func TestEnsure(t *testing.T) {
	c := estest.For(t)
	i := names(c)

	got, err := i.Ensure(t.Context(), c.Client, nil)
	want := Report{Created: []string{
		"index template " + i.Signals, "index " + i.Signals,
		"index template " + i.State, "index " + i.State,
		"index template " + i.DeadLetter, "index " + i.DeadLetter,
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("the first time: %v (-want +got):\n%s", err, diff)
	}
	before := c.Do(http.MethodGet, c.Index("*"), nil)
	got, err = i.Ensure(t.Context(), c.Client, nil)
	if diff := cmp.Diff(Report{}, got); err != nil || diff != "" {
		t.Errorf("again: %v (-want +got):\n%s", err, diff)
	}
	if after := c.Do(http.MethodGet, c.Index("*"), nil); string(after) != string(before) {
		t.Errorf("again: the indices changed from\n%s to\n%s", before, after)
	}

	var indices map[string]struct {
		Settings struct {
			Index struct {
				Replicas string `json:"auto_expand_replicas"`
			}
		}
		Mappings struct {
			Dynamic string
			Meta    meta `json:"_meta"`
		}
	}
	if err := json.Unmarshal(before, &indices); err != nil {
		t.Fatal(err)
	}
	for name, index := range indices {
		if index.Settings.Index.Replicas != "0-1" || index.Mappings.Dynamic != "false" ||
			index.Mappings.Meta.Esrule.Version != 4 {
			t.Errorf("%s: got %+v", name, index)
		}
	}
	// A deleted index stays away until it is set up again, rather than coming back with a guessed
	// mapping.
	c.Delete(i.State)
	res, err := c.Client.Index(i.State, strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("a write into a deleted index: got %d, want 404", res.StatusCode)
	}
	got, err = i.Ensure(t.Context(), c.Client, nil)
	if diff := cmp.Diff(Report{Created: []string{"index " + i.State}}, got); err != nil ||
		diff != "" {
		t.Errorf("after a deletion: %v (-want +got):\n%s", err, diff)
	}
}

func TestEnsureAtOnce(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	const processes = 4
	var created [processes][]string
	var all sync.WaitGroup
	for n := range processes {
		all.Go(func() {
			r, err := i.Ensure(t.Context(), c.Client, nil)
			if err != nil || len(r.Warnings) > 0 {
				t.Errorf("got %v, %v", r.Warnings, err)
			}
			created[n] = r.Created
		})
	}
	all.Wait()
	got := slices.Sorted(slices.Values(slices.Concat(created[:]...)))
	if len(got) != 6 || len(slices.Compact(got)) != 6 {
		t.Errorf("created: got %q, want each of six once", got)
	}
}

func TestEnsureLeavesWhatIsThere(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	c.Create(i.Signals, `{"mappings":{"_meta":{"esrule":{"version":0,"holds":"signals"}}}}`)
	c.Create(i.State, `{"mappings":{"_meta":{"esrule":{"version":5,"holds":"state"}}}}`)
	c.Create(i.DeadLetter, nil)
	c.Do(http.MethodPut, "_index_template/"+i.Signals, `{"index_patterns":["`+i.Signals+
		`"],"_meta":{"mine":true}}`)
	indices, template := c.Do(http.MethodGet, c.Index("*"), nil),
		c.Do(http.MethodGet, "_index_template/"+i.Signals, nil)

	r, err := i.Ensure(t.Context(), c.Client, nil)
	var got []string
	for _, w := range r.Warnings {
		got = append(got, w.On+": "+w.Problem)
	}
	want := []string{
		"index template " + i.Signals + ": not made by esrule for signals",
		"index " + i.Signals + ": made by an earlier release (version 0, now 4)",
		"index " + i.State + ": made by a later release (version 5, here 4)",
		"index " + i.DeadLetter + ": not made by esrule for dead-letter",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if after := c.Do(http.MethodGet, c.Index("*"), nil); string(after) != string(indices) {
		t.Errorf("the indices changed from\n%s to\n%s", indices, after)
	}
	if after := c.Do(http.MethodGet, "_index_template/"+i.Signals,
		nil); string(after) != string(template) {
		t.Errorf("the template changed from\n%s to\n%s", template, after)
	}
}

func TestNotOneIndex(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	one, two := c.Index("one"), c.Index("two")
	alias, aliases, stream, rollover := c.Index("alias"), c.Index("aliases"), c.Index("stream"),
		c.Index("rollover")
	c.Create(one, map[string]any{"aliases": map[string]any{alias: map[string]any{},
		aliases: map[string]any{}}})
	c.Create(two, map[string]any{"aliases": map[string]any{
		aliases:  map[string]any{"is_write_index": true},
		rollover: map[string]any{"is_write_index": true},
	}})
	c.PutTemplate("stream", map[string]any{"index_patterns": []string{stream},
		"data_stream": map[string]any{}, "priority": 600})
	c.Bulk(stream, `{"@timestamp":1}`)

	f := func(name, wantKind string, wantFor ...string) {
		t.Helper()
		_, err := Names{Signals: name, State: i.State,
			DeadLetter: i.DeadLetter}.Ensure(t.Context(), c.Client, nil)
		var got *NotConcreteError
		if !errors.As(err, &got) || got.Kind != wantKind || len(wantFor) > 0 &&
			!slices.Equal(got.For, wantFor) {
			t.Errorf("%s: got %v, want a refusal as %s for %v", name, err, wantKind, wantFor)
		}
	}
	f(alias, "an alias", one)
	f(aliases, "an alias", one, two)
	f(rollover, "an alias", two)
	f(stream, "a data stream")
}

func TestNamesAreChecked(t *testing.T) {
	f := func(i Names, want string) {
		t.Helper()
		// Refused before anything is asked of a cluster.
		if _, err := i.Ensure(t.Context(), nil, nil); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want an error with %q", i, err, want)
		}
	}
	f(Names{"", "b", "c"}, `signals index ""`)
	f(Names{"a*", "b", "c"}, `signals index "a*"`)
	f(Names{"a", "b,c", "c"}, `state index "b,c"`)
	f(Names{"a", "b", "remote:c"}, `dead-letter index "remote:c"`)
	f(Names{"<a-{now}>", "b", "c"}, "not the name of one index")
	f(Names{"-a", "b", "c"}, "not the name of one index")
	f(Names{"a", "a", "c"}, "each needs its own")
}
