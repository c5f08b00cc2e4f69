package estest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// node is what is needed to run one server process out of an unpacked distribution, which it only
// reads.
type node struct {
	home, java string
	account    *account
	product    product
	folder     string // its own: config, data, logs, tmp; deleted when it ends
}

const startTimeout = 3 * time.Minute

func startNode(ctx context.Context, o Options, n node) (*Server, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	if n.folder, err = newFolder(); err != nil {
		return nil, err
	}
	if err := n.prepare(c); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", n.folder, err), os.RemoveAll(n.folder))
	}
	process, err := n.run()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(n.folder))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("gave up after %s", startTimeout))
	defer cancel()
	s := &Server{From: FromDistribution, product: o.product, Username: c.admin.Name,
		Password: c.admin.Password, Authority: c.authority, stop: process.stop}
	if err := n.await(ctx, c.scheme(), s, process); err != nil {
		log, _ := os.ReadFile(n.path("out.log"))
		return nil, errors.Join(fmt.Errorf("start %s %s%s: %w%s", o.product, o.Version, n.account,
			err, tail(log)), s.Stop())
	}
	return s, nil
}

func (n node) path(name string) string { return filepath.Join(n.folder, name) }

// prepare fills the node's folder and gives it to the user that the server runs as.
func (n node) prepare(c config) error {
	for _, folder := range []string{"config", "data", "logs", "tmp"} {
		if err := os.Mkdir(n.path(folder), 0o700); err != nil {
			return err
		}
	}
	if err := os.CopyFS(n.path("config"), os.DirFS(filepath.Join(n.home, "config"))); err != nil {
		return err
	}
	if err := n.logInFolder(); err != nil {
		return err
	}
	settings := map[string]any{
		"path.data": n.path("data"),
		"path.logs": n.path("logs"),
		// The server takes free ports and writes them down, so that two that start at once never
		// meet.
		"network.host":   "127.0.0.1",
		"http.port":      0,
		"transport.port": 0,
		"node.portsfile": true,
	}
	maps.Copy(settings, c.settings)
	c.settings = settings
	yml, err := c.yml()
	if err != nil {
		return err
	}
	files := map[string][]byte{n.product.command() + ".yml": yml}
	maps.Copy(files, c.files)
	for name, content := range files {
		path := filepath.Join(n.path("config"), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return n.account.own(n.folder)
}

// logInFolder makes Java write its logs into the node's folder. Servers before 8.13 start Java in
// the distribution's own, where it may not write, and do not start without their log.
func (n node) logInFolder() error {
	path := filepath.Join(n.path("config"), "jvm.options")
	options, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, option := range []string{"file=", "ErrorFile="} {
		options = bytes.ReplaceAll(options, []byte(option+"logs/"),
			[]byte(option+n.path("logs")+"/"))
	}
	return os.WriteFile(path, options, 0o600)
}

// run starts the server and what ends it when this process ends.
func (n node) run() (*process, error) {
	log, err := os.Create(n.path("out.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	script := filepath.Join(n.home, "bin", n.product.command())
	if runtime.GOOS == "windows" {
		script += ".bat"
	}
	cmd := exec.Command(script)
	cmd.Dir = n.folder
	cmd.Stdout, cmd.Stderr = log, log // a file: a pipe would keep go test waiting on the server
	cmd.Env = append(environment(),
		n.product.variable("JAVA_HOME")+"="+n.java,
		n.product.variable("PATH_CONF")+"="+n.path("config"),
		n.product.variable("TMPDIR")+"="+n.path("tmp"),
		n.product.variable("JAVA_OPTS")+"="+javaOptions(),
		// What starts the server is Java too, and lives for seconds.
		"CLI_JAVA_OPTS=-XX:TieredStopAtLevel=1",
		"HOME="+n.folder,
	)
	n.account.apply(cmd)
	guard, err := startGuarded(cmd, n.folder)
	if err != nil {
		return nil, fmt.Errorf("start %s%s: %w", script, n.account, err)
	}
	return newProcess(cmd, guard), nil
}

// environment is this process's own, without what would reach into the server: a user's JVM
// options, a proxy.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "ES_HOME", "ES_JAVA_HOME", "ES_PATH_CONF", "ES_TMPDIR", "ES_JAVA_OPTS", "JAVA_HOME",
			"HOME",
			"OPENSEARCH_HOME", "OPENSEARCH_JAVA_HOME", "OPENSEARCH_PATH_CONF", "OPENSEARCH_TMPDIR",
			"OPENSEARCH_JAVA_OPTS",
			"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "BASH_ENV":
		default:
			kept = append(kept, variable)
		}
	}
	return kept
}

// await waits for the address that the server writes down and then for its health, or for its end.
func (n node) await(ctx context.Context, scheme string, s *Server, p *process) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopWatching := make(chan struct{})
	defer close(stopWatching)
	go func() {
		select {
		case <-p.ended:
			cancel(errors.New("the server ended by itself"))
		case <-stopWatching:
		}
	}()
	address, err := n.address(ctx, "http.ports")
	if err != nil {
		return err
	}
	s.URL = scheme + "://" + address
	return s.waitUntilReady(ctx)
}

// address waits for the first address of a file of ports, which the server writes when it listens.
func (n node) address(ctx context.Context, file string) (string, error) {
	for {
		ports, err := os.ReadFile(filepath.Join(n.path("logs"), file))
		if err == nil {
			first, _, _ := bytes.Cut(ports, []byte("\n"))
			return string(bytes.TrimSpace(first)), nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// process is a started server.
type process struct {
	ended chan struct{} // closed when the launcher has ended
	guard *guard
	stop  func() error
}

func newProcess(cmd *exec.Cmd, g *guard) *process {
	p := &process{ended: make(chan struct{}), guard: g}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is in its log
	}()
	p.stop = sync.OnceValue(func() error {
		err := g.release()
		<-p.ended
		return err
	})
	return p
}
