package rule_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"esrule/internal/query/rule"

	"github.com/google/go-cmp/cmp"
)

// good is a rule with nothing but what is needed. Tests change a line of it.
const good = `[rule]
rule_id = "one"
name = "One"
type = "eql"
language = "eql"
severity = "low"
risk_score = 21
index = ["logs-*"]
query = '''
file where file.name : "x"
'''
`

// with returns the good rule with a text replaced.
func with(t *testing.T, old, by string) string {
	t.Helper()
	if !strings.Contains(good, old) {
		t.Fatalf("the rule has no %q", old)
	}
	return strings.Replace(good, old, by, 1)
}

// named returns the good rule with another rule_id.
func named(id string) string { return strings.Replace(good, `"one"`, `"`+id+`"`, 1) }

// corpus gives a folder of the public data, or skips the test where there is none.
func corpus(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("ESTEST_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	path := filepath.Join(root, folder)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	return path
}

func TestPublishedRules(t *testing.T) {
	folder := corpus(t, "rules")
	files, err := filepath.Glob(filepath.Join(folder, "*.toml"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := rule.Load(folder)
	if err != nil {
		t.Fatalf("published rules with errors:\n%v", err)
	}
	kinds := map[string]int{"loaded": len(set.Rules)}
	for _, s := range set.Skipped {
		if s.File == "" || s.ID == "" || s.Name == "" || s.Kind == "" || s.Reason == "" {
			t.Errorf("%+v: a skipped rule must say what it is and why", s)
		}
		kinds[s.Kind]++
	}
	t.Logf("%d files: %v", len(files), kinds)
	if got := len(set.Rules) + len(set.Skipped); got != len(files) || got == 0 {
		t.Errorf("got %d rules and skipped ones of %d files", got, len(files))
	}
	for _, r := range set.Rules {
		if r.Body == nil || r.Body.Text() == "" || len(r.Index) == 0 || r.From <= 0 ||
			len(r.Threat) == 0 && len(r.Tags) == 0 {
			t.Errorf("%s is loaded in part: %+v", r.File, r)
		}
	}
}

// write makes files below a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// ids gives the loaded rules' ids in order.
func ids(set *rule.Set) (ids []string) {
	for _, r := range set.Rules {
		ids = append(ids, string(r.ID))
	}
	return ids
}

func TestPaths(t *testing.T) {
	folder := write(t, map[string]string{
		"b.toml": named("b"), "a.toml": named("a"), "c/d.toml": named("d"), "c/e.TOML": named("e"),
		"plain.txt": named("plain"),
		"notes.md":  "no rule", ".hidden.toml": "no rule", ".git/x.toml": "no rule",
		"x.toml~": "no rule",
	})
	f := func(want string, names ...string) {
		t.Helper()
		paths := make([]string, len(names))
		for i, name := range names {
			paths[i] = filepath.Join(folder, name)
		}
		set, err := rule.Load(paths...)
		if got := strings.Join(ids(set), " "); err != nil || got != want {
			t.Errorf("%q: got %q, error %v; want %q", names, got, err, want)
		}
	}
	f("")
	f("a", "a.toml")
	f("a b d e", "")
	f("d e", "c")
	f("b a d e", "b.toml", "") // the order is that of the paths; no file is read twice
	f("a", "a.toml", "c/../a.toml")
	f("plain d e", "plain.txt", "c") // a file that is named is read, whatever it is called
	f("a b d e", "a.toml", "b.toml", "", "")
}

// A volume of Kubernetes shows each file twice: through a link, and in a folder whose name begins
// with dots.
func TestConfigMapVolume(t *testing.T) {
	folder := write(t, map[string]string{"..2026_01_01/a.toml": named("a")})
	link(t, "..2026_01_01", filepath.Join(folder, "..data"))
	link(t, filepath.Join("..data", "a.toml"), filepath.Join(folder, "a.toml"))
	set, err := rule.Load(folder)
	if err != nil || !slices.Equal(ids(set), []string{"a"}) {
		t.Errorf("got %v, error %v; want a", ids(set), err)
	}
	outer := t.TempDir()
	link(t, folder, filepath.Join(outer, "rules"))
	set, err = rule.Load(filepath.Join(outer, "rules"))
	if err != nil || !slices.Equal(ids(set), []string{"a"}) {
		t.Errorf("through a link: got %v, error %v; want a", ids(set), err)
	}
	_, err = rule.Load(outer)
	if want := "is a link to a folder, which is not followed"; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("link below a folder: got %v, want %q", err, want)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	folder := t.TempDir()
	link(t, "nowhere", filepath.Join(folder, "a.toml"))
	large := filepath.Join(folder, "large.toml")
	if err := os.WriteFile(large, make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(folder, "missing")
	set, err := rule.Load(missing, folder)
	want := missing + `: read: no such file or directory
  Check the path.
` + filepath.Join(folder, "a.toml") + `: read: no such file or directory
  Check the path.
` + large + `: is larger than 4 MiB
  A rule is a few kilobytes; is this the right file?`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v must be fs.ErrNotExist", err)
	}
	if len(set.Rules) != 0 {
		t.Errorf("got rules %v", ids(set))
	}
}

// The errors of all files come together, and the set holds what is good.
func TestAllErrorsAtOnce(t *testing.T) {
	set, err := rule.LoadFS(fstest.MapFS{
		"a.toml": {Data: []byte(named("a"))},
		"b.toml": {Data: []byte(with(t, `risk_score = 21`, `risk_score = "21"`))},
		"c.toml": {Data: []byte(with(t, `: "x"`, `: x`))},
		"d.toml": {Data: []byte(named("a"))},
		"e.toml": {Data: []byte("[rule")},
	}, "set")
	want := `set/b.toml:7:14: risk_score must be a number, found text
    risk_score = "21"
                 ^^^^
  Write risk_score = 47, without quotes.
set/c.toml:2:11: rule_id "one" is that of set/b.toml already
    rule_id = "one"
              ^^^^^
  Two rules with one id would hide each other's signals: give one of them an id of its own, or leave one file out.
set/c.toml:10:24: expected a string after ":", found field ` + "`x`" + `
    file where file.name : x
                           ^
  EQL compares a field with constants only. If a text is meant, its quotes are missing: "x".
set/d.toml:2:11: rule_id "a" is that of set/a.toml already
    rule_id = "a"
              ^^^
  Two rules with one id would hide each other's signals: give one of them an id of its own, or leave one file out.
set/e.toml:1:5: expected ']' to close table name
    [rule
        ^
  The file must be TOML (https://toml.io) throughout; nothing of it was loaded.`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	var all rule.Errors
	if !errors.As(err, &all) || len(all) != 5 {
		t.Errorf("got %T with %d errors, want rule.Errors with 5", err, len(all))
	}
	if !slices.Equal(ids(set), []string{"a"}) {
		t.Errorf("got rules %v, want a", ids(set))
	}
}
