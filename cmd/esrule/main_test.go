package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
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
		Cmds: map[string]func(*testscript.TestScript, bool,
			[]string){"exits": exits},
	})
}

// exits runs a program and checks its exit code: `exits 2 esrule --nope`.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		got = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v: %v", args[1:], err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%v: exit code %d, want %s", args[1:], got, args[0])
	}
}
