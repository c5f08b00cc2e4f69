package elastic

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// answerTimeout bounds how long a request may run on the cluster. A page takes milliseconds;
	// a search that took this long is given up, its window stays open, and the next run asks again.
	answerTimeout = 2 * time.Minute
)

// line sends one request to one address: with the credentials, over a connection that is trusted,
// and by way of the proxy of the environment. Credentials and certificates that the other side
// refuses are read again from their files, since they may have been rotated.
type line struct {
	cfg         Config
	credentials *credentials
	log         *slog.Logger
	http        atomic.Pointer[http.Transport]
}

func newLine(cfg Config, log *slog.Logger) *line {
	l := &line{cfg: cfg, credentials: newCredentials(cfg), log: log}
	l.http.Store(newHTTP(cfg))
	return l
}

// newHTTP returns the connections that all requests share. The proxy comes from the environment.
func newHTTP(cfg Config) *http.Transport {
	return &http.Transport{
		// Packing pages and unpacking them takes a good part of the time that reading does.
		DisableCompression:     !cfg.Compressed,
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkTunnel,
		DialContext: (&net.Dialer{Timeout: dialTimeout,
			KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   16,
		TLSClientConfig:       tlsConfig(cfg),
	}
}

// send sends the request, whose URL holds a path only, to an address. Its error names the address.
// A request's URL holds no credentials: they travel in a header.
func (l *line) send(req *http.Request, to *address) (*http.Response, error) {
	used := l.http.Load()
	res, err := l.sendOnce(used, req, to)
	if !l.renew(req.Context(), used, res, err) {
		return res, err
	}
	if res != nil {
		res.Body.Close()
	}
	return l.sendOnce(l.http.Load(), req, to)
}

func (l *line) sendOnce(by *http.Transport, req *http.Request,
	to *address) (*http.Response, error) {
	out, err := rewound(req.Context(), req)
	if err != nil {
		return nil, err
	}
	out.URL = to.locate(req.URL)
	out.Host = ""
	l.credentials.authorize(out)
	res, err := by.RoundTrip(out)
	if err == nil {
		res.Request = out // whose URL says who answered
		err = l.check(res)
	}
	if err != nil {
		if named, ok := errors.AsType[*url.Error](err); ok {
			err = named.Err // a *url.Error prints the address with its credentials
		}
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	return res, nil
}

// check refuses what no Elasticsearch answers, and unpacks what was packed without being asked to.
func (l *line) check(res *http.Response) error {
	switch {
	case res.StatusCode == http.StatusProxyAuthRequired:
		res.Body.Close()
		return &ProxyError{Proxy: proxyOf(res.Request), Status: res.StatusCode}
	case res.StatusCode >= 300 && res.StatusCode < 400 && res.StatusCode != http.StatusNotModified:
		res.Body.Close()
		return &RedirectError{Status: res.StatusCode, To: l.credentials.redact(location(res))}
	}
	if err := unpack(res); err != nil {
		res.Body.Close()
		return err
	}
	if err := unrepeated(res); err != nil {
		res.Body.Close()
		return err
	}
	return l.credentials.clean(res)
}

// unpack reads an answer that a gateway packed although nobody asked for it. The header is gone
// where the transport asked for it and has unpacked it itself.
func unpack(res *http.Response) error {
	switch encoding := res.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
		if res.Request.Method == http.MethodHead || res.ContentLength == 0 {
			return nil
		}
		res.Body = &packedBody{packed: res.Body}
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
		return nil
	default:
		return fmt.Errorf("the answer is packed as %q, which esrule does not ask for and cannot read: "+
			"have the proxy in between leave answers as they are", encoding)
	}
}

// packedBody unpacks as it is read: the first byte may come late.
type packedBody struct {
	packed io.ReadCloser
	plain  *gzip.Reader
}

func (b *packedBody) Read(p []byte) (int, error) {
	if b.plain == nil {
		plain, err := gzip.NewReader(b.packed)
		if err != nil {
			return 0, fmt.Errorf("unpack the answer: %w", err)
		}
		b.plain = plain
	}
	return b.plain.Read(p)
}

func (b *packedBody) Close() error { return b.packed.Close() }

// renew reports whether the refusal of our credentials, or ours of the cluster's certificate, made
// us read newer ones, with which the request is worth sending again.
func (l *line) renew(ctx context.Context, used *http.Transport, res *http.Response,
	err error) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		return isRefusal(err) && l.renewTrust(used)
	case res.StatusCode == http.StatusUnauthorized:
		return l.renewCredentials(res.Request.Header.Get("Authorization"))
	}
	return false
}

// renewCredentials reads the file of the credentials again. It reports whether they are others now
// than those that were refused.
func (l *line) renewCredentials(refused string) bool {
	changed, err := l.credentials.renew(refused)
	if err != nil {
		l.log.Warn("the file of the password or API key cannot be read again; the one before "+
			"stays in use",
			"error", err)
	} else if changed {
		l.log.Info("the password or API key was read again from its file")
	}
	return changed
}

// renewTrust reads the CA file again. It reports whether others are trusted now than by the
// transport that was used; another request may have read them meanwhile.
func (l *line) renewTrust(used *http.Transport) bool {
	if l.cfg.CAFile == "" {
		return false
	}
	pool, err := ReadAuthorities(l.cfg.CAFile)
	if err != nil {
		l.log.Warn("the CA file cannot be read again; the certificates before stay in use",
			"file", l.cfg.CAFile, "error", err)
		return false
	}
	if pool.Equal(used.TLSClientConfig.RootCAs) {
		return false
	}
	cfg := l.cfg
	cfg.CA = pool
	if l.http.CompareAndSwap(used, newHTTP(cfg)) {
		l.log.Info("the CA file was read again", "file", l.cfg.CAFile)
		used.CloseIdleConnections()
	}
	return true
}

func (l *line) reload() {
	l.renewCredentials(l.credentials.current())
	l.renewTrust(l.http.Load())
}
