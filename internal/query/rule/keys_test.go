package rule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every key of a published rule is in the table, as one that rules of its type have.
func TestPublishedKeys(t *testing.T) {
	root := os.Getenv("ESTEST_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	files, err := filepath.Glob(filepath.Join(root, "rules*", "*.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no corpus: nothing fits %s", filepath.Join(root, "rules*", "*.toml"))
	}
	keys, kinds := ruleKeys(), map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, fault := parse(file, text)
		if fault != nil {
			t.Error(fault)
			continue
		}
		kind := d.rule.text("type")
		kinds[kind]++
		for _, name := range d.rule.keys() {
			if k := find(keys, name); k == nil || !k.has(kind) {
				t.Errorf("%s: a rule of type %s has the key %s: got %+v", file, kind, name, k)
			}
		}
		for i := range keys {
			k := &keys[i]
			if k.example != "" && k.has(kind) && !d.rule.has(k.name) {
				t.Errorf("%s: a rule of type %s has no key %s", file, kind, k.name)
			}
		}
	}
	t.Logf("%d files: %v", len(files), kinds)
}

// No key is in the table twice, and a refused one says why.
func TestTableOfKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range ruleKeys() {
		if seen[k.name] {
			t.Errorf("%s is in the table twice", k.name)
		}
		seen[k.name] = true
		if (k.use == refused) != (k.why != "" && k.unset != nil) {
			t.Errorf("%s: got use %d and %q", k.name, k.use, k.why)
		}
		if k.why != "" && k.name != "enabled" && !strings.HasPrefix(k.why, k.name+" ") {
			t.Errorf("%s: %q does not name the key", k.name, k.why)
		}
		for _, kind := range k.kinds {
			if kinds := strings.Join(types(), " "); !strings.Contains(kinds, kind) {
				t.Errorf("%s: %s is no type of a rule", k.name, kind)
			}
		}
	}
}
