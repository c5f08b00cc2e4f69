package sink

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic"
	"esrule/internal/estest"
	"esrule/internal/sink/indices"
)

// TestTemplateInTheWay: an index template of the user's that claims the same names is a warning;
// the index works.
func TestTemplateInTheWay(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	c.PutTemplate("theirs", map[string]any{"index_patterns": []string{c.Index("sig*")},
		"priority": 500})
	r, err := i.Ensure(t.Context(), c.Client, nil)
	if err != nil || len(r.Warnings) != 1 ||
		!strings.Contains(r.Warnings[0].Problem, c.Index("theirs")) {
		t.Errorf("got %+v, %v, want one warning that names the template", r, err)
	}
	write(t, NewWriter(c.Client, options(i)), numbered(t, 1), fates{Created: 1})
}

// resolving counts the requests that ask what a name stands for.
type resolving struct {
	elastic.Transport
	n int
}

func (r *resolving) Perform(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.URL.Path, "/_resolve/index/") {
		r.n++
	}
	return r.Transport.Perform(req)
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
	i := indices.Names{Signals: "signals", State: "state", DeadLetter: "dead-letter"}
	job, creator := c.As("job", "job-password"), c.As("creator", "creator-password")
	forbidden := func(user string, client *elasticsearch.Client, want string) {
		t.Helper()
		_, err := i.Ensure(t.Context(), client, nil)
		var got *indices.ForbiddenError
		if !errors.As(err, &got) || got.Doing != want ||
			!strings.Contains(err.Error(), "esrule setup") {
			t.Errorf("%s: got %v, want that it may not %s", user, err, want)
		}
	}
	forbidden("nobody", c.As("nobody", "nobody-password"), "look at index signals")
	forbidden("job", job, "create index signals")

	r, err := i.Ensure(t.Context(), creator, nil)
	wantMissing := indices.MissingPrivileges{{Index: "state", Privilege: "index"}}
	if err != nil || len(r.Created) != 3 || len(r.Warnings) != 3 ||
		!slices.Equal(r.Missing, wantMissing) {
		t.Errorf("a user who may create indices only: got %+v, %v, want three indices and a "+
			"warning for each", r, err)
	}
	r, err = i.Ensure(t.Context(), job, nil)
	if diff := cmp.Diff(indices.Report{}, r); err != nil || diff != "" {
		t.Errorf("job, after the set-up: %v (-want +got):\n%s", err, diff)
	}
	// On a server where `read` does not include the question, it is not asked.
	without := new(elastic.Dialect)
	without.Refused(elastic.ReadResolvesIndices)
	for dialect, want := range map[*elastic.Dialect]int{nil: 3, without: 0} {
		asked := &resolving{Transport: job}
		r, err := i.Ensure(t.Context(), asked, dialect)
		if diff := cmp.Diff(indices.Report{}, r); err != nil || diff != "" || asked.n != want {
			t.Errorf("job: resolved %d names, want %d; error %v (-want +got):\n%s", asked.n, want,
				err, diff)
		}
	}
	// Without the right to look at mappings, a name is still seen to stand for one index.
	c.Do(http.MethodPost, "_aliases", `{"actions":[{"add":{"index":"signals","alias":"alias"}}]}`)
	_, err = indices.Names{Signals: "alias", State: "state",
		DeadLetter: "dead-letter"}.Ensure(t.Context(), c.As("aliased", "aliased-password"), nil)
	if notOne, ok := errors.AsType[*indices.NotConcreteError](err); !ok ||
		notOne.Kind != "an alias" ||
		!slices.Equal(notOne.For, []string{"signals"}) {
		t.Errorf("an alias: got %v, want a refusal as an alias for signals", err)
	}
	w := NewWriter(job, options(i))
	signals := append(numbered(t, 2), signalOf(t, `{"process":"x"}`))
	write(t, w, signals, fates{Created: 2, Reduced: 1})
	write(t, w, signals, fates{Duplicate: 3})

	_, err = i.Ensure(t.Context(), c.As("job", "wrong"), nil)
	if err == nil || !strings.Contains(err.Error(), "401") ||
		strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password: got %v, want a 401", err)
	}
	_, err = NewWriter(c.As("nobody", "nobody-password"), options(i)).Write(t.Context(), signals)
	if err == nil || !strings.Contains(err.Error(), "may not create documents") {
		t.Errorf("nobody: got %v, want that the user may not create documents", err)
	}
}
