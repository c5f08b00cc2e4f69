package search

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// blocked is the Type of a Failure, and of an answer, for an index that somebody has closed to reading.
const blocked = elastic.ClusterBlock

// askIndices asks about the indices of patterns; request makes the call for patterns. One index that is blocked (by
// index.blocks.read or .metadata, or while it is being closed) makes Elasticsearch refuse the request for all of them. So it
// is asked again without the blocked ones, which are given as failures.
func (c *Cluster) askIndices(ctx context.Context, patterns []string, request func(patterns []string) call, into elastic.Complete) ([]Failure, error) {
	var without []Failure
	left := patterns
	for {
		err := c.ask(ctx, request(left), into)
		found := blockedIndices(err)
		// One that was left out and is named all the same is behind an alias, which cannot be asked in part.
		found = slices.DeleteFunc(found, func(f Failure) bool {
			return slices.ContainsFunc(without, func(w Failure) bool { return w.Index == f.Index })
		})
		if len(found) == 0 {
			return without, err
		}
		without = append(without, found...)
		if left = leaveOut(patterns, without); len(left) == 0 {
			return without, nil
		}
	}
}

// blockedIndices reads from a refusal which indices brought it about.
func blockedIndices(err error) []Failure {
	var refused *elastic.Error
	if !errors.As(err, &refused) || refused.Type != blocked {
		return nil
	}
	var found []Failure
	for _, m := range regexp.MustCompile(`index \[([^\]]+)\] blocked by: \[([^\]]*)\]`).FindAllStringSubmatch(refused.Reason, -1) {
		found = append(found, Failure{Index: m[1], Type: blocked, Reason: "the index is blocked: " + m[2]})
	}
	return found
}

// leaveOut takes indices out of patterns. Elasticsearch takes "-name" behind a wildcard only.
func leaveOut(patterns []string, indices []Failure) []string {
	named := func(name string) bool {
		return slices.ContainsFunc(indices, func(f Failure) bool { return f.Index == name })
	}
	left := slices.DeleteFunc(slices.Clone(patterns), named)
	if slices.ContainsFunc(left, func(p string) bool { return strings.Contains(p, "*") }) {
		// The exclusions of the user's come last again, behind what they are about.
		for _, f := range indices {
			left = append(left, "-"+f.Index)
		}
	}
	return left
}
