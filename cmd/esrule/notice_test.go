package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updateNotice = flag.Bool("update-notice", false, "write NOTICE anew")

// TestNotice holds NOTICE to what is linked into the program: each module with its version, its
// license and what it wants to be said. `go test ./cmd/esrule -run TestNotice -update-notice`
// writes it anew.
func TestNotice(t *testing.T) {
	want := notice(t)
	const file = "../../NOTICE"
	if *updateNotice {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("NOTICE is not that of the modules linked into cmd/esrule; run this test with " +
			"-update-notice")
	}
}

// notice returns the text of NOTICE for the program as it is built in the image.
func notice(t *testing.T) string {
	t.Helper()
	list := exec.Command("go", "list", "-deps",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", ".")
	list.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	modules := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(modules)
	var b strings.Builder
	b.WriteString("esrule is licensed under the Apache License, Version 2.0 (LICENSE).\n" +
		"The rule that it ships is Elastic's (rules/README.md).\n\n" +
		"The program and its image contain the software listed here.\n")
	add := func(name, dir string) {
		fmt.Fprintf(&b, "\n%s\n%s\n", strings.Repeat("=", 80), name)
		for _, text := range legalTexts(t, dir) {
			fmt.Fprintf(&b, "%s\n%s\n", strings.Repeat("-", 80), text)
		}
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	add("The Go programming language and its standard library", strings.TrimSpace(string(root)))
	for _, module := range slices.Compact(modules) {
		parts := strings.Fields(module)
		add(parts[0]+" "+parts[1], parts[2])
	}
	return b.String()
}

// legalTexts returns the texts of a module's licenses and notices. The Apache License is in LICENSE
// and not repeated.
func legalTexts(t *testing.T, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	legal := regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice)`)
	var texts []string
	for _, f := range files {
		if f.IsDir() || !legal.MatchString(f.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimSpace(strings.ReplaceAll(string(content), "\r\n", "\n"))
		if strings.HasPrefix(text, "Apache License") {
			text = "Apache License, Version 2.0"
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		t.Fatalf("no license in %s", dir)
	}
	return texts
}
