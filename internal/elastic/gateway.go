package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// RedirectError is an answer that sends us elsewhere. It is never followed: the request holds
// credentials, and Elasticsearch itself redirects nobody.
type RedirectError struct {
	Status int
	To     string // without credentials; empty where the answer does not say
}

func (e *RedirectError) Error() string {
	to := "elsewhere"
	if e.To != "" {
		to = "to " + e.To
	}
	return fmt.Sprintf("something before the cluster redirects %s (%d %s), which esrule does not follow: "+
		"set ESRULE_ELASTICSEARCH_URL to the address of the cluster itself",
		to, e.Status, http.StatusText(e.Status))
}

// ProxyError is a proxy that does not let our requests through.
type ProxyError struct {
	Proxy  string // its address, without credentials; empty where a gateway says it is one
	Status int
}

func (e *ProxyError) Error() string {
	who := "a proxy in between"
	if e.Proxy != "" {
		who = "the proxy " + e.Proxy
	}
	text := fmt.Sprintf("%s does not let the request through (%d %s)", who, e.Status,
		http.StatusText(e.Status))
	if e.Status == http.StatusProxyAuthRequired {
		return text + ": write its user and password into HTTP_PROXY or HTTPS_PROXY, " +
			"as http://user:password@proxy:port, or name the cluster in NO_PROXY"
	}
	return text
}

// location is where a redirect leads, without credentials or what else its query may hold.
func location(res *http.Response) string {
	to, err := res.Location()
	if err != nil {
		return ""
	}
	to.User, to.RawQuery, to.Fragment = nil, "", ""
	return to.String()
}

// checkTunnel names the proxy where it opens no tunnel to a cluster with TLS.
func checkTunnel(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: proxy.Scheme + "://" + proxy.Host, Status: res.StatusCode}
}

// proxyOf is the proxy of the environment for a request.
func proxyOf(req *http.Request) string {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.Scheme + "://" + proxy.Host
}

// CheckProxy returns what is wrong with the value of HTTP_PROXY or HTTPS_PROXY, or nothing. Go
// ignores one that it cannot read, and requests would go to the cluster directly.
func CheckProxy(value string) string {
	if value == "" {
		return ""
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value // as Go does
	}
	proxy, err := url.Parse(value)
	if err != nil {
		return "not an address such as http://proxy:3128; " +
			"in a user or password write special characters as %XX"
	}
	switch proxy.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return "want http://, https:// or socks5://"
	}
	if proxy.Hostname() == "" {
		return "has no host; want an address such as http://proxy:3128"
	}
	return ""
}

// IsFinal reports whether an error on the way to the cluster stays the same however often the
// request is sent: the two sides do not agree on TLS, or something on the way refuses or redirects.
// Of several addresses all have to.
func IsFinal(err error) bool {
	if all, ok := errors.AsType[noAddress](err); ok {
		return !slices.ContainsFunc(all, func(one error) bool { return !IsFinal(one) })
	}
	return isRefusal(err) || isGateway(err)
}

// isGateway reports whether something on the way refuses, which asking again does not change.
func isGateway(err error) bool {
	_, redirects := errors.AsType[*RedirectError](err)
	_, shut := errors.AsType[*ProxyError](err)
	return redirects || shut
}
