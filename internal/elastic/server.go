package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Supported is what esrule is tested on.
const Supported = "Elasticsearch 7.17 to 9.x"

// The versions of Supported.
const (
	oldestMajor, oldestMinor = 7, 17
	newestMajor              = 9
)

// Server is what is known of the cluster's software. Dialect says what follows from it.
type Server struct {
	Major   int
	Version string // such as "8.19.13"; empty where the user may not ask for it
}

func (s Server) String() string {
	if s.Version != "" {
		return "Elasticsearch " + s.Version
	}
	return fmt.Sprintf("Elasticsearch %d", s.Major)
}

// UnsupportedError says that the server is too old, too new or another product. Trying again
// changes nothing.
type UnsupportedError struct{ From, What string }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s is %s, which is not supported: esrule works on %s\n"+
		"  What to do: set ESRULE_ELASTICSEARCH_URL to a cluster of such a version, or upgrade this one",
		e.From, e.What, Supported)
}

// identify finds out the version with no more rights than the user has: nothing is asked that a
// role of `esrule setup` would be refused, since a refusal is a line in the cluster's audit log
// each time.
func identify(ctx context.Context, t Transport, from string) (Server, error) {
	major, err := askMajor(ctx, t)
	if err != nil {
		return Server{}, err
	}
	s := Server{Major: major}
	granted, err := Privileges(ctx, t, Wanted{Cluster: []string{"monitor"}})
	if err == nil && granted.Cluster("monitor") {
		if s.Version, err = askVersion(ctx, t); err != nil {
			s.Version = "" // only a name in the log is lost by it
		}
	}
	if !s.supported() {
		return s, &UnsupportedError{from, s.String()}
	}
	return s, nil
}

func (s Server) supported() bool {
	reached, known := s.reached(release{oldestMajor, oldestMinor})
	tooNew, _ := s.reached(release{newestMajor + 1, 0})
	return (reached || !known) && !tooNew
}

// release is a version without its third number, such as 8.16.
type release struct{ major, minor int }

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

// reached reports whether the server is of a release or a newer one, and whether that is known.
func (s Server) reached(r release) (reached, known bool) {
	major, minor, exact := parseVersion(s.Version)
	switch {
	case exact:
		return major > r.major || major == r.major && minor >= r.minor, true
	case s.Major == r.major && r.minor > 0:
		return false, false
	}
	return s.Major >= r.major, true
}

func parseVersion(text string) (major, minor int, ok bool) {
	first, rest, _ := strings.Cut(text, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, errMajor := strconv.Atoi(first)
	minor, errMinor := strconv.Atoi(second)
	return major, minor, errMajor == nil && errMinor == nil
}

// versionsItReads finds the major version in a refusal such as "Accept version must be either
// version 8 or 7, but found 1".
var versionsItReads = regexp.MustCompile(`must be either version (\d+) or`)

// askMajor finds out the major version without any privilege: from 8.0 on a server refuses to
// answer in the format of a version that it does not know, and names those that it does. 7.x
// answers.
func askMajor(ctx context.Context, t Transport) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, nothing, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/vnd.elasticsearch+json;compatible-with=1")
	res, err := t.Perform(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := read(res, nil, maxErrorBytes)
	if err != nil {
		return 0, err
	}
	if found := versionsItReads.FindSubmatch(text); found != nil &&
		res.StatusCode == http.StatusBadRequest {
		return strconv.Atoi(string(found[1]))
	}
	return oldestMajor, nil
}

// askVersion asks a server that lets us. `GET /` is not in the distribution that tests use.
func askVersion(ctx context.Context, t Transport) (string, error) {
	var nodes nodesAnswer
	answer, err := Send(ctx, t, Request{
		Method: http.MethodGet, Path: "/_nodes/_local",
		Params: url.Values{"filter_path": {"nodes.*.version"}},
	}, nil, 0)
	if err == nil {
		err = answer.Read(&nodes)
	}
	return nodes.first().Version, err
}

// other names what answers without being an Elasticsearch of 7.14 or newer; it is empty where that
// does not say.
func other(ctx context.Context, t Transport) string {
	for _, path := range []string{"/", "/_nodes/_local?filter_path=nodes.*.version"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		if err != nil {
			return ""
		}
		res, err := t.Perform(req)
		if err != nil {
			return ""
		}
		text, err := read(res, nil, maxErrorBytes)
		res.Body.Close()
		if err != nil && !errors.Is(err, ErrTooLarge) {
			return ""
		}
		if name := nameOf(res.Header, text); name != "" {
			return name
		}
	}
	return ""
}

// nameOf reads who answered from an answer to `GET /`, or from the header of OpenSearch 3.
func nameOf(header http.Header, text []byte) string {
	var root struct {
		Version struct {
			Distribution string `json:"distribution"`
			Number       string `json:"number"`
		} `json:"version"`
		Tagline string `json:"tagline"`
	}
	_ = json.NewDecoder(bytes.NewReader(text)).Decode(&root) // what is no JSON has no version
	opensearch, number, _ := strings.Cut(header.Get("X-OpenSearch-Version"), "/")
	switch {
	case opensearch != "":
		number, _, _ = strings.Cut(number, " ")
		return strings.TrimSpace(opensearch + " " + number)
	case root.Version.Number == "":
		return ""
	case strings.EqualFold(root.Version.Distribution, "opensearch"):
		return "OpenSearch " + root.Version.Number
	case root.Version.Distribution != "":
		return root.Version.Distribution + " " + root.Version.Number
	case strings.HasPrefix(root.Tagline, "You Know, for Search"):
		return "Elasticsearch " + root.Version.Number
	}
	return ""
}
