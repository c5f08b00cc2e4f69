package indexpattern

import (
	"slices"
	"strings"
)

// A pattern "cluster:index" stands for indices of remote clusters, which go by aliases; cluster may
// have a *. What takes indices out of it is written "cluster:-index", and "-cluster:*" takes out
// whole clusters. Elasticsearch refuses "-cluster:index"; it is read as "cluster:-index".

// IsRemote reports whether a pattern, or the name of an index, is of a remote cluster.
func IsRemote(pattern string) bool {
	cluster, _, ok := strings.Cut(pattern, ":")
	return ok && cluster != "" && !strings.Contains(pattern, "::")
}

// Local returns the patterns of a list that are of the cluster that is connected to.
func Local(patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), IsRemote)
}

// Clusters returns the clusters that a list's remote patterns name, sorted, without the exclusions;
// some may have a *.
func Clusters(patterns []string) []string {
	var clusters []string
	for _, p := range patterns {
		if IsRemote(p) && !Excludes(p) {
			clusters = append(clusters, Cluster(p))
		}
	}
	slices.Sort(clusters)
	return slices.Compact(clusters)
}

// Cluster returns the part of a remote pattern, or of a remote index's name, that names the
// cluster.
func Cluster(pattern string) string {
	cluster, _, _ := strings.Cut(strings.TrimPrefix(pattern, "-"), ":")
	return cluster
}

// OfCluster returns what a list of patterns says of the remote cluster with an alias, each with the
// alias before it. It is empty where none of them stands for that cluster.
func OfCluster(patterns []string, alias string) []string {
	var own []string
	for _, p := range patterns {
		if !IsRemote(p) || !expression(Cluster(p)).MatchString(alias) {
			continue
		}
		_, index, _ := strings.Cut(p, ":")
		switch {
		case strings.HasPrefix(p, "-") && index == "*":
			return nil
		case strings.HasPrefix(p, "-"):
			index = "-" + index
		}
		own = append(own, index)
	}
	own = Keep(own, func(string) bool { return true })
	for i, index := range own {
		own[i] = alias + ":" + index
	}
	return own
}

// WithoutClusters returns a list of patterns without some remote clusters.
func WithoutClusters(patterns, aliases []string) []string {
	left := Keep(patterns, func(p string) bool {
		return !IsRemote(p) || !slices.Contains(aliases, Cluster(p))
	})
	if !slices.ContainsFunc(Clusters(left), func(c string) bool {
		return strings.Contains(c, "*")
	}) {
		return left
	}
	for _, alias := range aliases {
		left = append(left, "-"+alias+":*")
	}
	return left
}
