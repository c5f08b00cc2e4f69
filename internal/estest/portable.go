package estest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// substitutes of the field types that the test distribution lacks. A search finds the same
// documents with them; what is lost is said where it is more than a matter of storage.
func substitute(fieldType string) (string, bool) {
	switch fieldType {
	case "wildcard", "version": // version loses its order
		return "keyword", true
	case "constant_keyword": // loses its value for documents that do not carry it
		return "keyword", true
	case "match_only_text":
		return "text", true
	case "scaled_float":
		return "double", true
	case "unsigned_long": // loses its upper half
		return "long", true
	default:
		return "", false
	}
}

// Portable rewrites a mapping, or a document that contains mappings such as an index template, so
// that the test distribution takes it: types that it lacks become the nearest that it has.
func Portable(mapping []byte) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(mapping))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read the mapping: %w", err)
	}
	replaceTypes(tree)
	return json.Marshal(tree)
}

func replaceTypes(node any) {
	switch node := node.(type) {
	case []any:
		for _, element := range node {
			replaceTypes(element)
		}
	case map[string]any:
		for _, element := range node {
			replaceTypes(element)
		}
		// A field that is called "type" has an object here, not a string.
		fieldType, _ := node["type"].(string)
		if nearest, ok := substitute(fieldType); ok {
			node["type"] = nearest
			delete(node, "value")          // of constant_keyword
			delete(node, "scaling_factor") // of scaled_float
		}
	}
}

// Has tells whether the server has all that a mapping needs, by making an index with it; where not,
// it prints that what is not run here. Only a type or a language of scripts that the server does
// not know is lacking: a mapping that it refuses for any other reason ends the test.
func (c *Cluster) Has(what string, mapping json.RawMessage) bool {
	c.t.Helper()
	body, err := encode(map[string]json.RawMessage{"mappings": mapping})
	if err != nil {
		c.t.Fatalf("the mapping of %s: %v", what, err)
	}
	return c.Takes(what, string(body))
}

// Takes is [Cluster.Has] for the whole body with which an index is made.
func (c *Cluster) Takes(what, body string) bool {
	c.t.Helper()
	index := c.Index("has-" + randomName(4))
	_, err := c.send(c.t.Context(), http.MethodPut, index, "application/json", []byte(body))
	var refused *refusal
	switch {
	case err == nil:
		c.Delete(index)
		return true
	case errors.As(err, &refused) && refused.lacks():
		c.t.Logf("not run here, since this server lacks it: %s", what)
		return false
	}
	c.t.Fatalf("the mapping of %s: %v", what, err)
	return false
}

// lacks tells whether a mapping was refused for a part that the server does not know.
func (r *refusal) lacks() bool {
	for _, reason := range [...]string{
		// a mapper type
		"does not exist. It might have been created within a future version or requires a plugin",
		"o handler for type", // the same in older versions; of a sub-field it is "no handler"
		"script_lang not supported",
		"has not been configured in mappings", // an analyzer
		"failed to find global tokenizer",
		"failed to find tokenizer",
		"failed to find filter",
		"failed to find global token filter",
		"unsupported parameters:  [runtime", // OpenSearch has no runtime fields
	} {
		if strings.Contains(r.message, reason) {
			return true
		}
	}
	return false
}
