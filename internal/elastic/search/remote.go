package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// byCluster divides patterns by the cluster that they are of: first those of the cluster that is
// connected to, then one list for each remote cluster. So what a remote cluster answers, or does
// not, concerns its own patterns only.
func (c *Cluster) byCluster(ctx context.Context, patterns []string) ([][]string, error) {
	named := indexpattern.Clusters(patterns)
	if len(named) == 0 {
		return [][]string{indexpattern.Local(patterns)}, nil
	}
	aliases, err := c.aliases(ctx, named)
	if err != nil {
		return nil, err
	}
	var lists [][]string
	if local := indexpattern.Local(patterns); len(local) > 0 {
		lists = append(lists, local)
	}
	for _, alias := range aliases {
		if own := indexpattern.OfCluster(patterns, alias); len(own) > 0 {
			lists = append(lists, own)
		}
	}
	return lists, nil
}

// aliases returns the remote clusters that names stand for. One without a * need not be there.
func (c *Cluster) aliases(ctx context.Context, names []string) ([]string, error) {
	var all, wild []string
	for _, name := range names {
		if strings.Contains(name, "*") {
			wild = append(wild, name)
		} else {
			all = append(all, name)
		}
	}
	if len(wild) > 0 {
		configured, err := c.configured(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask which remote clusters there are: %w", err)
		}
		for _, alias := range configured {
			if indexpattern.Match(wild, alias) {
				all = append(all, alias)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// configured returns the aliases of all remote clusters. Who lacks the privilege to monitor the
// cluster is answered by a server that elastic.ResolvesClusters.
func (c *Cluster) configured(ctx context.Context) ([]string, error) {
	answer := nameSet{}
	err := c.ask(ctx, call{method: http.MethodGet, path: "/_remote/info"}, &answer)
	if errors.Is(err, elastic.ErrForbidden) {
		q := call{method: http.MethodGet, path: "/_resolve/cluster/" + url.PathEscape("*:*")}
		if failed := c.ask(ctx, q, &answer); failed != nil {
			return nil, err
		}
	}
	if err != nil && len(answer) == 0 {
		return nil, err
	}
	return slices.Sorted(maps.Keys(answer)), nil
}

// Unanswered returns the remote clusters of patterns that cannot be searched now, each as failures
// of its patterns. It must be asked: a point in time that is opened over a remote cluster that is
// gone may be answered as if nothing were there. The aliases of their clusters come with them.
func (c *Cluster) Unanswered(
	ctx context.Context, patterns []string,
) (failures []Failure, aliases []string, err error) {
	lists, err := c.byCluster(ctx, patterns)
	if err != nil {
		for _, p := range indexpattern.Adding(patterns) {
			if indexpattern.IsRemote(p) && strings.Contains(indexpattern.Cluster(p), "*") {
				failures = append(failures,
					Failure{Index: p, Type: Unanswered, Reason: err.Error()})
				aliases = append(aliases, indexpattern.Cluster(p))
			}
		}
		return failures, aliases, ctx.Err()
	}
	for _, list := range lists {
		if !isRemote(list) {
			continue
		}
		_, _, err := c.confirm(ctx, list)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			failures = append(failures, unanswered(list, err)...)
			aliases = append(aliases, indexpattern.Cluster(list[0]))
		}
	}
	return failures, aliases, nil
}

// Unanswered is the Type of a Failure of a pattern of a remote cluster that did not answer.
const Unanswered = "remote_cluster_unanswered"

// unanswered returns the failures of the patterns of one remote cluster.
func unanswered(patterns []string, cause error) []Failure {
	var refused *elastic.Error
	advice := "check the connection (GET _remote/info)"
	kind := Unanswered
	switch {
	case errors.As(cause, &refused) && refused.Type == noSuchRemote:
		advice = fmt.Sprintf("it is not set up: set cluster.remote.%s.*, or take the pattern out "+
			"of the rule",
			indexpattern.Cluster(patterns[0]))
	case errors.Is(cause, elastic.ErrForbidden) && refused != nil && refused.Type != blocked:
		advice = "grant the role the privileges read and view_index_metadata on that cluster too"
		kind = Forbidden
	}
	var failures []Failure
	for _, p := range indexpattern.Adding(patterns) {
		failures = append(failures, Failure{Index: p, Type: kind, Reason: fmt.Sprintf(
			"the remote cluster %s does not answer for it: %v; %s", indexpattern.Cluster(p), cause,
			advice)})
	}
	return failures
}

// Elasticsearch's names for what keeps a remote cluster from answering.
const (
	noSuchRemote     = "no_such_remote_cluster_exception"
	connectTransport = "connect_transport_exception"
)

// isRemote reports whether patterns, which are of one cluster, are of a remote one.
func isRemote(patterns []string) bool {
	return len(patterns) > 0 && indexpattern.IsRemote(patterns[0])
}

// confirm searches the patterns of a remote cluster for nothing. Its answer says whether the
// cluster took part, as the opening of a point in time does not. It returns how many shards there
// are, and the indices that have to be left out.
func (c *Cluster) confirm(
	ctx context.Context, patterns []string,
) (shards int, without []Failure, err error) {
	var answer searchAnswer
	body := summary{Timeout: milliseconds(confirmTime)}
	ctx, cancel := context.WithTimeoutCause(ctx, confirmTime,
		fmt.Errorf("no answer for %s", confirmTime))
	defer cancel()
	without, err = c.askIndices(ctx, patterns,
		func(patterns []string) call { return searchOf(patterns, body) }, &answer)
	if len(failedShards(err)) > 0 { // it answered: they are named by the searches to come
		return len(failedShards(err)), without, nil
	}
	if err != nil || answer.Shards == nil {
		return 0, without, err
	}
	return *answer.Shards.Total, without, nil
}

// confirmTime bounds the question whether a remote cluster answers. Elasticsearch itself gives up a
// new connection after 30 s; a cluster that hangs behind one it waits for without end.
const confirmTime = 40 * time.Second

// searchOf is a search of patterns without a point in time. Of a remote cluster the shards are
// asked one by one, as for a point in time: so failures name them, whatever the cluster's
// skip_unavailable.
func searchOf(patterns []string, body any) call {
	q := call{
		method: http.MethodPost, path: "/" + joined(patterns) + "/_search", params: openIndices(),
		body: body,
	}
	q.params.Set("allow_partial_search_results", "true")
	if isRemote(patterns) {
		q.params.Set("ccs_minimize_roundtrips", "false")
	}
	return q
}

// clustersSum is how many clusters took part in an answer.
type clustersSum struct {
	Skipped int                 `json:"skipped"`
	Failed  int                 `json:"failed"`
	Details map[string]struct { // elastic.ClusterDetails
		Failures []elastic.ShardFailure `json:"failures"`
	} `json:"details"`
}

// unanswered returns why a remote cluster did not take part, nil where all did. With
// skip_unavailable Elasticsearch counts no shard of such a cluster, and calls the search a success.
func (s *clustersSum) unanswered() error {
	if s == nil || s.Skipped+s.Failed == 0 {
		return nil
	}
	var why []elastic.ShardFailure
	for _, d := range s.Details {
		why = append(why, d.Failures...)
	}
	if len(why) > 0 {
		reason := why[0].Reason
		status := http.StatusBadGateway
		if reason.Type == Forbidden {
			status = http.StatusForbidden
		}
		return &elastic.Error{Status: status, Type: reason.Type, Reason: reason.Text()}
	}
	return &elastic.Error{Status: http.StatusBadGateway, Type: connectTransport,
		Reason: "the search skipped it (skip_unavailable), and does not say why"}
}

func (p *portions) unanswered() error { return p.Clusters.unanswered() }

// ofRemote puts the alias of the patterns' cluster before the names of its indices, where they are
// refused without it.
func ofRemote(patterns []string, found []Failure) []Failure {
	if !isRemote(patterns) {
		return found
	}
	for i := range found {
		if !indexpattern.IsRemote(found[i].Index) {
			found[i].Index = indexpattern.Cluster(patterns[0]) + ":" + found[i].Index
		}
	}
	return found
}

// excluding writes an index as an exclusion.
func excluding(index string) string {
	if alias, name, ok := strings.Cut(index, ":"); ok {
		return alias + ":-" + name
	}
	return "-" + index
}
