package elastic

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/elastic/go-elasticsearch/v8"
)

// Client is the way to one Elasticsearch. Its two ways to send differ in who tries again.
type Client struct {
	// Requests tries again by itself what a busy or restarting cluster refused. Everything that
	// goes through it may be repeated: reads change nothing, and a write that had arrived already
	// meets its own compare-and-set.
	Requests Transport
	// Once sends once, for the packages that try again themselves: search, which knows what may
	// succeed later, and sink, which looks at every item of an answer. A second loop below theirs
	// would multiply the attempts.
	Once *elasticsearch.Client
	// Dialect is what the cluster can do; until Connect nothing is known of it.
	Dialect *Dialect

	transport *transport
	list      []string // the addresses
	userAgent string

	addresses  string // for messages; without credentials
	credential string // the kind of credential in use, for messages
	advice     string // what to look at where it is refused
}

// New builds the client; it sends nothing.
func New(cfg Config) (*Client, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	pool, err := newAddresses(cfg.Addresses, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("read the addresses of the cluster: %w", err)
	}
	if cfg.Watch == nil {
		cfg.Watch = func(Report) {}
	}
	t := &transport{
		addresses: pool, line: newLine(cfg, cfg.Log), watch: cfg.Watch, patience: usual,
	}
	pool.alive = t.alive
	c := &Client{Dialect: new(Dialect), transport: t, addresses: strings.Join(cfg.Addresses, ", "),
		userAgent: cfg.UserAgent, list: cfg.Addresses}
	c.credential, c.advice = cfg.credential()
	return c, c.connect(t)
}

// connect builds the ways to send over a transport.
func (c *Client) connect(over http.RoundTripper) (err error) {
	c.Once, err = elasticsearch.NewClient(elasticsearch.Config{
		Addresses:          c.list,
		Header:             http.Header{"User-Agent": {c.userAgent}},
		Transport:          over,
		ConnectionPoolFunc: c.transport.addresses.forClient,
		DisableRetry:       true,
	})
	if err != nil {
		return fmt.Errorf("build the client for %s: %w", c.addresses, err)
	}
	c.Requests = patiently{c.Once}
	return nil
}

// credential says how the cluster is told who we are, and what to look at where it refuses that.
func (c Config) credential() (kind, advice string) {
	switch {
	case c.APIKey.IsSet():
		return "the API key",
			"check ESRULE_ELASTICSEARCH_API_KEY; a key may have expired, or belong to another cluster"
	case c.Username != "":
		return fmt.Sprintf("user %q with this password", c.Username),
			"check ESRULE_ELASTICSEARCH_USERNAME and ESRULE_ELASTICSEARCH_PASSWORD, " +
				"or what the address holds of them"
	}
	return "a request without credentials",
		"set ESRULE_ELASTICSEARCH_API_KEY, " +
			"or ESRULE_ELASTICSEARCH_USERNAME and ESRULE_ELASTICSEARCH_PASSWORD"
}

// Reload reads the files of the credentials and of the authorities again, as SIGHUP asks for. What
// cannot be read, or holds nothing of use, leaves the ones before in use.
func (c *Client) Reload() { c.transport.line.reload() }
