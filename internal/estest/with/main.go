// Command with runs another command while an Elasticsearch is there, which ESTEST_URL names to it:
//
//	with -- go test ./...
//
// So all test packages share one server. It ends with the command's exit code, and passes signals on to it.
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
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: with -- COMMAND [ARGUMENT...]")
		os.Exit(exitUsage)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	server, err := start(signals)
	if err != nil {
		return exitFailed, err
	}
	defer func() {
		if stopErr := server.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("stop Elasticsearch: %w", stopErr))
		}
	}()
	return execute(args, address(server), signals)
}

// start gives a server; a signal that comes meanwhile ends the wait.
func start(signals <-chan os.Signal) (*estest.Server, error) {
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
	server, err := estest.Start(ctx, estest.Options{Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "estest: Elasticsearch at %s (%s), ready after %s\n",
		server.URL, server.From, time.Since(begin).Round(time.Second))
	return server, nil
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

// execute runs the command to its end. A signal is for the command to act on, and this process waits for what it makes
// of it.
func execute(args []string, address string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "ESTEST_URL="+address)
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
