package indices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// existing is what the index API says of an index.
type existing struct {
	Mappings struct {
		Meta   meta `json:"_meta"`
		Source struct {
			Enabled  *bool    `json:"enabled"`
			Mode     string   `json:"mode"`
			Includes []string `json:"includes"`
			Excludes []string `json:"excludes"`
		} `json:"_source"`
		Dynamic any `json:"dynamic"`
		mapped
	} `json:"mappings"`
	Settings struct {
		Index struct {
			DefaultPipeline string `json:"default_pipeline"`
			FinalPipeline   string `json:"final_pipeline"`
			Mode            string `json:"mode"`
			Mapping         struct {
				Source struct {
					Mode string `json:"mode"`
				} `json:"source"`
			} `json:"mapping"`
		} `json:"index"`
	} `json:"settings"`
	DataStream string `json:"data_stream"`

	unseen bool // its mapping may not be looked at
}

// mapped is a field of a mapping, or all of one.
type mapped struct {
	Type       string            `json:"type"`
	Index      *bool             `json:"index"`
	Properties map[string]mapped `json:"properties"`
}

// each hands on the fields that hold values, by their whole names.
func (m mapped) each(prefix string, f func(name string, field mapped)) {
	for key, field := range m.Properties {
		if field.Type != "" && field.Type != "object" {
			f(prefix+key, field)
		}
		field.each(prefix+key+".", f)
	}
}

// UnreadableError is an index of which nothing can be read back as it was written. What is written
// there is lost: signals and ledgers have ids of their own, and are never written a second time.
type UnreadableError struct{ Index, Problem string }

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("index %s: %s, so what is written there cannot be read back as it was, and "+
		"nothing is written: change the index template that brings this about, delete the index, and "+
		"run `esrule setup`; or name another index", e.Index, e.Problem)
}

// inspect warns of what an index would do to documents, or to who looks for them. The error is an
// *UnreadableError.
func (r *Report) inspect(d definition, e *existing) error {
	warn := func(problem, advice string) {
		r.Warnings = append(r.Warnings, Warning{"index " + d.name, problem, advice})
	}
	source, index := e.Mappings.Source, e.Settings.Index
	mode := strings.ToLower(source.Mode + index.Mapping.Source.Mode)
	synthetic := mode == "synthetic" || mode == "" &&
		(index.Mode == "logsdb" || index.Mode == "time_series")
	filtered := len(source.Includes)+len(source.Excludes) > 0
	const reshaped = "its _source is synthetic: it has another shape than what was written"
	switch {
	case source.Enabled != nil && !*source.Enabled, mode == "disabled":
		return &UnreadableError{d.name, "its mapping keeps no _source"}
	case synthetic && d.holds == "state":
		return &UnreadableError{d.name, reshaped}
	case filtered && d.holds == "state":
		return &UnreadableError{d.name, "its mapping leaves fields out of _source"}
	case synthetic:
		warn(reshaped, "reports read events back from it: use an index with a stored _source")
	case filtered:
		warn("its mapping leaves fields out of _source",
			"they are lost: take includes and excludes away")
	}
	for name, pipeline := range map[string]string{
		"default_pipeline": index.DefaultPipeline, "final_pipeline": index.FinalPipeline,
	} {
		if pipeline != "" && pipeline != "_none" {
			warn(fmt.Sprintf("index.%s is %q: an ingest pipeline changes or drops what is written",
				name, pipeline),
				"take it away, or see that it keeps every document and its kibana.alert.* fields")
		}
	}
	if e.Mappings.Dynamic == "strict" {
		warn("its mapping is strict: it refuses documents that hold other fields",
			"set dynamic to false in it")
	}
	if wrong := d.differences(e); len(wrong) > 0 {
		const most = 5
		more := ""
		if n := len(wrong) - most; n > 0 {
			wrong, more = wrong[:most], fmt.Sprintf(" and %d more", n)
		}
		warn("its mapping differs: "+strings.Join(wrong, ", ")+more,
			"searches over these fields find nothing, or documents are refused: make the index "+
				"anew with `esrule setup`")
	}
	return nil
}

// differences are the fields of ours that an index maps otherwise, or does not map and never will.
func (d definition) differences(e *existing) []string {
	var ours struct {
		Mappings mapped `json:"mappings"`
	}
	if err := json.Unmarshal(d.body(), &ours); err != nil {
		panic(err) // the file is part of the program
	}
	theirs := map[string]mapped{}
	e.Mappings.each("", func(name string, field mapped) { theirs[name] = field })
	closed := e.Mappings.Dynamic == "false" || e.Mappings.Dynamic == false ||
		e.Mappings.Dynamic == "strict"
	older := e.Mappings.Meta.Esrule != nil && e.Mappings.Meta.Esrule.Version != templateVersion
	var wrong []string
	ours.Mappings.each("", func(name string, want mapped) {
		if !strings.HasPrefix(name, "kibana.alert.") && name != "@timestamp" &&
			d.holds == "signals" {
			return
		}
		got, there := theirs[name]
		switch {
		case !there && closed && !older:
			wrong = append(wrong, name+" is not mapped")
		case there && got.Type != want.Type:
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", name, got.Type, want.Type))
		case there && got.Index != nil && !*got.Index && (want.Index == nil || *want.Index):
			wrong = append(wrong, name+" is not indexed")
		}
	})
	slices.Sort(wrong)
	return wrong
}

// Inspect says what is wrong with those of the three indices that are there, and creates nothing.
func (n Names) Inspect(ctx context.Context, client elastic.Transport,
	dialect *elastic.Dialect) ([]Warning, error) {
	var r Report
	may, err := n.rights(ctx, client, dialect)
	if err != nil {
		return nil, err
	}
	for _, d := range n.all() {
		there, err := lookUp(ctx, client, d.name, may)
		if _, forbidden := errors.AsType[*ForbiddenError](err); forbidden {
			continue // Missing names the privilege
		}
		if err != nil {
			return nil, err
		}
		if there == nil || there.unseen {
			continue
		}
		if unreadable, ok := errors.AsType[*UnreadableError](r.inspect(d, there)); ok {
			r.Warnings = append(r.Warnings, Warning{"index " + d.name, unreadable.Problem,
				"no run writes to it: change the index template, delete the index, and run " +
					"`esrule setup`"})
		}
	}
	return r.Warnings, nil
}
