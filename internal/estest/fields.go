package estest

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// field is an entry of a fields.yml, the form in which Beats and integrations describe their
// events. What only documents a field (level, description, example, Kibana's format) is left out.
type field struct {
	Name        string
	Type        string
	External    string
	Fields      []field
	MultiFields []field `yaml:"multi_fields"`

	Path          string
	Value         *string
	Normalizer    string
	IgnoreAbove   *int     `yaml:"ignore_above"`
	ScalingFactor *float64 `yaml:"scaling_factor"`
	Norms         *bool
	Index         *bool
	DocValues     *bool `yaml:"doc_values"`
	Enabled       *bool
	Dynamic       any
}

// FieldsMapping turns a fields.yml into a mapping: {"properties": …}. Fields that it only refers to
// (external: ecs) stay out and are mapped dynamically.
func FieldsMapping(yml []byte) (json.RawMessage, error) {
	var fields []field
	if err := yaml.Unmarshal(yml, &fields); err != nil {
		return nil, fmt.Errorf("read the fields: %w", err)
	}
	root := mappingNode{}
	for _, f := range fields {
		if err := root.add("", f); err != nil {
			return nil, err
		}
	}
	return json.Marshal(root)
}

// mappingNode is a mapping, or what a mapping says of a field.
type mappingNode map[string]any

// at gives the node of a dotted path, making what is missing on the way.
func (n mappingNode) at(path string) mappingNode {
	for name := range strings.SplitSeq(path, ".") {
		properties, ok := n["properties"].(mappingNode)
		if !ok {
			properties = mappingNode{}
			n["properties"] = properties
		}
		child, ok := properties[name].(mappingNode)
		if !ok {
			child = mappingNode{}
			properties[name] = child
		}
		n = child
	}
	return n
}

// add puts a field under the group's path.
func (n mappingNode) add(group string, f field) error {
	if f.Name == "" {
		return fmt.Errorf("a field without a name under %q", group)
	}
	path := strings.TrimPrefix(group+"."+f.Name, ".")
	if f.External != "" {
		return nil
	}
	if f.Type != "group" && (f.Type != "" || len(f.Fields) == 0) {
		f.describe(n.at(path))
	}
	for _, child := range f.Fields {
		if err := n.add(path, child); err != nil {
			return err
		}
	}
	return nil
}

// describe writes the field's own parameters into its node, which may have children already.
func (f field) describe(into mappingNode) {
	into["type"] = f.Type
	// Beats: any field holds an array, and what has no type is a keyword
	if f.Type == "" || f.Type == "array" {
		into["type"] = "keyword"
	}
	set(into, "path", nonEmpty(f.Path))
	set(into, "normalizer", nonEmpty(f.Normalizer))
	set(into, "value", f.Value)
	set(into, "ignore_above", f.IgnoreAbove)
	set(into, "scaling_factor", f.ScalingFactor)
	set(into, "norms", f.Norms)
	set(into, "index", f.Index)
	set(into, "doc_values", f.DocValues)
	set(into, "enabled", f.Enabled)
	if f.Dynamic != nil {
		into["dynamic"] = f.Dynamic
	}
	if len(f.MultiFields) > 0 {
		multi := mappingNode{}
		for _, m := range f.MultiFields {
			node := mappingNode{}
			m.describe(node)
			multi[m.Name] = node
		}
		into["fields"] = multi
	}
}

func set[T any](into mappingNode, parameter string, value *T) {
	if value != nil {
		into[parameter] = *value
	}
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
