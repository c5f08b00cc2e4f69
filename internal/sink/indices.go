package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Indices names the three indices that the program owns.
type Indices struct {
	Signals, State, DeadLetter string
}

// Report says what Ensure did and what somebody should look at.
type Report struct {
	Created  []string  // "index esrule-signals", "index template esrule-signals"
	Warnings []Warning // what is there, is not as this release makes it, and was left as it is
}

// A Warning is about an index or a template that works, perhaps less well than it should.
type Warning struct {
	On      string // "index esrule-signals"
	Problem string
	Advice  string
}

func (w Warning) String() string { return w.On + ": " + w.Problem + ": " + w.Advice }

// Ensure creates the indices and their templates where they are missing, and changes nothing that is there. Any number
// of processes may call it at once. It refuses a name that does not stand for one concrete index: a document's id is
// unique within an index only, so that behind an alias, a data stream or a rollover the same signal could be created
// twice.
func (i Indices) Ensure(ctx context.Context, client esapi.Transport) (Report, error) {
	var r Report
	if err := i.validate(); err != nil {
		return r, err
	}
	for _, index := range i.all() {
		if err := r.ensure(ctx, client, index); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (i Indices) all() []definition {
	return []definition{
		{i.Signals, "signals"},
		{i.State, "state"},
		{i.DeadLetter, "dead-letter"},
	}
}

func (i Indices) validate() error {
	var names []string
	for _, d := range i.all() {
		if d.name == "" || strings.ContainsAny(d.name, `*?,<>:"\/| #`) || strings.ContainsAny(d.name[:1], "-_+") {
			return fmt.Errorf("%s index %q: not the name of one index", d.holds, d.name)
		}
		if slices.Contains(names, d.name) {
			return fmt.Errorf("%s index %q: the name of another of the three indices; each needs its own", d.holds, d.name)
		}
		names = append(names, d.name)
	}
	return nil
}

// ensure looks before it creates, so that a job without the right to create runs on what an operator has set up.
func (r *Report) ensure(ctx context.Context, client esapi.Transport, d definition) error {
	there, err := lookUp(ctx, client, d.name)
	if err != nil {
		return err
	}
	if err := r.ensureTemplate(ctx, client, d, there != nil); err != nil {
		return err
	}
	if there == nil {
		there, err = r.create(ctx, client, d)
		if err != nil || there == nil {
			return err
		}
	}
	r.check("index "+d.name, d, there.Mappings.Meta)
	return nil
}

// existing is what the index API tells of an index.
type existing struct {
	Mappings struct {
		Meta meta `json:"_meta"`
	} `json:"mappings"`
	DataStream string `json:"data_stream"`
}

// lookUp gives the concrete index of that name, or nil where the name is free.
func lookUp(ctx context.Context, client esapi.Transport, name string) (*existing, error) {
	found := map[string]*existing{}
	res, err := esapi.IndicesGetRequest{
		Index:      []string{name},
		FilterPath: []string{"*.mappings._meta", "*.data_stream", "*.settings.index.uuid"},
	}.Do(ctx, client)
	err = answer(res, err, &found)
	var failure *serverError
	switch {
	case errors.As(err, &failure) && failure.status == http.StatusNotFound:
		return nil, nil
	case errors.As(err, &failure) && failure.status == http.StatusForbidden:
		return nil, &ForbiddenError{Doing: "look at index " + name, Err: err}
	case err != nil:
		return nil, fmt.Errorf("look at index %s: %w", name, err)
	case found[name] != nil && found[name].DataStream == "":
		return found[name], nil
	}
	return nil, notConcrete(name, found)
}

// create makes the index. Where another process was faster, it gives what that one made.
func (r *Report) create(ctx context.Context, client esapi.Transport, d definition) (*existing, error) {
	// The whole definition, not the template alone: the job may be allowed to create indices but not templates.
	res, err := esapi.IndicesCreateRequest{Index: d.name, Body: bytes.NewReader(d.body())}.Do(ctx, client)
	err = answer(res, err, nil)
	var failure *serverError
	switch {
	case err == nil:
		r.Created = append(r.Created, "index "+d.name)
		return nil, nil
	case errors.As(err, &failure) && failure.typ == "resource_already_exists_exception":
		return lookUp(ctx, client, d.name)
	case errors.As(err, &failure) && failure.status == http.StatusForbidden:
		return nil, &ForbiddenError{Doing: "create index " + d.name, Err: err}
	}
	return nil, fmt.Errorf("create index %s: %w", d.name, explained(err))
}

// explained adds the reason that serverError.Error withholds: here no document is involved.
func explained(err error) error {
	var failure *serverError
	if errors.As(err, &failure) && failure.status == http.StatusBadRequest {
		return fmt.Errorf("%w: %s", err, cut(failure.reason, 300))
	}
	return err
}

// ForbiddenError is a step of the set-up that the cluster does not allow this user.
type ForbiddenError struct {
	Doing string // "create index esrule-signals"
	Err   error
}

func (e *ForbiddenError) Error() string {
	return e.Doing + ": not allowed: run `esrule setup` once as a user who may create indices and templates, and give this" +
		" user the role that it prints"
}

func (e *ForbiddenError) Unwrap() error { return e.Err }

// NotConcreteError is a name that stands for something else than one index.
type NotConcreteError struct {
	Name string
	Kind string // "an alias", "a data stream"
	For  []string
}

func notConcrete(name string, found map[string]*existing) *NotConcreteError {
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
	return fmt.Sprintf("%s is %s for %s: a signal's id is unique within one index only, so behind an alias, a data stream"+
		" or a rollover an event could be alerted twice: %s", e.Name, e.Kind, strings.Join(e.For, ", "), advice)
}
