// Command esrule runs detection rules over Elasticsearch without a licensed detection engine.
//
// This package parses flags, builds the parts, calls them and prints: it alone knows the exit
// codes, and it decides nothing about rules. One file holds one command; app is what they share. A
// command that is added is listed in newRootCommand and returns plain errors, which exit.go maps to
// an exit code: an error that no command returned is a wrong usage.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// A schedule may name a time zone (CRON_TZ=), and the container image has no zone files.
	_ "time/tzdata"
)

func main() {
	noCore()
	os.Exit(start(newApp(os.Stdin, os.Stdout, os.Stderr)))
}

// start runs the command line of the process until it is done or a signal ends it. The first SIGINT
// or SIGTERM asks for a clean end; with the handler gone, a second one ends the process at once.
func start(a *app) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, a, os.Args[1:])
}
