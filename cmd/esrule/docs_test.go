package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"esrule/internal/config"
	"esrule/internal/finding"
)

// moduleRoot is where the documents are.
var moduleRoot = filepath.Join("..", "..")

// document is a page for people, with its name for messages.
type document struct{ name, text string }

func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md", "rules/README.md"} {
		files, err := filepath.Glob(filepath.Join(moduleRoot, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no document is called %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all,
				document{filepath.ToSlash(strings.TrimPrefix(file,
					moduleRoot+string(filepath.Separator))), string(text)})
		}
	}
	return all
}

var testName = regexp.MustCompile(`\b(?:Test|Benchmark|Fuzz)[A-Z]\w*`)

// What a document says that a test shows, a test of that name shows, in the package that stands
// before it: `e2e `+"`TestKilled`".
func TestDocumentedTestsExist(t *testing.T) {
	folders := testFolders(t)
	// A package, and behind it its tests, in the tables of docs/operations.md.
	inPackage := regexp.MustCompile("([a-z0-9]+(?:/[a-z0-9]+)*) " +
		"((?:`(?:Test|Benchmark|Fuzz)[^`]*`(?: \\([^)]*\\))?(?:, )?)+)")
	named := 0
	for _, d := range documents(t) {
		for _, name := range testName.FindAllString(d.text, -1) {
			named++
			if len(folders[name]) == 0 {
				t.Errorf("%s names %s, and no test is called that", d.name, name)
			}
		}
		if d.name != "docs/operations.md" {
			continue
		}
		for _, row := range inPackage.FindAllStringSubmatch(d.text, -1) {
			for _, name := range testName.FindAllString(row[2], -1) {
				is := func(folder string) bool { return strings.HasSuffix("/"+folder, "/"+row[1]) }
				if !slices.ContainsFunc(folders[name], is) {
					t.Errorf("%s: %s %s: it is in %v", d.name, row[1], name, folders[name])
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("tests that the documents name: got %d; they are not found any more", named)
	}
}

// testFolders gives for each test, benchmark and fuzz target of the module the folders of its
// packages.
func testFolders(t *testing.T) map[string][]string {
	t.Helper()
	folders := map[string][]string{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	err := filepath.WalkDir(moduleRoot, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(moduleRoot, filepath.Dir(path))
		for _, f := range function.FindAllStringSubmatch(string(text), -1) {
			folders[f[1]] = append(folders[f[1]], filepath.ToSlash(folder))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

func TestDocumentedVariablesExist(t *testing.T) {
	var known []string
	for _, v := range config.Variables() {
		known = append(known, v.Name)
	}
	for _, d := range documents(t) {
		for _, name := range regexp.MustCompile(config.Prefix+
			`_[A-Z][A-Z_]*[A-Z]`).FindAllString(d.text, -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s names the variable %s, which there is not", d.name, name)
			}
		}
	}
}

// docs/check.md lists the codes of check's findings with the meanings that the code has for them.
func TestCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot, "docs", "check.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, k := range finding.All() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", k.Code, k.Severity, k.Meaning))
	}
	row := regexp.MustCompile("(?m)^\\| `[a-z-]+` \\| (?:problem|note) \\| .* \\|$")
	if diff := cmp.Diff(want, row.FindAllString(string(text), -1)); diff != "" {
		t.Errorf("codes (-code +docs/check.md):\n%s", diff)
	}
}

// A command line in a document is one that the program takes: its command and its flags are there.
func TestDocumentedCommandsExist(t *testing.T) {
	root := newRootCommand(newApp(strings.NewReader(""), io.Discard, io.Discard))
	root.InitDefaultCompletionCmd()
	anywhere := map[string]bool{"help": true, "version": true}
	eachCommand(root, func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		note := func(f *pflag.Flag) { anywhere[f.Name] = true }
		c.LocalFlags().VisitAll(note)
	})
	flag := regexp.MustCompile(`(?:^|[ \[])--([a-z][a-z-]*)`)
	line := regexp.MustCompile(`(?:^|[\s/])esrule ([a-z]+)\b([^|>#;` + "`" + `]*)`)
	commands := 0
	for _, d := range documents(t) {
		for _, code := range codeOf(d.text) {
			for _, found := range line.FindAllStringSubmatch(code, -1) {
				c, _, err := root.Find([]string{found[1]})
				if err != nil {
					t.Errorf("%s: `%s`: %v", d.name, code, err)
					continue
				}
				commands++
				for _, f := range flag.FindAllStringSubmatch(found[2], -1) {
					if c.Flag(f[1]) == nil {
						t.Errorf("%s: `%s`: %s has no flag --%s", d.name, code, c.CommandPath(),
							f[1])
					}
				}
			}
			if strings.HasPrefix(code, "--") {
				for _, f := range flag.FindAllStringSubmatch(code, -1) {
					if !anywhere[f[1]] {
						t.Errorf("%s: `%s`: no command has the flag --%s", d.name, code, f[1])
					}
				}
			}
		}
	}
	if commands < 20 {
		t.Errorf("command lines in the documents: got %d; they are not found any more", commands)
	}
}

// A link leads to a file of the module, and to a heading of it.
func TestDocumentedLinksLead(t *testing.T) {
	headings := map[string][]string{}
	for _, d := range documents(t) {
		for _, h := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(d.text, -1) {
			headings[d.name] = append(headings[d.name], anchor(h[1]))
		}
	}
	for _, d := range documents(t) {
		for _, link := range regexp.MustCompile(`\]\(([^)\s]*)\)`).FindAllStringSubmatch(d.text,
			-1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			file, heading, _ := strings.Cut(link[1], "#")
			to := d.name
			if file != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(d.name), file))
			}
			if _, err := os.Stat(filepath.Join(moduleRoot, to)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere: %v", d.name, link[1], err)
			}
			if heading != "" && !slices.Contains(headings[to], heading) {
				t.Errorf("%s: the link to %s leads to no heading of %s: it has %q", d.name, link[1],
					to, headings[to])
			}
		}
	}
}

// anchor is what a heading is linked by.
func anchor(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}

func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, do)
	}
}

// codeOf gives what is set as code: spans between backticks, and the lines of blocks, fenced or
// indented, that begin with esrule. What a block shows besides is output.
func codeOf(text string) []string {
	var code []string
	span := regexp.MustCompile("`([^`\n]+)`")
	fenced := false
	for line := range strings.Lines(text) {
		block := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(block, "```"):
			fenced = !fenced
		case fenced || strings.HasPrefix(line, "    "):
			if command := strings.TrimPrefix(block, "bin/"); strings.HasPrefix(command, "esrule ") {
				code = append(code, command)
			}
		default:
			for _, s := range span.FindAllStringSubmatch(line, -1) {
				code = append(code, s[1])
			}
		}
	}
	return code
}
