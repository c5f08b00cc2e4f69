package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// exitCode is what the process tells its caller; a CronJob, a timer or a pipeline decides by it.
type exitCode int

const (
	exitCovered    exitCode = 0 // everything that was asked for was done
	exitNotCovered exitCode = 1 // something was not, and standard error says what
	exitUsage      exitCode = 2 // wrong usage or configuration: trying again changes nothing
	exitFound      exitCode = 3 // check found something
)

// exitError is an error that knows the exit code it means.
type exitError struct {
	code exitCode
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// withExit gives err an exit code other than the usual exitNotCovered. A code that a cause
// already carries stays, since the cause knows better.
func withExit(code exitCode, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*exitError](err); ok {
		return err
	}
	return &exitError{code: code, err: err}
}

// run is the program without its process: it runs one command line and returns the exit code.
func run(ctx context.Context, a *app, args []string) int {
	return execute(ctx, a, newRootCommand(a), args)
}

func execute(ctx context.Context, a *app, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return int(exitCovered)
	}
	code := exitUsage
	if coded, ok := errors.AsType[*exitError](err); ok {
		code = coded.code
	} else {
		// Every command's own errors are coded (see codeErrors), so this one is cobra's: an
		// unknown flag or command, a wrong number of arguments.
		err = fmt.Errorf("%w\nRun '%s --help' for usage", err, cmd.CommandPath())
	}
	fmt.Fprintf(plain{a.stderr}, "esrule: %v\n", err)
	return int(code)
}

// codeErrors gives every error that a command returns an exit code, so that run can tell them from
// the errors of cobra, which have no type of their own.
func codeErrors(cmd *cobra.Command) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return withExit(exitNotCovered, inner(cmd, args))
		}
	}
	for _, child := range cmd.Commands() {
		codeErrors(child)
	}
}
