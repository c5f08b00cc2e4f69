package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Wanted are privileges to ask for.
type Wanted struct {
	Cluster []string       `json:"cluster,omitempty"`
	Index   []WantedOnData `json:"index,omitempty"`
}

// WantedOnData are privileges on indices, or on patterns of them.
type WantedOnData struct {
	Names      []string `json:"names"`
	Privileges []string `json:"privileges"`
}

// Granted is what the user or API key may do.
type Granted struct {
	everything bool                       // the cluster has no security
	ClusterMay map[string]bool            `json:"cluster"`
	IndexMay   map[string]map[string]bool `json:"index"`
}

// Cluster reports whether a cluster privilege is granted.
func (g Granted) Cluster(privilege string) bool { return g.everything || g.ClusterMay[privilege] }

// Index reports whether a privilege on an index or a pattern is granted.
func (g Granted) Index(name, privilege string) bool {
	return g.everything || g.IndexMay[name][privilege]
}

// Check implements Checked.
func (g *Granted) Check() error {
	switch {
	case g.ClusterMay == nil:
		return Lacks("cluster")
	case g.IndexMay == nil:
		return Lacks("index")
	}
	return nil
}

// UnknownRightsError says that something before the cluster keeps the question for our privileges
// from it. What may not be read is answered as if it were not there, so nothing may count as
// searched then.
type UnknownRightsError struct{ Cause error }

func (e *UnknownRightsError) Error() string {
	return fmt.Sprintf("it is not known what may be read, since something before the cluster "+
		"bars %s (%v), "+
		"and what may not be read looks like what is not there: let POST %s pass",
		HasPrivileges, e.Cause, HasPrivileges)
}

func (e *UnknownRightsError) Unwrap() error { return e.Cause }

// HasPrivileges is the path of the question.
const HasPrivileges = "/_security/user/_has_privileges"

// Privileges asks which of the wanted privileges are granted. Where the server has no security all
// are.
func Privileges(ctx context.Context, t Transport, wanted Wanted) (Granted, error) {
	var granted Granted
	r, err := Request{Method: http.MethodPost, Path: HasPrivileges}.JSON(wanted)
	if err != nil {
		return granted, err
	}
	answer, err := Send(ctx, t, r, nil, 0)
	if err == nil {
		err = answer.Read(&granted)
	}
	switch {
	case err == nil:
		return granted, nil
	case lacksSecurity(err):
		return Granted{everything: true}, nil
	case isBarred(err):
		if off, offErr := securityIsOff(ctx, t); offErr == nil && off {
			return Granted{everything: true}, nil
		}
		return granted, &UnknownRightsError{err}
	}
	return granted, err
}

// lacksSecurity reports whether a server without security refused a question about it: 8.0 and
// newer know no such path; 7.x takes it for a document of an index _security, or, where its
// configuration says nothing of security, fails.
func lacksSecurity(err error) bool {
	refused, ok := errors.AsType[*Error](err)
	if !ok || !refused.Genuine {
		return false
	}
	switch refused.Status {
	case http.StatusBadRequest:
		return strings.HasPrefix(refused.Reason, "no handler found") ||
			refused.Type == "invalid_index_name_exception"
	case http.StatusInternalServerError:
		return strings.HasPrefix(refused.Reason, "Security must be explicitly enabled")
	}
	return false
}

// isBarred reports whether something else than Elasticsearch refused a path. Elasticsearch's own
// refusals for want of a privilege lack its header, but have a type.
func isBarred(err error) bool {
	if _, foreign := errors.AsType[*ForeignError](err); foreign {
		return true
	}
	if _, redirects := errors.AsType[*RedirectError](err); redirects {
		return true
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Genuine || refused.Type == "security_exception" {
		return false
	}
	switch refused.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone,
		http.StatusNotImplemented, http.StatusBadRequest:
		return true
	}
	return false
}

// securityIsOff asks a server by its settings, which nobody needs a privilege for where there is no
// security. A default is not among them, so 7.x is asked for its features besides.
func securityIsOff(ctx context.Context, t Transport) (bool, error) {
	var nodes nodesAnswer
	answer, err := Send(ctx, t, Request{
		Method: http.MethodGet, Path: "/_nodes/_local/settings",
		Params: url.Values{"filter_path": {"nodes.*.settings.xpack.security.enabled,nodes.*.version"}},
	}, nil, 0)
	if err == nil {
		err = answer.Read(&nodes)
	}
	if err != nil {
		return false, err
	}
	if enabled := nodes.first().Settings.XPack.Security.Enabled; enabled != "" {
		return enabled == "false", nil
	}
	var info xpackAnswer
	answer, err = Send(ctx, t, Request{
		Method: http.MethodGet, Path: "/_xpack",
		Params: url.Values{"categories": {"features"},
			"filter_path": {"features.security.enabled"}},
	}, nil, 0)
	if err == nil {
		err = answer.Read(&info)
	}
	return err == nil && !*info.Features.Security.Enabled, err
}

type nodesAnswer struct {
	Nodes map[string]nodeAnswer `json:"nodes"`
}

type nodeAnswer struct {
	Version  string `json:"version"`
	Settings struct {
		XPack struct {
			Security struct {
				Enabled string `json:"enabled"`
			} `json:"security"`
		} `json:"xpack"`
	} `json:"settings"`
}

func (n *nodesAnswer) Check() error {
	if len(n.Nodes) == 0 || n.first().Version == "" {
		return Lacks("version of a node")
	}
	return nil
}

func (n *nodesAnswer) first() nodeAnswer {
	for _, one := range n.Nodes {
		return one
	}
	return nodeAnswer{}
}

type xpackAnswer struct {
	Features struct {
		Security struct {
			Enabled *bool `json:"enabled"`
		} `json:"security"`
	} `json:"features"`
}

func (x *xpackAnswer) Check() error {
	if x.Features.Security.Enabled == nil {
		return Lacks("features.security.enabled")
	}
	return nil
}
