package main

import (
	"strings"
	"testing"

	"esrule/internal/estest"
)

// A cluster without security has nobody to authenticate and is ready all the same.
func TestReadyWithoutSecurity(t *testing.T) {
	server := estest.For(t)
	if _, err := connectTo(t, "ESRULE_ELASTICSEARCH_URL="+server.URL); err != nil {
		t.Error(err)
	}
}

func TestReadyWithSecurity(t *testing.T) {
	server := estest.Own(t, estest.Options{
		Users: []estest.User{
			{Name: "job", Password: "correct-horse", Roles: []string{"job"}},
			{Name: "nobody", Password: "correct-horse"},
		},
		Roles: map[string]string{
			"job": `{"indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]}`,
		},
	})
	url := "ESRULE_ELASTICSEARCH_URL=" + server.URL

	accepted := func(pairs ...string) {
		t.Helper()
		if _, err := connectTo(t, append(pairs, url)...); err != nil {
			t.Errorf("%q: %v", pairs, err)
		}
	}
	// No cluster privilege is needed to be let in, nor any other.
	accepted("ESRULE_ELASTICSEARCH_USERNAME=job", "ESRULE_ELASTICSEARCH_PASSWORD=correct-horse")
	accepted("ESRULE_ELASTICSEARCH_USERNAME=nobody", "ESRULE_ELASTICSEARCH_PASSWORD=correct-horse")

	refused := func(want []string, pairs ...string) {
		t.Helper()
		_, err := connectTo(t, pairs...)
		checkRefused(t, err, want...)
		for _, secret := range []string{"wrong-staple", "d3Jvbmc6a2V5"} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the secret %q is in %q", secret, err)
			}
		}
	}
	refused([]string{`the cluster refused user "job" with this password: ` + server.URL +
		": status 401 Unauthorized", "check ESRULE_ELASTICSEARCH_USERNAME"},
		url, "ESRULE_ELASTICSEARCH_USERNAME=job", "ESRULE_ELASTICSEARCH_PASSWORD=wrong-staple")
	refused([]string{`the cluster refused user "job" with this password: ` + server.URL},
		"ESRULE_ELASTICSEARCH_URL="+strings.Replace(server.URL, "://", "://job:wrong-staple@", 1))
	refused([]string{`the cluster refused the API key: ` + server.URL + ": status 401 Unauthorized",
		"check ESRULE_ELASTICSEARCH_API_KEY"},
		url, "ESRULE_ELASTICSEARCH_API_KEY=d3Jvbmc6a2V5")
	refused([]string{`the cluster refused a request without credentials: ` + server.URL +
		": status 401 Unauthorized", "set ESRULE_ELASTICSEARCH_API_KEY"},
		url)
}
