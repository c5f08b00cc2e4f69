// Command with runs another command while an Elasticsearch is there, which ESTEST_URL names to it:
//
//	with -- go test ./...
//	with -opensearch -- go test ./...
//
// So all test packages share one server. With -opensearch they share an OpenSearch too, the judge
// of field types that Elasticsearch's test distribution lacks: ESTEST_OPENSEARCH_URL names it. It
// ends with the command's exit code, and passes signals on to it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"esrule/internal/estest"
)

// Exit codes of the shell for what the command itself cannot say.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitNotStarted = 127
	exitSignal     = 128 // and the signal's number
)

func main() {
	args := os.Args[1:]
	opensearch := len(args) > 0 && args[0] == "-opensearch"
	if opensearch {
		args = args[1:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: with [-opensearch] -- COMMAND [ARGUMENT...]")
		os.Exit(exitUsage)
	}
	code, err := run(args, opensearch)
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
	}
	os.Exit(code)
}

func run(args []string, opensearch bool) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	server, judge, err := start(signals, opensearch)
	if err != nil {
		return exitFailed, err
	}
	defer func() {
		if stopErr := server.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("stop Elasticsearch: %w", stopErr))
		}
	}()
	env := []string{"ESTEST_URL=" + address(server)}
	if judge != nil {
		env = append(env, "ESTEST_OPENSEARCH_URL="+judge.URL)
		defer func() {
			if stopErr := judge.Stop(); stopErr != nil {
				err = errors.Join(err, fmt.Errorf("stop OpenSearch: %w", stopErr))
			}
		}()
	}
	return execute(args, env, signals)
}

// start returns an Elasticsearch and, where it is asked for, an OpenSearch; a signal that comes
// meanwhile ends the wait. A test that needs an OpenSearch which cannot be started says so itself.
func start(
	signals <-chan os.Signal, opensearch bool,
) (server, judge *estest.Server, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-started:
		}
	}()
	begin := time.Now()
	judged := make(chan *estest.Server, 1)
	go func() {
		defer close(judged)
		if !opensearch || os.Getenv("ESTEST_OPENSEARCH_URL") != "" {
			return
		}
		if one, err := estest.StartOpenSearch(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "estest: no OpenSearch for all packages:", err)
		} else {
			judged <- one
		}
	}()
	server, err = estest.Start(ctx, estest.Options{Log: os.Stderr})
	if err != nil {
		cancel()
	}
	if judge = <-judged; err != nil {
		if judge != nil {
			err = errors.Join(err, judge.Stop())
		}
		return nil, nil, err
	}
	fmt.Fprintf(os.Stderr, "estest: Elasticsearch at %s (%s), ready after %s\n",
		server.URL, server.From, time.Since(begin).Round(time.Second))
	if judge != nil {
		fmt.Fprintf(os.Stderr, "estest: OpenSearch at %s\n", judge.URL)
	}
	return server, judge, nil
}

func address(server *estest.Server) string {
	if server.From == estest.FromURL {
		return os.Getenv("ESTEST_URL")
	}
	u, err := url.Parse(server.URL)
	if err != nil || server.Username == "" {
		return server.URL
	}
	u.User = url.UserPassword(server.Username, server.Password)
	return u.String()
}

// execute runs the command to its end. A signal is for the command to act on, and this process
// waits for what it makes of it.
func execute(args, env []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		return exitNotStarted, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may just have ended
		case err := <-ended:
			return exitCode(err)
		}
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			return exitFailed, err
		}
		return 0, nil
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitSignal + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
