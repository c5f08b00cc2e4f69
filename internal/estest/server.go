package estest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// DefaultVersion is the server that tests run against unless Options or ESTEST_VERSION say
// otherwise.
const DefaultVersion = "8.19.13"

// The ways to get a server, as Server.From names them.
const (
	FromURL          = "ESTEST_URL"
	FromContainer    = "container"
	FromDistribution = "test distribution"
)

// A Server is a running Elasticsearch.
type Server struct {
	URL  string // scheme, host and port, without credentials
	From string // FromURL, FromContainer or FromDistribution

	// Username and Password may do everything on the server; empty where it has no security.
	Username, Password string
	// Authority is the certificate, as PEM, that signed the server's; nil where the system's own
	// are trusted.
	Authority []byte

	product product
	stop    func() error
}

// Start gives a running server, ready for requests. A server that needs nothing in particular is
// taken from ESTEST_URL where that is set; otherwise one is started, which takes some 15 seconds,
// and a minute more on the first time, for the download. The caller stops it.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	if named := os.Getenv("ESTEST_URL"); named != "" && o.fitsAnyServer() {
		return connect(ctx, "ESTEST_URL", named)
	}
	server, fromContainer := startContainer(ctx, o)
	if fromContainer == nil {
		return server, nil
	}
	if ctx.Err() != nil {
		return nil, fromContainer
	}
	fmt.Fprintf(o.Log, "estest: no container, so the test distribution is taken: %v\n",
		fromContainer)
	server, fromDistribution := startDistribution(ctx, o)
	if fromDistribution == nil {
		return server, nil
	}
	return nil, &unavailableError{version: o.Version, container: fromContainer,
		distribution: fromDistribution}
}

// Stop ends the server and deletes its data. It leaves alone a server that ESTEST_URL named.
func (s *Server) Stop() error {
	if s.stop == nil {
		return nil
	}
	return s.stop()
}

// unavailableError tells, way by way, why there is no server and what would give one.
type unavailableError struct {
	version                 string
	container, distribution error
}

func (e *unavailableError) Error() string {
	return fmt.Sprintf(`no Elasticsearch %s to be had:
  container:         %s
  test distribution: %s
Install a Docker engine, or Java 17 or newer with Maven, or set ESTEST_URL to a
cluster that tests may write to.`,
		e.version, indent(e.container), indent(e.distribution))
}

func (e *unavailableError) Unwrap() []error { return []error{e.container, e.distribution} }

func indent(err error) string { return strings.ReplaceAll(err.Error(), "\n", "\n    ") }

// connect takes the cluster that the user named. One that does not answer is an error and no reason
// to start another: the tests would silently run on something else than what was asked for.
func connect(ctx context.Context, variable, named string) (*Server, error) {
	u, err := url.Parse(named)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s: not an address of the form http://user:password@host:9200",
			variable)
	}
	s := &Server{From: FromURL}
	if u.User != nil {
		s.Username = u.User.Username()
		s.Password, _ = u.User.Password()
		u.User = nil
	}
	s.URL = strings.TrimRight(u.String(), "/")
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.waitUntilReady(ctx); err != nil {
		return nil, fmt.Errorf("the cluster that %s names: %w", variable, err)
	}
	return s, nil
}

// waitUntilReady polls the cluster's health until it is at least yellow. GET / is no help: the test
// distribution answers it with 405.
func (s *Server) waitUntilReady(ctx context.Context) error {
	const pause = 100 * time.Millisecond
	client := &http.Client{Transport: s.httpTransport()}
	last := errors.New("no answer yet")
	for {
		err := s.health(ctx, client)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil { // else it is only what our own deadline made of the request
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w)", s.URL, last, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

func (s *Server) health(ctx context.Context, client *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+
		"/_cluster/health?wait_for_status=yellow&timeout=5s", nil)
	if err != nil {
		return err
	}
	if s.Username != "" {
		req.SetBasicAuth(s.Username, s.Password)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 500))
	return fmt.Errorf("cluster health: %s: %s", res.Status, body)
}
