package samples

import (
	"encoding/json"
	"fmt"
)

// template is one file of mappings/, put under a prefix.
type template struct {
	name     string
	patterns []string
	body     map[string]json.RawMessage
}

func readTemplate(source, prefix string) (template, error) {
	file := "mappings/" + source + ".json"
	content, err := files.ReadFile(file)
	if err != nil {
		return template{}, err
	}
	t := template{name: prefix + "esrule-sample-" + source}
	if err := json.Unmarshal(content, &t.body); err != nil {
		return template{}, fmt.Errorf("%s: %w", file, err)
	}
	if err := json.Unmarshal(t.body["index_patterns"], &t.patterns); err != nil {
		return template{}, fmt.Errorf("%s: index_patterns: %w", file, err)
	}
	for i := range t.patterns {
		t.patterns[i] = prefix + t.patterns[i]
	}
	t.body["index_patterns"], err = json.Marshal(t.patterns)
	return t, err
}

func (t template) makesStream() bool {
	_, is := t.body["data_stream"]
	return is
}
