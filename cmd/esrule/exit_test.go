package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// runWith runs a command line of the program that has one command more, `try`, which takes one
// argument and ends with err.
func runWith(t *testing.T, err error, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errOut)
	root := newRootCommand(a)
	try := &cobra.Command{Use: "try", Args: cobra.MaximumNArgs(1),
		RunE: func(*cobra.Command, []string) error {
			return err
		}}
	try.Flags().Int("number", 0, "")
	codeErrors(try)
	root.AddCommand(try)
	code = execute(t.Context(), a, root, args)
	return code, out.String(), errOut.String()
}

func TestExitCodes(t *testing.T) {
	f := func(err error, want int, message string, args ...string) {
		t.Helper()
		code, _, stderr := runWith(t, err, args...)
		if code != want {
			t.Errorf("%q ending with %v: exit code %d, want %d", args, err, code, want)
		}
		if diff := cmp.Diff(message, stderr); diff != "" {
			t.Errorf("%q ending with %v: standard error (-want +got):\n%s", args, err, diff)
		}
	}
	broken := errors.New("broken")
	f(nil, 0, "", "try")
	f(broken, 1, "esrule: broken\n", "try")
	f(context.Canceled, 1, "esrule: context canceled\n", "try")
	f(withExit(exitUsage, broken), 2, "esrule: broken\n", "try")
	f(withExit(exitFound, broken), 3, "esrule: broken\n", "try")
	// What is said comes from the outside, the code from whoever knew it first.
	f(fmt.Errorf("try it: %w", withExit(exitUsage, broken)), 2, "esrule: try it: broken\n", "try")
	f(withExit(exitNotCovered, fmt.Errorf("try it: %w", withExit(exitUsage, broken))), 2,
		"esrule: try it: broken\n", "try")
	f(errors.Join(broken, withExit(exitFound, broken)), 3, "esrule: broken\nbroken\n", "try")

	// Wrong usage, which cobra finds: the command is not run.
	f(broken, 2, "esrule: unknown flag: --nope\nRun 'esrule try --help' for usage\n", "try",
		"--nope")
	f(broken, 2, "esrule: unknown flag: --nope\nRun 'esrule --help' for usage\n", "--nope")
	f(broken, 2, "esrule: accepts at most 1 arg(s), received 2\nRun 'esrule try --help' for usage\n", "try", "a", "b")
	f(broken, 2, "esrule: invalid argument \"x\" for \"--number\" flag: strconv.ParseInt: "+
		"parsing \"x\": invalid syntax\nRun 'esrule try --help' for usage\n",
		"try", "--number", "x")
	f(broken, 2, "esrule: flag needs an argument: --rules\nRun 'esrule try --help' for usage\n",
		"try", "--rules")
	f(broken, 2, "esrule: unknown command \"nope\" for \"esrule\"\nRun 'esrule --help' for usage\n",
		"nope")
	f(broken, 2, "esrule: unknown command \"versoin\" for \"esrule\"\n\nDid you mean "+
		"this?\n\tversion\n\nRun 'esrule --help' for usage\n", "versoin")
	f(broken, 2, "esrule: unknown command \"nope\" for \"esrule\"\nRun 'esrule help --help' for usage\n", "help", "nope")
	f(nil, 0, "", "try", "--help")
	f(nil, 0, "")
}

func TestWithExitOfNil(t *testing.T) {
	if err := withExit(exitUsage, nil); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestWrongConfigurationIsWrongUsage(t *testing.T) {
	setEnvironment(t, "ESRULE_PAGE_SIZE=0")
	_, err := newApp(strings.NewReader(""), io.Discard, io.Discard).config()
	if coded, ok := errors.AsType[*exitError](err); !ok || coded.code != exitUsage {
		t.Errorf("got %#v, want exit code %d", err, exitUsage)
	}
}
