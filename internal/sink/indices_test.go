package sink

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/google/go-cmp/cmp"

	"esrule/internal/estest"
)

func names(c *estest.Cluster) Indices {
	return Indices{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead-letter")}
}

func TestEnsure(t *testing.T) {
	c := estest.For(t)
	i := names(c)

	got, err := i.Ensure(t.Context(), c.Client)
	want := Report{Created: []string{
		"index template " + i.Signals, "index " + i.Signals,
		"index template " + i.State, "index " + i.State,
		"index template " + i.DeadLetter, "index " + i.DeadLetter,
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("the first time: %v (-want +got):\n%s", err, diff)
	}
	before := c.Do(http.MethodGet, c.Index("*"), nil)
	got, err = i.Ensure(t.Context(), c.Client)
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
			index.Mappings.Meta.Esrule.Version != 1 {
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
	got, err = i.Ensure(t.Context(), c.Client)
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
			r, err := i.Ensure(t.Context(), c.Client)
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
	c.Create(i.State, `{"mappings":{"_meta":{"esrule":{"version":2,"holds":"state"}}}}`)
	c.Create(i.DeadLetter, nil)
	c.Do(http.MethodPut, "_index_template/"+i.Signals, `{"index_patterns":["`+i.Signals+
		`"],"_meta":{"mine":true}}`)
	indices, template := c.Do(http.MethodGet, c.Index("*"), nil),
		c.Do(http.MethodGet, "_index_template/"+i.Signals, nil)

	r, err := i.Ensure(t.Context(), c.Client)
	var got []string
	for _, w := range r.Warnings {
		got = append(got, w.On+": "+w.Problem)
	}
	want := []string{
		"index template " + i.Signals + ": not made by esrule for signals",
		"index " + i.Signals + ": made by an earlier release (version 0, now 1)",
		"index " + i.State + ": made by a later release (version 2, here 1)",
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

// TestTemplateInTheWay: an index template of the user's that claims the same names is a warning;
// the index works.
func TestTemplateInTheWay(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	c.PutTemplate("theirs", map[string]any{"index_patterns": []string{c.Index("sig*")},
		"priority": templatePriority})
	r, err := i.Ensure(t.Context(), c.Client)
	if err != nil || len(r.Warnings) != 1 ||
		!strings.Contains(r.Warnings[0].Problem, c.Index("theirs")) {
		t.Errorf("got %+v, %v, want one warning that names the template", r, err)
	}
	write(t, NewWriter(c.Client, options(i)), numbered(t, 1), Result{Created: 1})
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
		_, err := Indices{Signals: name, State: i.State,
			DeadLetter: i.DeadLetter}.Ensure(t.Context(), c.Client)
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
	f := func(i Indices, want string) {
		t.Helper()
		// Refused before anything is asked of a cluster.
		if _, err := i.Ensure(t.Context(), nil); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want an error with %q", i, err, want)
		}
	}
	f(Indices{"", "b", "c"}, `signals index ""`)
	f(Indices{"a*", "b", "c"}, `signals index "a*"`)
	f(Indices{"a", "b,c", "c"}, `state index "b,c"`)
	f(Indices{"a", "b", "remote:c"}, `dead-letter index "remote:c"`)
	f(Indices{"<a-{now}>", "b", "c"}, "not the name of one index")
	f(Indices{"-a", "b", "c"}, "not the name of one index")
	f(Indices{"a", "a", "c"}, "each needs its own")
}

// TestLeastPrivilege: a job that may neither create indices nor manage templates is told to have
// them set up, and works with what an operator has set up.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel() // its server takes a while to start
	c := estest.Own(t, estest.Options{
		Roles: map[string]string{
			"job":     `{"indices":[{"names":["signals","dead-letter"],"privileges":["read","create"]},{"names":["state"],"privileges":["read","index"]}]}`,
			"aliased": `{"indices":[{"names":["alias","state","dead-letter"],"privileges":["read"]}]}`,
			"creator": `{"indices":[{"names":["signals","state","dead-letter"],
				"privileges":["read","create","create_index","view_index_metadata"]}]}`,
		},
		Users: []estest.User{
			{Name: "job", Password: "job-password", Roles: []string{"job"}},
			{Name: "creator", Password: "creator-password", Roles: []string{"creator"}},
			{Name: "aliased", Password: "aliased-password", Roles: []string{"aliased"}},
			{Name: "nobody", Password: "nobody-password"},
		},
	})
	i := Indices{Signals: "signals", State: "state", DeadLetter: "dead-letter"}
	job, creator := c.As("job", "job-password"), c.As("creator", "creator-password")
	forbidden := func(user string, client *elasticsearch.Client, want string) {
		t.Helper()
		_, err := i.Ensure(t.Context(), client)
		var got *ForbiddenError
		if !errors.As(err, &got) || got.Doing != want ||
			!strings.Contains(err.Error(), "esrule setup") {
			t.Errorf("%s: got %v, want that it may not %s", user, err, want)
		}
	}
	forbidden("nobody", c.As("nobody", "nobody-password"), "look at index signals")
	forbidden("job", job, "create index signals")

	r, err := i.Ensure(t.Context(), creator)
	wantMissing := MissingPrivileges{{"state", "index"}}
	if err != nil || len(r.Created) != 3 || len(r.Warnings) != 3 ||
		!slices.Equal(r.Missing, wantMissing) {
		t.Errorf("a user who may create indices only: got %+v, %v, want three indices and a "+
			"warning for each", r, err)
	}
	r, err = i.Ensure(t.Context(), job)
	if diff := cmp.Diff(Report{}, r); err != nil || diff != "" {
		t.Errorf("job, after the set-up: %v (-want +got):\n%s", err, diff)
	}
	// Without the right to look at mappings, a name is still seen to stand for one index.
	c.Do(http.MethodPost, "_aliases", `{"actions":[{"add":{"index":"signals","alias":"alias"}}]}`)
	_, err = Indices{Signals: "alias", State: "state",
		DeadLetter: "dead-letter"}.Ensure(t.Context(), c.As("aliased", "aliased-password"))
	if notOne, ok := errors.AsType[*NotConcreteError](err); !ok || notOne.Kind != "an alias" ||
		!slices.Equal(notOne.For, []string{"signals"}) {
		t.Errorf("an alias: got %v, want a refusal as an alias for signals", err)
	}
	w := NewWriter(job, options(i))
	signals := append(numbered(t, 2), signalOf(t, `{"process":"x"}`))
	write(t, w, signals, Result{Created: 2, Reduced: 1})
	write(t, w, signals, Result{Duplicates: 3})

	_, err = i.Ensure(t.Context(), c.As("job", "wrong"))
	if err == nil || !strings.Contains(err.Error(), "401") ||
		strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password: got %v, want a 401", err)
	}
	_, err = NewWriter(c.As("nobody", "nobody-password"), options(i)).Write(t.Context(), signals)
	if err == nil || !strings.Contains(err.Error(), "may not create documents") {
		t.Errorf("nobody: got %v, want that the user may not create documents", err)
	}
}
