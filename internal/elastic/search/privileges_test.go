package search_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

func TestPrivilegesWithoutSecurity(t *testing.T) {
	server := estest.For(t)
	if server.Username != "" {
		t.Skip("the cluster of ESTEST_URL has security")
	}
	missing, err := search.NewCluster(server.Client, search.Options{}).Privileges(t.Context(),
		[]string{"a-*"})
	if err != nil || len(missing) > 0 {
		t.Errorf("got %v and error %v, want nothing", missing, err)
	}
}

// TestSecured is what needs users of their own, on one server.
func TestSecured(t *testing.T) {
	t.Parallel() // its server takes a while to start
	server := estest.Own(t, estest.Options{
		Users: []estest.User{
			{Name: "reader", Password: "reader-password", Roles: []string{"reader"}},
			{Name: "viewer", Password: "viewer-password", Roles: []string{"viewer"}},
			{Name: "asker", Password: "asker-password", Roles: []string{"asker"}},
		},
		Roles: map[string]string{
			"reader": `{"indices": [
				{"names": ["open-*"], "privileges": ["read", "view_index_metadata"]},
				{"names": ["half-*"], "privileges": ["read"]}]}`,
			"viewer": `{"indices": [{"names": ["*"],
				"privileges": ["read", "view_index_metadata"]}]}`,
			"asker": `{"indices": [{"names": ["*"],
				"privileges": ["read", "view_index_metadata", "indices:admin/analyze"]}]}`,
		},
	})
	t.Run("privileges", func(t *testing.T) { privileges(t, server) })
	t.Run("normalizers", func(t *testing.T) { normalizersByRole(t, server) })
}

// privileges are those that are missing, by the patterns that were asked for.
func privileges(t *testing.T, server *estest.Cluster) {
	for _, index := range []string{"open-1", "half-1", "secret-1"} {
		server.Bulk(index, `{"k": "x"}`)
	}
	c := search.NewCluster(server.As("reader", "reader-password"), search.Options{Tries: 1})
	f := func(patterns []string, want ...search.MissingPrivilege) {
		t.Helper()
		got, err := c.Privileges(t.Context(), patterns)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", patterns, diff)
		}
	}
	half := search.MissingPrivilege{Pattern: "half-*", Privilege: "view_index_metadata"}
	read := search.MissingPrivilege{Pattern: "secret-*", Privilege: "read"}
	view := search.MissingPrivilege{Pattern: "secret-*", Privilege: "view_index_metadata"}
	f([]string{"open-*"})
	f([]string{"open-*", "-open-2"})
	f([]string{"-open-2"})
	f([]string{"open-1", "half-*"}, half)
	f([]string{"secret-*", "open-*", "half-*"}, read, view, half)

	// Why it must be asked: what is forbidden looks empty.
	pit, err := c.OpenPointInTime(t.Context(), []string{"secret-*"})
	if err != nil || !pit.Empty() {
		t.Errorf("a point in time on a forbidden pattern: got empty %v and error %v", pit.Empty(),
			err)
	}
	if _, err := c.Count(t.Context(), []string{"secret-1"}, dsl.Everything()); err != nil &&
		!errors.Is(err, elastic.ErrForbidden) {
		t.Errorf("a forbidden index: got the error %v, want none or %v", err, elastic.ErrForbidden)
	}
	stranger := search.NewCluster(server.As("reader", "wrong"), search.Options{Tries: 1})
	if _, err := stranger.OpenPointInTime(t.Context(), []string{"open-*"}); !errors.Is(err,
		elastic.ErrUnauthorized) {
		t.Errorf("a wrong password: got the error %v, want %v", err, elastic.ErrUnauthorized)
	}
}
