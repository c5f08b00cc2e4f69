package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"esrule/internal/config"
	"esrule/internal/elastic/indexpattern"
)

const setupLong = `Create the three indices of esrule and their templates where they are missing, and
print the role that the job needs to run: reading the rules' index patterns, writing
signals, keeping its state. What is there already is never changed.

Run it as a user who may create indices and templates; the job itself needs less.`

const setupExample = `  esrule setup

  # Only print the role, without a cluster:
  esrule setup --role-only`

func newSetupCommand(a *app) *cobra.Command {
	var roleOnly bool
	cmd := &cobra.Command{
		Use:     "setup",
		Short:   "Create the indices and print the least-privilege role",
		Long:    setupLong,
		Example: setupExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.setup(cmd.Context(), roleOnly)
		},
	}
	cmd.Flags().BoolVar(&roleOnly, "role-only", false, "print the role and create nothing")
	return cmd
}

func (a *app) setup(ctx context.Context, roleOnly bool) error {
	cfg, log, detections, err := a.prepare()
	if err != nil {
		return err
	}
	if !roleOnly {
		c, err := a.connect(ctx, cfg, log)
		if err != nil {
			return err
		}
		report, err := indicesOf(cfg).Ensure(ctx, c.Requests, c.Dialect)
		for _, created := range report.Created {
			fmt.Fprintln(a.stdout, "created", created)
		}
		for _, w := range report.Warnings {
			fmt.Fprintln(a.stdout, "left as it is:", w)
		}
		if err != nil {
			return err
		}
		if len(report.Created) == 0 {
			fmt.Fprintln(a.stdout, "the indices and templates are there already")
		}
	}
	var patterns []string
	for _, d := range detections {
		patterns = append(patterns, indexpattern.Keep(indexpattern.Adding(d.Read()),
			func(p string) bool { return indexpattern.NotSearched(p) == "" })...)
	}
	slices.Sort(patterns)
	return a.printRole(cfg, slices.Compact(patterns))
}

// role is the body of Elasticsearch's create role API.
type role struct {
	Indices []rolePart `json:"indices"`
	// Remote is for remote clusters that are connected to by an API key.
	Remote []remotePart `json:"remote_indices,omitempty"`
}

type remotePart struct {
	Clusters []string `json:"clusters"`
	rolePart
}

type rolePart struct {
	Names      []string `json:"names"`
	Privileges []string `json:"privileges"`
}

// leastPrivilege is what the job needs once the indices are set up: to read the patterns and their
// mappings, to keep its ledger, to add signals and dead letters; of its own indices not even the
// mappings.
func leastPrivilege(cfg config.Config, patterns []string) role {
	reading := []string{"read", "view_index_metadata"}
	r := role{Indices: []rolePart{
		{indexpattern.Local(patterns), reading},
		{[]string{cfg.StateIndex}, []string{"read", "index"}},
		{[]string{cfg.SignalsIndex, cfg.DeadLetterIndex}, []string{"read", "create"}},
	}}
	if len(r.Indices[0].Names) == 0 {
		r.Indices = r.Indices[1:]
	}
	for _, cluster := range indexpattern.Clusters(patterns) {
		var names []string
		for _, p := range patterns {
			if indexpattern.IsRemote(p) && indexpattern.Cluster(p) == cluster {
				names = append(names, strings.TrimPrefix(p, cluster+":"))
			}
		}
		r.Remote = append(r.Remote, remotePart{[]string{cluster}, rolePart{names, reading}})
	}
	return r
}

func (a *app) printRole(cfg config.Config, patterns []string) error {
	text, err := json.MarshalIndent(leastPrivilege(cfg, patterns), "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\nThe role for the job, once this set-up is done (PUT "+
		"/_security/role/esrule):\n\n%s\n", text)
	if len(indexpattern.Clusters(patterns)) > 0 {
		fmt.Fprintln(a.stdout, "\nremote_indices is for remote clusters that are connected to by "+
			"an API key. Where it is by "+
			"certificates, leave it out, and\ngive the user a role of the same name on the "+
			"remote cluster: read, "+
			"read_cross_cluster and view_index_metadata on these names.")
	}
	return nil
}
