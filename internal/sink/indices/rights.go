package indices

import (
	"context"
	"errors"
	"fmt"
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
	return strings.Join(all, ", ") +
		": give this user or API key the role that `esrule setup` prints"
}

// rights is what the user may do with the three indices.
type rights struct {
	views     map[string]bool // by index: whether its mapping may be looked at
	templates bool
	missing   MissingPrivileges
	dialect   *elastic.Dialect // of the server that was asked
}

const (
	viewMetadata    = "view_index_metadata"
	manageTemplates = "manage_index_templates"
)

// required is what the job needs of an index that is there. What adds to an index is asked for as
// create_doc, which each of create, index and write holds, and called create.
func (d definition) required() (asked, called []string) {
	if d.holds == "state" {
		return []string{"read", "index"}, []string{"read", "index"}
	}
	return []string{"read", "create_doc"}, []string{"read", "create"}
}

// Missing returns which privileges on the three indices the job lacks.
func (n Names) Missing(ctx context.Context, client elastic.Transport) (MissingPrivileges, error) {
	may, err := n.rights(ctx, client, nil)
	return may.missing, err
}

// rights asks instead of trying: each refusal would be a line in the cluster's audit log, at every
// run. Where something before the cluster bars the question, everything is tried: what may not be
// written is refused then, and that is an error.
func (n Names) rights(ctx context.Context, client elastic.Transport,
	dialect *elastic.Dialect) (rights, error) {
	may := rights{views: map[string]bool{}, templates: true, dialect: dialect}
	wanted := elastic.Wanted{Cluster: []string{manageTemplates}}
	for _, d := range n.all() {
		asked, _ := d.required()
		wanted.Index = append(wanted.Index, elastic.WantedOnData{
			Names: []string{d.name}, Privileges: append(asked, viewMetadata)})
	}
	granted, err := elastic.Privileges(ctx, client, wanted)
	_, unknown := errors.AsType[*elastic.UnknownRightsError](err)
	if err != nil && !unknown {
		return may, fmt.Errorf("ask what this user may do with the indices: %w", err)
	}
	for _, d := range n.all() {
		may.views[d.name] = unknown || granted.Index(d.name, viewMetadata)
		asked, called := d.required()
		for at, privilege := range asked {
			if !unknown && !granted.Index(d.name, privilege) {
				may.missing = append(may.missing, MissingPrivilege{d.name, called[at]})
			}
		}
	}
	may.templates = unknown || granted.Cluster(manageTemplates)
	return may, nil
}
