// Command matrix runs the end-to-end suite on every version of the server that the program is
// tested on, one after the other, and prints a table. It ends with 1 where a test failed or did not
// run.
//
//	matrix            every version of estest.Versions
//	matrix 8.0.1 …    those
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"esrule/internal/estest"
)

// suite are the columns of the table.
var suite = []struct{ title, test string }{
	{"six sources, twice", "TestSamples"},
	{"killed run", "TestKilled"},
	{"backfill", "TestBackfill"},
	{"killed backfill", "TestBackfillKilled"},
	{"every kind of rule", "TestKinds"},
	{"every kind, killed", "TestKindsKilled"},
	{"sick indices", "TestSickIndices"},
	{"security role", "TestSecurity"},
}

func main() {
	versions := os.Args[1:]
	if len(versions) == 0 {
		versions = estest.Versions()
	}
	good := true
	var table bytes.Buffer
	header(&table)
	for _, version := range versions {
		fmt.Printf("== Elasticsearch %s\n", version)
		began := time.Now()
		results, err := run(version)
		if err != nil {
			fmt.Fprintf(os.Stderr, "matrix: %s: %v\n", version, err)
		}
		good = row(&table, version, results, time.Since(began)) && good
	}
	fmt.Printf("\n%s", table.String())
	if !good {
		os.Exit(1)
	}
}

func header(w io.Writer) {
	fmt.Fprint(w, "| Elasticsearch |")
	for _, column := range suite {
		fmt.Fprintf(w, " %s |", column.title)
	}
	fmt.Fprintf(w, " time |\n|---|%s\n", strings.Repeat("---|", len(suite)+1))
}

// row writes what the tests came to on a version, and reports whether all of them ran and passed.
func row(w io.Writer, version string, results map[string]string, took time.Duration) bool {
	good := true
	fmt.Fprintf(w, "| %s |", version)
	for _, column := range suite {
		result := results[column.test]
		if result == "" {
			result = "did not run"
		}
		good = good && result == "pass"
		fmt.Fprintf(w, " %s |", result)
	}
	fmt.Fprintf(w, " %s |\n", took.Round(time.Second))
	return good
}

// run returns what each test of the suite came to on a version: pass, fail or skip.
func run(version string) (map[string]string, error) {
	var names []string
	for _, column := range suite {
		names = append(names, column.test)
	}
	cmd := exec.Command("bin/with-elasticsearch", "--", "go", "test", "-json", "-count=1",
		"-timeout", "20m",
		"-run", "^("+strings.Join(names, "|")+")$", "./internal/e2e")
	cmd.Env = append(os.Environ(), "ESTEST_VERSION="+version)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	results := read(out)
	return results, cmd.Wait()
}

// event is a line that go test -json writes.
type event struct {
	Action, Test, Output string
}

// read collects the results of the tests, and prints what a test that failed had written.
func read(lines io.Reader) map[string]string {
	results := map[string]string{}
	written := map[string]*strings.Builder{} // by test
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			fmt.Println(scanner.Text()) // not of a test: the build failed
			continue
		}
		test, _, _ := strings.Cut(e.Test, "/")
		switch e.Action {
		case "output":
			if written[test] == nil {
				written[test] = &strings.Builder{}
			}
			written[test].WriteString(e.Output)
		case "pass", "fail", "skip":
			if e.Test != test || test == "" {
				continue
			}
			results[test] = e.Action
			fmt.Printf("%s %s\n", e.Action, test)
			if e.Action == "fail" {
				fmt.Print(written[test])
			}
		}
	}
	return results
}
