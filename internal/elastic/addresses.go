package elastic

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

const (
	// firstPause is how long an address that failed is left alone, twice as long each further time.
	firstPause   = 5 * time.Second
	longestPause = time.Minute
)

// addresses are the nodes of the cluster and what is known of their health. Both clients share
// them, so that what one request learns of a node spares all others.
type addresses struct {
	list []*address
	next atomic.Uint32 // where the next request begins, so that the nodes share the work
	log  *slog.Logger
	// alive asks an address for any answer.
	alive func(context.Context, *address) error
}

// address is one node, or a load balancer before several.
type address struct {
	base *url.URL

	mu       sync.Mutex
	heard    time.Time // when it answered last
	down     bool
	failures int       // in a row
	retryAt  time.Time // when a down address is asked again
	asking   chan struct{}
	answer   error // of the last probe
	stalls   stalls
}

func newAddresses(texts []string, log *slog.Logger) (*addresses, error) {
	all := &addresses{log: log}
	for _, text := range texts {
		base, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		all.list = append(all.list, &address{base: base})
	}
	return all, nil
}

func (a *address) String() string { return a.base.Scheme + "://" + a.base.Host }

// urls lists the addresses for messages.
func (all *addresses) urls() []*url.URL {
	var list []*url.URL
	for _, a := range all.list {
		list = append(list, a.base)
	}
	return list
}

func (all *addresses) several() bool { return len(all.list) > 1 }

// order returns the addresses in the order in which a request tries them: those that are up first,
// each request beginning with another; then those that leave requests unanswered; then those that
// are down, the one that failed longest ago first. It has down addresses asked again in the
// background where it is time.
func (all *addresses) order() []*address {
	now, first := time.Now(), int(all.next.Add(1)-1)
	var up, left, down []*address
	for i := range all.list {
		a := all.list[(first+i)%len(all.list)]
		switch {
		case a.isDown():
			down = append(down, a)
		case a.isLeft():
			left = append(left, a)
		default:
			up = append(up, a)
		}
		if a.due(now) {
			go func() { _ = all.ask(context.Background(), a) }() // the address keeps what came
		}
	}
	slices.SortStableFunc(down, func(a, b *address) int { return a.retry().Compare(b.retry()) })
	return slices.Concat(up, left, down)
}

// ask probes an address once at a time: whoever asks meanwhile waits for the same answer.
func (all *addresses) ask(ctx context.Context, a *address) error {
	a.mu.Lock()
	asking := a.asking
	if asking == nil {
		asking = make(chan struct{})
		a.asking = asking
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aliveWithin)
			defer cancel()
			err := all.alive(ctx, a)
			if err != nil {
				all.failed(a, err)
			} else {
				all.answered(a)
			}
			a.mu.Lock()
			a.answer, a.asking = err, nil
			a.mu.Unlock()
			close(asking)
		}()
	}
	a.mu.Unlock()
	select {
	case <-asking:
	case <-ctx.Done():
		return nil // the request is over, so nobody wants to know
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answer
}

// failed notes that an address did not answer. The first failure in a row is logged, with the
// address: the rule that happened to ask is not to blame.
func (all *addresses) failed(a *address, reason error) {
	a.mu.Lock()
	wasDown := a.down
	a.down = true
	a.failures++
	a.retryAt = time.Now().Add(min(firstPause<<min(a.failures-1, 8), longestPause))
	a.mu.Unlock()
	if !wasDown && all.several() {
		all.log.Warn("an address of the cluster does not answer; the others are asked until it does",
			"address", a.String(), "reason", reason)
	}
}

func (all *addresses) answered(a *address) {
	a.mu.Lock()
	wasDown := a.down
	a.down, a.failures, a.heard = false, 0, time.Now()
	a.mu.Unlock()
	if wasDown && all.several() {
		all.log.Info("an address of the cluster answers again", "address", a.String())
	}
}

// down returns how many addresses do not answer, or not all that they are asked.
func (all *addresses) down() int {
	n := 0
	for _, a := range all.list {
		if a.isDown() || a.isLeft() {
			n++
		}
	}
	return n
}

func (a *address) isDown() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.down
}

func (a *address) retry() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.retryAt
}

// due reports whether a down address is to be asked again, and puts the next time off.
func (a *address) due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.down || now.Before(a.retryAt) {
		return false
	}
	a.retryAt = now.Add(longestPause) // until this probe's answer sets it
	return true
}

// heardWithin reports whether the address answered anything within d.
func (a *address) heardWithin(d time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Since(a.heard) < d
}

// locate writes the address into a request's URL, whose path stays below the address's own.
func (a *address) locate(u *url.URL) *url.URL {
	at := *u
	at.Scheme, at.Host = a.base.Scheme, a.base.Host
	raw := strings.TrimRight(a.base.EscapedPath(), "/") + u.EscapedPath()
	at.Path, at.RawPath = strings.TrimRight(a.base.Path, "/")+u.Path, raw
	return &at
}

// forClient is the pool that both clients get in place of their own. It hands out no address: the
// transport chooses one for each attempt, with what it knows of their health.
func (all *addresses) forClient(
	[]*elastictransport.Connection, elastictransport.Selector,
) elastictransport.ConnectionPool {
	return clientPool{all}
}

type clientPool struct{ all *addresses }

// Next implements elastictransport.ConnectionPool.
func (clientPool) Next() (*elastictransport.Connection, error) {
	return &elastictransport.Connection{URL: &url.URL{Scheme: "http", Host: "elasticsearch"}}, nil
}

func (clientPool) OnSuccess(*elastictransport.Connection) error { return nil }
func (clientPool) OnFailure(*elastictransport.Connection) error { return nil }

func (p clientPool) URLs() []*url.URL { return p.all.urls() }
