package estest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// substitutes of the field types that the test distribution lacks. A search finds the same documents with them; what is
// lost is said where it is more than a matter of storage.
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

// Portable rewrites a mapping, or a document that contains mappings such as an index template, so that the test
// distribution takes it: types that it lacks become the nearest that it has.
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
