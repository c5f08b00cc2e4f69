package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"esrule/internal/elastic"
	"esrule/internal/event"
)

// Normalize asks what the normalizers of the classes' fields make of a rule's texts, and enters it
// into their mappings. A normalizer that is defined alike in many indices is asked once, and about
// a text once in the life of the program. Of remote indices nobody knows whether a field has one:
// they are put into classes by what each makes of the texts.
func (c *Cluster) Normalize(ctx context.Context, classes []Class, texts []string) ([]Class, error) {
	var local []Class
	remote := map[string]*event.Mapping{}
	for _, class := range classes {
		if !isRemote(class.Indices) {
			local = append(local, class)
			continue
		}
		if err := c.remoteForms(ctx, class, texts, remote); err != nil {
			return nil, err
		}
	}
	return append(local, classesOf(remote)...), c.normalizeLocal(ctx, local, texts)
}

func (c *Cluster) normalizeLocal(ctx context.Context, classes []Class, texts []string) error {
	for _, class := range classes {
		asked := map[string]*event.Normalizer{} // by definition
		for _, path := range slices.Sorted(maps.Keys(class.Mapping.Fields)) {
			field := class.Mapping.Fields[path]
			if field.Normalizer == nil {
				continue
			}
			known, ok := asked[field.Normalizer.Definition]
			if !ok {
				var unknown, err error
				if known, unknown, err = c.normalizer(ctx, *field.Normalizer, class.Indices,
					texts); err != nil {
					return err
				}
				if unknown != nil {
					class.Mapping.Unknown = append(class.Mapping.Unknown,
						fmt.Sprintf("%s: %v (give the role the index privilege "+
							"indices:admin/analyze)", path, unknown))
				}
				asked[field.Normalizer.Definition] = known
			}
			field.Normalizer = known
			class.Mapping.Fields[path] = field
		}
	}
	return nil
}

func hasNormalizer(mapped map[string]mappedFields) bool {
	for _, fields := range mapped {
		for _, field := range fields {
			if field.Normalizer != nil {
				return true
			}
			for _, sub := range field.Fields {
				if sub.Normalizer != nil {
					return true
				}
			}
		}
	}
	return false
}

// analysisSettings are an index's definitions of normalizers and of what those are made of, flat.
type analysisSettings map[string]json.RawMessage

type analysisAnswer = byIndex[struct {
	Settings analysisSettings `json:"settings"`
}]

func (c *Cluster) analysis(ctx context.Context,
	patterns []string) (map[string]analysisSettings, error) {
	params := openIndices()
	params.Set("flat_settings", "true")
	const names = "index.analysis.normalizer.*,index.analysis.filter.*,index.analysis.char_filter.*"
	answer := analysisAnswer{}
	if _, err := c.askIndices(ctx, patterns, func(patterns []string) call {
		return call{method: http.MethodGet, path: "/" + joined(patterns) + "/_settings/" + names,
			params: params}
	}, &answer); err != nil {
		return nil, err
	}
	settings := map[string]analysisSettings{}
	for index, a := range answer {
		settings[index] = a.Settings
	}
	return settings, nil
}

// normalizer describes a normalizer by its definition, and all that the definition may refer to.
func (s analysisSettings) normalizer(name string) *event.Normalizer {
	const all = "index.analysis.normalizer."
	own, others := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for setting, value := range s {
		if rest, ok := strings.CutPrefix(setting, all+name+"."); ok {
			own[rest] = value
		} else if !strings.HasPrefix(setting, all) {
			others[setting] = value
		}
	}
	if len(own) == 0 { // one of the server's own
		return &event.Normalizer{Name: name, Definition: name, Lowercase: name == "lowercase"}
	}
	definition, err := json.Marshal([]any{name, own, others})
	if err != nil {
		panic(err) // maps of JSON that was read can be written
	}
	delete(own, "type")
	_, redefined := others["index.analysis.filter.lowercase.type"]
	lowercase := len(own) == 1 && !redefined &&
		slices.Equal(oneOrMore(own["filter"]), []string{"lowercase"})
	return &event.Normalizer{Name: name, Definition: string(definition), Lowercase: lowercase}
}

// knownForms remembers what normalizers made of texts, by definition. It is safe for concurrent
// use.
type knownForms struct {
	mutex   sync.Mutex
	forms   map[string]map[string]string
	refused map[string]bool // definitions that may not be asked about
}

// mayAsk reports whether no index refused to say what a normalizer makes of texts.
func (k *knownForms) mayAsk(definition string) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return !k.refused[definition]
}

func (k *knownForms) refuse(definition string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.refused == nil {
		k.refused = map[string]bool{}
	}
	k.refused[definition] = true
}

// of returns the forms of texts as far as they are known, and the texts whose forms are not.
func (k *knownForms) of(definition string,
	texts []string) (forms map[string]string, missing []string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	forms = map[string]string{}
	for _, text := range texts {
		if form, ok := k.forms[definition][text]; ok {
			forms[text] = form
		} else {
			missing = append(missing, text)
		}
	}
	return forms, missing
}

func (k *knownForms) add(definition string, texts, forms []string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.forms == nil {
		k.forms = map[string]map[string]string{}
	}
	if k.forms[definition] == nil {
		k.forms[definition] = map[string]string{}
	}
	for i, text := range texts {
		k.forms[definition][text] = forms[i]
	}
}

// normalizer returns n with what it makes of texts, which the first of the indices says that
// answers. unknown is why none did. One that is known to be lowercase need not be asked: where the
// first index refuses, it is done here, and not asked again: each refusal is a line in the audit
// log.
func (c *Cluster) normalizer(
	ctx context.Context, n event.Normalizer, indices, texts []string,
) (known *event.Normalizer, unknown, err error) {
	_, missing := c.normal.of(n.Definition, texts)
	if n.Lowercase && len(missing) > 0 && !c.normal.mayAsk(n.Definition) {
		c.normal.add(n.Definition, missing, lowercased(missing))
		missing = nil
	}
	for i, index := range indices {
		if len(missing) == 0 {
			break
		}
		tries := uint(1)
		if i == len(indices)-1 && !n.Lowercase {
			tries = c.options.Tries
		}
		if unknown, err = c.askNormalizer(ctx, n, index, missing, tries); err != nil {
			return nil, nil, err
		}
		if unknown != nil && n.Lowercase {
			if errors.Is(unknown, elastic.ErrForbidden) {
				c.normal.refuse(n.Definition)
			}
			c.normal.add(n.Definition, missing, lowercased(missing))
			unknown = nil
		}
		if unknown == nil || errors.Is(unknown, elastic.ErrForbidden) {
			break
		}
	}
	if n.Constants, _ = c.normal.of(n.Definition, texts); unknown == nil {
		return &n, nil, nil
	}
	return &n, fmt.Errorf("ask what the normalizer %s makes of the rule's constants: %w", n.Name,
		unknown), nil
}

func lowercased(texts []string) []string {
	forms := make([]string, len(texts))
	for i, text := range texts {
		forms[i] = string(event.Lowercase(nil, []byte(text)))
	}
	return forms
}

// mostTexts is how many texts are sent at once: Elasticsearch makes at most 10,000 tokens.
const mostTexts = 1000

// askNormalizer asks one index. refused is why that index did not say it.
func (c *Cluster) askNormalizer(
	ctx context.Context, n event.Normalizer, index string, texts []string, tries uint,
) (refused, err error) {
	for part := range slices.Chunk(texts, mostTexts) {
		q := call{
			method: http.MethodPost,
			path:   "/" + url.PathEscape(index) + "/_analyze",
			body:   map[string]any{"normalizer": n.Name, "text": part},
		}
		body, err := q.marshal()
		if err != nil {
			return nil, err
		}
		answer, err := c.retry(ctx, q, tries, func() (elastic.Answer, error) {
			return c.send(ctx, q, body, nil, 0)
		})
		var said *elastic.Error
		switch {
		case errors.As(err, &said):
			return err, nil
		case err != nil:
			return nil, err
		}
		var read analyzed
		if err := answer.Read(&read); err != nil {
			return nil, err
		}
		if len(read.Tokens) != len(part) {
			return fmt.Errorf("of %d texts the index %s made %d", len(part), index,
				len(read.Tokens)), nil
		}
		forms := make([]string, len(part))
		for i, token := range read.Tokens {
			forms[i] = token.Token
		}
		c.normal.add(n.Definition, part, forms)
	}
	return nil, nil
}

// analyzed is what a normalizer makes of texts: one token of each.
type analyzed struct {
	Tokens []struct {
		Token string `json:"token"`
	} `json:"tokens"`
}

func (a *analyzed) Check() error {
	if a.Tokens == nil {
		return elastic.Lacks("tokens")
	}
	return nil
}
