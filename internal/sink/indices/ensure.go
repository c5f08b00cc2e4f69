package indices

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// Names are the names of the three indices that the program owns.
type Names struct {
	Signals, State, DeadLetter string
}

// Report is what Ensure did and what somebody should look at.
type Report struct {
	Created  []string  // "index esrule-signals", "index template esrule-signals"
	Warnings []Warning // what is there, is not as this release makes it, and was left as it is
	// Missing is what the job, once all is set up, would have to be allowed and this user is not.
	Missing MissingPrivileges
}

// A Warning is about an index or a template that works, perhaps less well than it should.
type Warning struct {
	On      string // "index esrule-signals"
	Problem string
	Advice  string
}

func (w Warning) String() string { return w.On + ": " + w.Problem + ": " + w.Advice }

// Ensure creates the indices and their templates where they are missing, and changes nothing that
// is there. Any number of processes may call it at once. It refuses a name that does not stand for
// one concrete index: a document's id is unique within an index only, so that behind an alias, a
// data stream or a rollover the same signal could be created twice.
func (n Names) Ensure(ctx context.Context, client elastic.Transport,
	dialect *elastic.Dialect) (Report, error) {
	var r Report
	if err := n.validate(); err != nil {
		return r, err
	}
	may, err := n.rights(ctx, client, dialect)
	if err != nil {
		return r, err
	}
	r.Missing = may.missing
	for _, index := range n.all() {
		if err := r.ensure(ctx, client, index, may); err != nil {
			if forbidden, ok := errors.AsType[*ForbiddenError](err); ok {
				forbidden.Missing = may.missing
			}
			return r, err
		}
	}
	return r, nil
}

func (n Names) all() []definition {
	return []definition{
		{n.Signals, "signals"},
		{n.State, "state"},
		{n.DeadLetter, "dead-letter"},
	}
}

func (n Names) validate() error {
	var names []string
	for _, d := range n.all() {
		if d.name == "" || strings.ContainsAny(d.name, `*?,<>:"\/| #`) ||
			strings.ContainsAny(d.name[:1], "-_+") {
			return fmt.Errorf("%s index %q: not the name of one index", d.holds, d.name)
		}
		if slices.Contains(names, d.name) {
			return fmt.Errorf(
				"%s index %q: the name of another of the three indices; each needs its own",
				d.holds, d.name)
		}
		names = append(names, d.name)
	}
	return nil
}

// ensure looks before it creates, so that a job without the right to create runs on what an
// operator has set up.
func (r *Report) ensure(ctx context.Context, client elastic.Transport, d definition,
	may rights) error {
	there, err := lookUp(ctx, client, d.name, may)
	if err != nil {
		return err
	}
	if err := r.ensureTemplate(ctx, client, d, there != nil, may); err != nil {
		return err
	}
	if there == nil {
		there, err = r.create(ctx, client, d, may)
		if err == nil && there == nil { // templates of others may have changed it
			there, err = lookUp(ctx, client, d.name, may)
		}
		if err != nil || there == nil {
			return err
		}
	}
	if there.unseen {
		return nil
	}
	r.check("index "+d.name, d, there.Mappings.Meta)
	return r.inspect(d, there)
}

// lookUp returns the concrete index of that name, or nil where the name is free. Who may read the
// index and not its mapping, as the job's role has it, learns what the name stands for.
func lookUp(ctx context.Context, client elastic.Transport, name string,
	may rights) (*existing, error) {
	if !may.views[name] {
		return resolve(ctx, client, name, may)
	}
	found := existingAll{}
	err := send(ctx, client, elastic.Request{
		Method: http.MethodGet, Path: path(name, ""),
		Params: url.Values{"filter_path": {"*.mappings,*.data_stream,*.settings.index"}},
	}, &found)
	switch {
	case errors.Is(err, elastic.ErrNotFound):
		return nil, nil
	case refusal(err).Status == http.StatusForbidden:
		return resolve(ctx, client, name, may)
	case err != nil:
		return nil, fmt.Errorf("look at index %s: %w", name, err)
	case found[name] != nil && found[name].DataStream == "":
		return found[name], nil
	}
	return nil, notConcrete(name, found)
}

// existingAll is what there is of a name that stands for at least one index.
type existingAll map[string]*existing

func (e *existingAll) Check() error {
	if len(*e) == 0 {
		return elastic.Lacks("index")
	}
	return nil
}

// resolve is lookUp for a user who has the privilege read and no other.
func resolve(ctx context.Context, client elastic.Transport, name string,
	may rights) (*existing, error) {
	if !may.dialect.Can(elastic.ReadResolvesIndices) {
		return resolveByFields(ctx, client, name)
	}
	var found elastic.Resolved
	err := send(ctx, client, elastic.Request{Method: http.MethodGet, Path: "/_resolve/index/" +
		url.PathEscape(name)}, &found)
	switch {
	case errors.Is(err, elastic.ErrNotFound):
		return nil, nil
	case refusal(err).Status == http.StatusForbidden:
		return resolveByFields(ctx, client, name)
	case err != nil:
		return nil, fmt.Errorf("look at index %s: %w", name, err)
	case len(found.Aliases) > 0:
		return nil, &NotConcreteError{Name: name, Kind: "an alias", For: found.Aliases[0].Indices}
	case len(found.DataStreams) > 0:
		return nil, &NotConcreteError{Name: name, Kind: "a data stream",
			For: found.DataStreams[0].Backing}
	case len(found.Indices) > 0:
		return &existing{unseen: true}, nil
	}
	return nil, nil
}

// resolveByFields is resolve without elastic.ReadResolvesIndices: the answer about an index's
// fields names the indices that it is about.
func resolveByFields(ctx context.Context, client elastic.Transport,
	name string) (*existing, error) {
	var found indicesAnswered
	err := send(ctx, client, elastic.Request{
		Method: http.MethodGet, Path: path(name, "/_field_caps"),
		Params: url.Values{"fields": {"_id"}, "filter_path": {"indices"}},
	}, &found)
	switch {
	case errors.Is(err, elastic.ErrNotFound):
		return nil, nil
	case refusal(err).Status == http.StatusForbidden:
		return nil, &ForbiddenError{Doing: "look at index " + name, Err: err}
	case err != nil:
		return nil, fmt.Errorf("look at index %s: %w", name, err)
	case slices.Equal(found.Indices, []string{name}):
		return &existing{unseen: true}, nil
	}
	return nil, &NotConcreteError{Name: name, Kind: "an alias or a data stream", For: found.Indices}
}

// indicesAnswered names the indices that an answer of `_field_caps` is about.
type indicesAnswered struct{ Indices []string }

func (i *indicesAnswered) Check() error {
	if len(i.Indices) == 0 {
		return elastic.Lacks("indices")
	}
	return nil
}

// create makes the index. Where another process was faster, it returns what that one made.
func (r *Report) create(ctx context.Context, client elastic.Transport, d definition,
	may rights) (*existing, error) {
	// The whole definition, not the template alone: the job may be allowed to create indices but
	// not templates.
	err := send(ctx, client, elastic.Request{Method: http.MethodPut, Path: path(d.name, ""),
		Body: d.body()}, &acknowledged{})
	switch {
	case err == nil:
		r.Created = append(r.Created, "index "+d.name)
		return nil, nil
	case refusal(err).Type == "resource_already_exists_exception":
		return lookUp(ctx, client, d.name, may)
	case refusal(err).Status == http.StatusForbidden:
		return nil, &ForbiddenError{Doing: "create index " + d.name, Err: err}
	}
	return nil, fmt.Errorf("create index %s: %w", d.name, err)
}

// acknowledged is the answer to the making of an index or a template.
type acknowledged struct {
	Done *bool `json:"acknowledged"`
}

func (a *acknowledged) Check() error {
	if a.Done == nil {
		return elastic.Lacks("acknowledged")
	}
	return nil
}

// send sends a request and reads its answer into out.
func send(ctx context.Context, client elastic.Transport, r elastic.Request,
	out elastic.Checked) error {
	answer, err := elastic.Send(ctx, client, r, nil, 0)
	if err != nil {
		return err
	}
	return answer.Read(out)
}

// refusal is what the cluster refused a request with; the zero Error where it did not.
func refusal(err error) elastic.Error {
	if refused, ok := errors.AsType[*elastic.Error](err); ok {
		return *refused
	}
	return elastic.Error{}
}

func path(index, action string) string { return "/" + url.PathEscape(index) + action }

// ForbiddenError is a step of the set-up that the cluster does not allow this user.
type ForbiddenError struct {
	Doing   string            // "create index esrule-signals"
	Missing MissingPrivileges // what the job itself lacks; the set-up takes more
	Err     error
}

func (e *ForbiddenError) Error() string {
	text := e.Doing + ": not allowed: run `esrule setup` once as a user who may create indices " +
		"and templates, and give this" +
		" user the role that it prints"
	for _, m := range e.Missing {
		text += "\n  " + m.String()
	}
	return text
}

func (e *ForbiddenError) Unwrap() error { return e.Err }

// NotConcreteError is a name that stands for something else than one index.
type NotConcreteError struct {
	Name string
	Kind string // "an alias", "a data stream"
	For  []string
}

func notConcrete(name string, found existingAll) *NotConcreteError {
	e := &NotConcreteError{Name: name, Kind: "an alias"}
	for index, f := range found {
		if f.DataStream != "" {
			e.Kind = "a data stream"
		}
		e.For = append(e.For, index)
	}
	slices.Sort(e.For)
	return e
}

func (e *NotConcreteError) Error() string {
	advice := "name an index of its own"
	if len(e.For) == 1 && e.Kind == "an alias" {
		advice = "name that index itself, or another"
	}
	return fmt.Sprintf("%s is %s for %s: a signal's id is unique within one index only, so "+
		"behind an alias, a data stream"+
		" or a rollover an event could be alerted twice: %s", e.Name, e.Kind,
		strings.Join(e.For, ", "), advice)
}
