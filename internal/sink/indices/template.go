package indices

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"esrule/internal/elastic"
)

// templateVersion counts the changes of the files in templates; each of them carries it.
const templateVersion = 4

// templatePriority is above what Elasticsearch's own and most users' catch-all templates have.
const templatePriority = 500

//go:embed templates/*.json
var templates embed.FS

// definition is one of the three indices: its name, and what it holds, which is its file's name
// too.
type definition struct{ name, holds string }

// body is the index's settings and mapping.
func (d definition) body() []byte {
	b, err := templates.ReadFile("templates/" + d.holds + ".json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return b
}

// meta is the mark by which a later release knows what an earlier one made.
type meta struct {
	Esrule *struct {
		Version int    `json:"version"`
		Holds   string `json:"holds"`
	} `json:"esrule"`
}

// ensureTemplate keeps whoever deletes an index from getting one with a guessed mapping in its
// place: the template forbids that a write creates it. A user who may not manage templates needs
// none to work.
func (r *Report) ensureTemplate(ctx context.Context, client elastic.Transport, d definition,
	indexThere bool, may rights) error {
	on := "index template " + d.name
	if !may.templates {
		r.noTemplate(on, indexThere)
		return nil
	}
	var got foundTemplates
	err := send(ctx, client, elastic.Request{Method: http.MethodGet, Path: templatePath(d.name)},
		&got)
	if err == nil && len(got.Templates) > 0 {
		r.check(on, d, got.Templates[0].Template.Meta)
		return nil
	}
	if err == nil || errors.Is(err, elastic.ErrNotFound) {
		err = r.createTemplate(ctx, client, d)
	}
	switch refused := refusal(err); {
	case refused.Status == http.StatusForbidden:
		r.noTemplate(on, indexThere)
	case refused.Status == http.StatusBadRequest:
		r.Warnings = append(r.Warnings, Warning{on,
			fmt.Sprintf("not created: %.300s", refused.Reason),
			"the index works without it; change the template that stands in the way"})
	case err != nil:
		return fmt.Errorf("create %s: %w", on, err)
	}
	return nil
}

// noTemplate warns only beside an index that is new: one that is there was set up by somebody who
// had the right.
func (r *Report) noTemplate(on string, indexThere bool) {
	if !indexThere {
		r.Warnings = append(r.Warnings, Warning{on, "not created, for want of the right to " +
			"manage index templates",
			"the index works without it; `esrule setup`, run by an operator, creates it"})
	}
}

func (r *Report) createTemplate(ctx context.Context, client elastic.Transport, d definition) error {
	body, err := json.Marshal(map[string]any{
		"index_patterns":    []string{d.name},
		"priority":          templatePriority,
		"version":           templateVersion,
		"allow_auto_create": false,
		"_meta": map[string]any{"esrule": map[string]any{"version": templateVersion,
			"holds": d.holds}},
		"template": json.RawMessage(d.body()),
	})
	if err != nil {
		return err
	}
	err = send(ctx, client, elastic.Request{
		Method: http.MethodPut, Path: templatePath(d.name), Body: body,
		// never replaces one that was made since we looked
		Params: url.Values{"create": {"true"}},
	}, &acknowledged{})
	if err == nil {
		r.Created = append(r.Created, "index template "+d.name)
		return nil
	}
	if there, lookErr := templateThere(ctx, client, d.name); lookErr == nil && there {
		return nil
	}
	return err
}

// templateThere is asked after a refused creation, since Elasticsearch answers "exists already"
// with a plain illegal_argument_exception.
func templateThere(ctx context.Context, client elastic.Transport, name string) (bool, error) {
	err := send(ctx, client, elastic.Request{Method: http.MethodGet, Path: templatePath(name)},
		&foundTemplates{})
	if errors.Is(err, elastic.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func templatePath(name string) string { return "/_index_template/" + url.PathEscape(name) }

// foundTemplates is what there is of the name of an index template.
type foundTemplates struct {
	Templates []struct {
		Template struct {
			Meta meta `json:"_meta"`
		} `json:"index_template"`
	} `json:"index_templates"`
}

func (t *foundTemplates) Check() error {
	if t.Templates == nil {
		return elastic.Lacks("index_templates")
	}
	return nil
}

// check warns of an index or template that this release would have made otherwise.
func (r *Report) check(on string, d definition, m meta) {
	warn := func(problem, advice string) {
		r.Warnings = append(r.Warnings, Warning{on, problem, advice})
	}
	switch {
	case m.Esrule == nil || m.Esrule.Holds != d.holds:
		warn("not made by esrule for "+d.holds,
			"it is used as it is; where its mapping refuses a document, a reduced one is written")
	case m.Esrule.Version < templateVersion:
		warn(fmt.Sprintf("made by an earlier release (version %d, now %d)", m.Esrule.Version,
			templateVersion),
			"it is used as it is, without the fields that are new")
	case m.Esrule.Version > templateVersion:
		warn(fmt.Sprintf("made by a later release (version %d, here %d)", m.Esrule.Version,
			templateVersion),
			"it is used as it is; update this program")
	}
}
