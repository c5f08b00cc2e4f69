package search

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// blocked is the Type of a Failure, and of an answer, for an index that somebody has closed to
// reading.
const blocked = elastic.ClusterBlock

// askIndices asks about the indices of patterns; request makes the call for patterns. One index
// that is blocked (by index.blocks.read or .metadata, or while it is being closed) makes
// Elasticsearch refuse the request for all of them, and so does one that lacks a shard when a point
// in time is opened without elastic.PartialPointInTime. So it is asked again without those, which
// are returned as failures.
func (c *Cluster) askIndices(ctx context.Context, patterns []string,
	request func(patterns []string) call, into elastic.Checked) ([]Failure, error) {
	var without []Failure
	left := patterns
	for {
		err := c.ask(ctx, request(left), into)
		if answer, ok := into.(interface{ unanswered() error }); ok && err == nil {
			err = answer.unanswered()
		}
		found := ofRemote(patterns, culprits(err))
		if len(found) == 0 {
			return without, err
		}
		fresh := slices.DeleteFunc(found, func(f Failure) bool { return names(without, f.Index) })
		without = append(without, fresh...)
		if len(fresh) == 0 && isRemote(patterns) {
			return without, err // what an alias stands for is not asked across clusters
		}
		// left out and named all the same: it is behind an alias or a data stream
		if len(fresh) == 0 {
			opened, hidden, failed := c.openUp(ctx, patterns, without)
			if failed != nil || slices.Equal(opened, patterns) {
				return without, errors.Join(err, failed)
			}
			patterns, without = opened, append(without, hidden...)
		}
		if left = leaveOut(patterns, without); len(left) == 0 {
			return without, nil
		}
	}
}

func names(failures []Failure, index string) bool {
	return slices.ContainsFunc(failures, func(f Failure) bool { return f.Index == index })
}

// culprits reads from a refusal which indices brought it about.
func culprits(err error) []Failure {
	var refused *elastic.Error
	if !errors.As(err, &refused) {
		return nil
	}
	if refused.Type != blocked {
		return missingShards(refused.Reason)
	}
	var found []Failure
	for _, m := range regexp.MustCompile(
		`index \[([^\]]+)\] blocked by: \[([^\]]*)\]`).FindAllStringSubmatch(refused.Reason, -1) {
		found = append(found, Failure{Index: m[1], Type: blocked, Reason: "the index is blocked: " +
			m[2]})
	}
	return found
}

// missingShards reads which indices lack a shard from the reason for which a server opens no point
// in time without elastic.PartialPointInTime: "Search rejected due to missing shards [[logs-1][0],
// [logs-2][3]]".
func missingShards(reason string) []Failure {
	_, list, ok := strings.Cut(reason, "due to missing shards [")
	if !ok {
		return nil
	}
	var found []Failure
	for _, m := range regexp.MustCompile(`\[([^\[\]]+)\]\[\d+\]`).FindAllStringSubmatch(list, -1) {
		if !slices.ContainsFunc(found, func(f Failure) bool { return f.Index == m[1] }) {
			found = append(found,
				failureOf(elastic.ShardFailure{Index: m[1],
					Reason: elastic.Cause{Type: elastic.NoShardAvailable}}))
		}
	}
	return found
}

// leaveOut takes indices out of patterns. Elasticsearch takes "-name" after a wildcard only.
func leaveOut(patterns []string, indices []Failure) []string {
	left := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return names(indices, p)
	})
	if slices.ContainsFunc(left, func(p string) bool { return strings.Contains(p, "*") }) {
		// The exclusions of the user's come last again, behind what they are about.
		for _, f := range indices {
			left = append(left, excluding(f.Index))
		}
	}
	return left
}
