package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the program itself when a script calls esrule.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"esrule": func() {
			a := newApp(os.Stdin, os.Stdout, os.Stderr)
			a.readyWithin = 0 // no script waits for a cluster that is not there
			os.Exit(start(a))
		},
	})
}

// TestScripts tells what a user sees; each file of testdata/script is a story.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
	})
}
