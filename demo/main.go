package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	keep bool // leave the server up until the user ends the demo
	all  bool // list every near miss
}

func main() {
	var o options
	flag.BoolVar(&o.keep, "keep", false,
		"keep the server and what was found until you press Ctrl-C")
	flag.BoolVar(&o.all, "all", false, "list every near miss, not three a source")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(),
			"usage: go run ./demo [--keep] [--all]\n\nShow esrule at work on a real "+
				"Elasticsearch.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean end; the second one ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}

// run is the demo from the build of the program to the end of the server.
func run(ctx context.Context, out io.Writer, o options) (err error) {
	p, err := buildProgram(ctx, out)
	if err != nil {
		return err
	}
	defer p.remove()
	s, err := openStage(ctx, out)
	if err != nil {
		return err
	}
	defer func() { err = s.close(err) }()
	p.env = environment(s)
	err = show(ctx, out, p, s, o)
	if o.keep && ctx.Err() == nil {
		if err != nil {
			fmt.Fprintf(out, "\n%v\n", err)
		}
		keep(ctx, out, s)
	}
	return err
}

// show runs esrule twice on the stage and prints what came of it.
func show(ctx context.Context, out io.Writer, p *program, s *stage, o options) error {
	first, err := p.runOnce(ctx)
	if err != nil {
		return err
	}
	found, err := s.readSignals(ctx)
	if err != nil {
		return err
	}
	candidates, err := s.candidates(ctx)
	if err != nil {
		return err
	}
	v := newVerdict(s.events, candidates, found)
	printRun(out, s, first, v)
	printSignals(out, s, found)
	printNearMisses(out, v, o.all)

	second, err := p.runOnce(ctx)
	if err != nil {
		return err
	}
	after, err := s.readSignals(ctx)
	if err != nil {
		return err
	}
	printSecondRun(out, second, len(found), len(after))
	if err := printExplanation(ctx, out, p, s, found); err != nil {
		return err
	}
	if err := v.problem(first, second, len(after)); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nWhat esrule found is exactly what the samples say.")
	return nil
}

// keep waits for the user with the server up.
func keep(ctx context.Context, out io.Writer, s *stage) {
	fmt.Fprintf(out, `
Elasticsearch stays up at %s until you press Ctrl-C. To look around:
  curl '%s/%s/_search?pretty&size=1'
  env '%s' go run ./cmd/esrule status
`, s.server.URL, s.server.URL, s.signalsIndex(), strings.Join(settings(s), "' '"))
	<-ctx.Done()
	fmt.Fprintln(out)
}

// since is how long something took, as the demo prints it.
func since(start time.Time) time.Duration { return time.Since(start).Round(100 * time.Millisecond) }
