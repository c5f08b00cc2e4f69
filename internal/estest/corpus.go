package estest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Corpus gives the folder of recorded events, templates and rules of others: ESTEST_CORPUS, or
// shared/corpus beside the repository. It is no part of the repository (its files keep their own
// licences), so the test is skipped where it is absent.
func Corpus(t testing.TB) string {
	t.Helper()
	if folder := os.Getenv("ESTEST_CORPUS"); folder != "" {
		if !exists(folder) {
			t.Fatalf("ESTEST_CORPUS names %s, which does not exist", folder)
		}
		return folder
	}
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "..", "shared", "corpus")
	if !exists(folder) {
		t.Skip("the corpus is not beside the repository (../shared/corpus), and ESTEST_CORPUS is not set")
	}
	return folder
}

// moduleRoot is the nearest folder above a test's, which is its package's, that holds a go.mod.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for !exists(filepath.Join(folder, "go.mod")) {
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", fmt.Errorf("no go.mod above the working folder")
		}
		folder = parent
	}
	return folder, nil
}

// CorpusTemplate gives a file of the corpus's templates as {"settings": …, "mappings": …},
// portable, for [Cluster.Create] or the "template" of [Cluster.PutTemplate]. The file is an index
// or component template, a flat {"path": "type"}, or a fields.yml.
func CorpusTemplate(t testing.TB, name string) json.RawMessage {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(Corpus(t), "templates", name))
	if err != nil {
		t.Fatal(err)
	}
	template, err := templateFrom(name, content)
	if err != nil {
		t.Fatalf("template %s: %v", name, err)
	}
	return template
}

func templateFrom(name string, content []byte) (json.RawMessage, error) {
	read := mappingFromJSON
	if filepath.Ext(name) == ".yml" {
		read = FieldsMapping
	}
	mapping, err := read(content)
	if err != nil {
		return nil, err
	}
	if mapping, err = Portable(mapping); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"settings": map[string]any{"index.mapping.total_fields.limit": 10000},
		"mappings": mapping,
	})
}

// mappingFromJSON finds the mappings in a template, which may hold statements of a template
// language, such as {% if %}, around its settings.
func mappingFromJSON(content []byte) (json.RawMessage, error) {
	content = regexp.MustCompile(`(?s)\{%.*?%\}`).ReplaceAll(content, nil)
	var flat map[string]string
	if json.Unmarshal(content, &flat) == nil {
		return mappingFromFlat(flat)
	}
	type template struct{ Mappings json.RawMessage }
	var file struct {
		template
		Template          template
		ComponentTemplate struct{ Template template } `json:"component_template"`
		IndexTemplate     struct{ Template template } `json:"index_template"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	for _, candidate := range []template{file.template, file.Template,
		file.ComponentTemplate.Template, file.IndexTemplate.Template} {
		if candidate.Mappings != nil {
			return candidate.Mappings, nil
		}
	}
	return nil, fmt.Errorf("no mappings in it")
}

func mappingFromFlat(types map[string]string) (json.RawMessage, error) {
	root := mappingNode{}
	for path, fieldType := range types {
		root.at(path)["type"] = fieldType
	}
	return json.Marshal(root)
}
