package search

import (
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/elastic"
)

// Options are what a Cluster can be told. The zero value of each means its default.
type Options struct {
	// PageSize is the most hits asked for at once; default 5,000, at most 10,000. A search begins
	// with 1,000 of them and asks for more where a page stays short.
	PageSize int
	// MaxPageBytes is how long an answer may be before the page is asked for again in halves;
	// default 32 MiB. One hit alone may be longer. Pages are to take a twelfth of it; the texts of
	// two are held at a time.
	MaxPageBytes int64
	// KeepAlive is how long a point in time lives between two pages; default 5 minutes.
	KeepAlive time.Duration
	// Timeout is the time that a shard may take for one page; default 1 minute. Of a search that
	// ran out of it every index counts as failed.
	Timeout time.Duration
	// RequestTimeout ends a request that the server does not answer; default Timeout and another
	// minute.
	RequestTimeout time.Duration
	// Tries is how often a request is sent before its failure stands; default 5.
	Tries uint
	// RetryInterval is the pause before the second try, growing with each further one; default 500
	// ms.
	RetryInterval time.Duration
	// Dialect is what the cluster can do; default nothing is known of it, and all is tried.
	Dialect *elastic.Dialect
	// Logger is told of requests that are tried again; default nobody.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.PageSize, 5000)
	o.PageSize = min(o.PageSize, 10_000)
	setDefault(&o.MaxPageBytes, 32<<20)
	setDefault(&o.KeepAlive, 5*time.Minute)
	setDefault(&o.Timeout, time.Minute)
	setDefault(&o.RequestTimeout, o.Timeout+time.Minute)
	setDefault(&o.Tries, 5)
	setDefault(&o.RetryInterval, 500*time.Millisecond)
	if o.Dialect == nil {
		o.Dialect = new(elastic.Dialect)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T int | int64 | uint | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Cluster reads one Elasticsearch. It is safe for concurrent use.
type Cluster struct {
	client    *elasticsearch.Client
	options   Options
	addresses string
	normal    knownForms
	// the keep alive that the server allows, where it is shorter than the option
	lowered atomic.Int64
	texts   sync.Pool // of *[]byte: memory for the text of pages, from one search to the next
}

// NewCluster gives a Cluster that sends its requests through client.
func NewCluster(client *elasticsearch.Client, options Options) *Cluster {
	return &Cluster{client: client, options: options.withDefaults(), addresses: addressesOf(client)}
}

// addressesOf lists where a client sends its requests, without credentials, for messages.
func addressesOf(client *elasticsearch.Client) string {
	pool, ok := client.Transport.(interface{ URLs() []*url.URL })
	if !ok {
		return "the configured address"
	}
	var list []string
	for _, u := range pool.URLs() {
		list = append(list, u.Scheme+"://"+u.Host+u.Path)
	}
	return strings.Join(list, ", ")
}

// openIndices are the index options of every request here, those of Elasticsearch's EQL search: a
// missing index is no error, and wildcards mean open indices that are not hidden.
func openIndices() url.Values {
	return url.Values{
		"ignore_unavailable": {"true"},
		"allow_no_indices":   {"true"},
		"expand_wildcards":   {"open"},
	}
}

// joined writes index patterns as a part of a path.
func joined(patterns []string) string { return url.PathEscape(strings.Join(patterns, ",")) }
