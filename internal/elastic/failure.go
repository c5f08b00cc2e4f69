package elastic

import (
	"context"
	"errors"
	"net/http"
)

// Failure is a kind of failure on the way to the cluster, in words that an alert rule can name. The
// empty one is none.
type Failure string

// The kinds of failures on the way.
const (
	Unreachable  Failure = "unreachable"       // no address answers
	Unauthorized Failure = "unauthorized"      // the user or API key is not known
	Untrusted    Failure = "tls"               // the two sides do not agree on a safe connection
	Barred       Failure = "gateway"           // a proxy or gateway refuses or redirects
	Foreign      Failure = "not_elasticsearch" // something else answers
	Unready      Failure = "not_ready"         // the cluster or a gateway answers 429 or 5xx
)

// Failures lists them all.
func Failures() []Failure {
	return []Failure{Unreachable, Unauthorized, Untrusted, Barred, Foreign, Unready}
}

// FailureOf sorts an error of Connect or Probe.
func FailureOf(err error) Failure {
	var failed *ProbeError
	var unsupported *UnsupportedError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failed):
		return failed.Failure
	case errors.As(err, &unsupported):
		return Foreign
	}
	return failureOf(err)
}

func failureOf(err error) Failure {
	switch {
	case isRefusal(err):
		return Untrusted
	case isGateway(err):
		return Barred
	}
	return Unreachable
}

// Report is what one request says of the way to the cluster.
type Report struct {
	Failure       Failure
	AddressesDown int
}

// report tells whoever watches what came of a request. One that was given up by its caller says
// nothing of the cluster.
func (t *transport) report(ctx context.Context, res *http.Response, err error) {
	r := Report{AddressesDown: t.addresses.down()}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return
	case err != nil:
		r.Failure = failureOf(err)
	case res.StatusCode == http.StatusUnauthorized:
		r.Failure = Unauthorized
	case isForeign(res) && res.StatusCode >= 500:
		r.Failure = Unready
	case isForeign(res):
		r.Failure = Foreign
	}
	t.watch(r)
}
