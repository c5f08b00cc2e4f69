package estest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The names of a pair's nodes, for index.routing.allocation.
const (
	FirstNode  = "first"  // master and data; it stays
	SecondNode = "second" // data only
)

// Pair is a cluster of two nodes, of which the second can be killed and brought back. Cluster is
// the first: the requests of a test, and of what it tests, go there.
type Pair struct {
	*Cluster
	nodes *pair
}

// OwnPair gives a test a cluster of two nodes, ended with the test. It is started from the test
// distribution only. Options hold for both nodes, but for Users and Roles, which it refuses:
// security between nodes takes certificates.
func OwnPair(t testing.TB, o Options) *Pair {
	t.Helper()
	skipIfShort(t)
	o.own = true
	nodes, err := startPair(t.Context(), o.withDefaults())
	if missing := (*noDistributionError)(nil); errors.As(err, &missing) {
		if _, noEngine := engineHost(t.Context()); noEngine == nil {
			t.Skipf("left out: %v", err) // the machine can run the other tests, in containers
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nodes.stop(); err != nil {
			t.Errorf("stop the two nodes: %v", err)
		}
	})
	return &Pair{Cluster: newCluster(t, nodes.server), nodes: nodes}
}

// KillSecond ends the second node as kill -9 does; what it has written stays. Not to be called
// concurrently with StartSecond.
func (p *Pair) KillSecond() error { return p.nodes.killSecond() }

// StartSecond brings back the killed node, with its data, and returns when it has joined. An index
// may still wait for its shards then.
func (p *Pair) StartSecond(ctx context.Context) error { return p.nodes.startSecond(ctx) }

// HangSecond stops the second node without ending it: it accepts connections and answers nothing
// until WakeSecond. The rest of the cluster takes it for a member for some 30 seconds. Neither is
// to be called concurrently with KillSecond or StartSecond; Windows has neither.
func (p *Pair) HangSecond() error { return p.nodes.running.guard.hang() }

// WakeSecond lets the second node go on after HangSecond.
func (p *Pair) WakeSecond() error { return p.nodes.running.guard.wake() }

// SecondURL returns where the second node answers. It has another address after each start.
func (p *Pair) SecondURL(ctx context.Context) (string, error) {
	address, err := p.nodes.second.address(ctx, "http.ports")
	if err != nil {
		return "", fmt.Errorf("learn where the second node listens: %w", err)
	}
	return "http://" + address, nil
}

// noDistributionError is a machine on which the test distribution cannot run.
type noDistributionError struct{ cause error }

func (e *noDistributionError) Error() string {
	return fmt.Sprintf("two nodes are started from the test distribution, in no container, and "+
		"it cannot run here: %v\nInstall Java 17 or newer and Maven.", e.cause)
}

func (e *noDistributionError) Unwrap() error { return e.cause }

// pair is two server processes that make one cluster.
type pair struct {
	first, second node
	server        *Server  // the first
	running       *process // the second; ended while it is killed
}

func startPair(ctx context.Context, o Options) (*pair, error) {
	if o.secured() {
		return nil, errors.New("two nodes with users or roles: not supported, security between " +
			"nodes takes certificates")
	}
	account := serverAccount()
	java, err := findJava(ctx, o.product.oldestJava(o.Version), account)
	if err != nil {
		return nil, &noDistributionError{err}
	}
	home, err := distribution(ctx, o)
	if err != nil {
		return nil, &noDistributionError{err}
	}
	fmt.Fprintf(o.Log, "estest: starting two nodes of Elasticsearch %s, the test distribution\n",
		o.Version)
	p := &pair{first: node{home: home, java: java, account: account, product: o.product}}
	p.second = p.first
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("gave up after %s", startTimeout))
	defer cancel()
	if err := p.start(ctx, o); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// start lets both nodes start at once. The second learns where the first is when that is known.
func (p *pair) start(ctx context.Context, o Options) error {
	first, err := p.launch(o, &p.first, map[string]any{
		"node.name": FirstNode, "node.roles": []string{"master", "data"},
		"cluster.initial_master_nodes": []string{FirstNode},
	})
	if err != nil {
		return err
	}
	p.server = &Server{From: FromDistribution, stop: first.stop}
	p.running, err = p.launch(o, &p.second, map[string]any{
		"node.name": SecondNode, "node.roles": []string{"data"}, "discovery.seed_providers": "file",
	})
	if err != nil {
		return err
	}
	if err := p.first.await(ctx, "http", p.server, first); err != nil {
		return p.first.explain(err)
	}
	if err := p.introduce(ctx); err != nil {
		return err
	}
	return p.awaitSecond(ctx)
}

// launch prepares a node and starts its process.
func (p *pair) launch(o Options, n *node, role map[string]any) (*process, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	delete(c.settings, "discovery.type")
	for name, value := range role {
		c.settings[name] = value
	}
	if n.folder, err = newFolder(); err != nil {
		return nil, err
	}
	if err := n.prepare(c); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", n.folder, err), os.RemoveAll(n.folder))
	}
	running, err := n.run()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(n.folder))
	}
	return running, nil
}

// introduce tells the second node where the first is. The file is read again and again until it has
// joined.
func (p *pair) introduce(ctx context.Context) error {
	address, err := p.first.address(ctx, "transport.ports")
	if err != nil {
		return fmt.Errorf("learn where the first node listens: %w", err)
	}
	hosts := filepath.Join(p.second.path("config"), "unicast_hosts.txt")
	if err := os.WriteFile(hosts, []byte(address+"\n"), 0o644); err != nil {
		return err
	}
	return os.Chmod(hosts, 0o644) // whatever the umask: the server is another user
}

// awaitSecond waits until the second node is in the cluster, or has ended.
func (p *pair) awaitSecond(ctx context.Context) error {
	const pause = 100 * time.Millisecond
	for {
		if p.hasJoined(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return p.second.explain(fmt.Errorf("the second node has not joined: %w",
				context.Cause(ctx)))
		case <-p.running.ended:
			return p.second.explain(errors.New("the second node ended by itself"))
		case <-time.After(pause):
		}
	}
}

func (p *pair) hasJoined(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server.URL+"/_cluster/health",
		nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var health struct {
		Nodes int `json:"number_of_nodes"`
	}
	return json.NewDecoder(res.Body).Decode(&health) == nil && health.Nodes == 2
}

func (p *pair) killSecond() error {
	if err := p.running.guard.kill(); err != nil {
		return fmt.Errorf("kill the second node: %w", err)
	}
	<-p.running.ended
	return nil
}

func (p *pair) startSecond(ctx context.Context) error {
	killed := p.running
	// The ports of its former life would be taken for the new ones.
	for _, name := range []string{"http.ports", "transport.ports"} {
		if err := os.Remove(filepath.Join(p.second.path("logs"), name)); err != nil &&
			!errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	running, err := p.second.run()
	if err != nil {
		return err
	}
	p.running = running
	if err := killed.guard.leave(); err != nil {
		return fmt.Errorf("dismiss the killed node's guard: %w", err)
	}
	return p.awaitSecond(ctx)
}

// stop ends both nodes, as far as they were started.
func (p *pair) stop() error {
	var errs []error
	if p.running != nil {
		errs = append(errs, p.running.stop())
	}
	if p.server != nil {
		errs = append(errs, p.server.Stop())
	}
	return errors.Join(errs...)
}

// explain adds the end of the node's log to an error about its start.
func (n node) explain(err error) error {
	log, _ := os.ReadFile(n.path("out.log"))
	return fmt.Errorf("start two nodes of Elasticsearch%s: %w%s", n.account, err,
		tail(bytes.TrimSpace(log)))
}
