package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"esrule/internal/elastic"
)

// MissingPrivilege is something that the job has to be allowed and is not.
type MissingPrivilege struct{ Index, Privilege string }

func (m MissingPrivilege) String() string {
	return fmt.Sprintf("the privilege %s on %s is missing", m.Privilege, m.Index)
}

// MissingPrivileges is an error of its own where a job cannot work without them.
type MissingPrivileges []MissingPrivilege

func (m MissingPrivileges) Error() string {
	var all []string
	for _, one := range m {
		all = append(all, one.String())
	}
	return strings.Join(all, ", ") + ": give this user or API key the role that `esrule setup` prints"
}

// rights is what the user may do with the three indices.
type rights struct {
	views     map[string]bool // by index: whether its mapping may be looked at
	templates bool
	missing   MissingPrivileges
}

const (
	viewMetadata    = "view_index_metadata"
	manageTemplates = "manage_index_templates"
)

// required is what the job needs of an index that is there. What adds to an index is asked for as create_doc, which
// each of create, index and write holds, and called create.
func (d definition) required() (asked, called []string) {
	if d.holds == "state" {
		return []string{"read", "index"}, []string{"read", "index"}
	}
	return []string{"read", "create_doc"}, []string{"read", "create"}
}

// Missing tells which privileges on the three indices the job lacks.
func (i Indices) Missing(ctx context.Context, client elastic.Transport) (MissingPrivileges, error) {
	may, err := i.rights(ctx, client)
	return may.missing, err
}

// rights asks instead of trying: each refusal would be a line in the cluster's audit log, at every run. Where a server
// has no security, or something before it keeps the question from it, everything is tried.
func (i Indices) rights(ctx context.Context, client elastic.Transport) (rights, error) {
	may := rights{views: map[string]bool{}, templates: true}
	var answered answeredRights
	err := i.askRights(ctx, client, &answered)
	var failure *serverError
	unanswered := errors.As(err, &failure) && (failure.status == http.StatusBadRequest || failure.status == http.StatusForbidden ||
		failure.status == http.StatusNotFound || failure.status == http.StatusMethodNotAllowed)
	if err != nil && !unanswered {
		return may, fmt.Errorf("ask what this user may do with the indices: %w", err)
	}
	for _, d := range i.all() {
		may.views[d.name] = unanswered || answered.Index[d.name][viewMetadata]
		asked, called := d.required()
		for n, privilege := range asked {
			if !unanswered && !answered.Index[d.name][privilege] {
				may.missing = append(may.missing, MissingPrivilege{d.name, called[n]})
			}
		}
	}
	may.templates = unanswered || answered.Cluster[manageTemplates]
	return may, nil
}

func (i Indices) askRights(ctx context.Context, client elastic.Transport, into elastic.Complete) error {
	var indices []any
	for _, d := range i.all() {
		asked, _ := d.required()
		indices = append(indices, map[string]any{"names": []string{d.name}, "privileges": append(asked, viewMetadata)})
	}
	body, err := json.Marshal(map[string]any{"cluster": []string{manageTemplates}, "index": indices})
	if err != nil {
		return err
	}
	return send(ctx, client, elastic.Request{Method: http.MethodPost, Path: "/_security/user/_has_privileges", Body: body}, into)
}

// answeredRights is the answer to what a user may do.
type answeredRights struct {
	Cluster map[string]bool            `json:"cluster"`
	Index   map[string]map[string]bool `json:"index"`
}

func (a *answeredRights) Missing() string {
	switch {
	case a.Cluster == nil:
		return "cluster"
	case a.Index == nil:
		return "index"
	}
	return ""
}
