package main

import (
	"github.com/spf13/cobra"
)

const rootLong = `esrule runs detection rules over Elasticsearch, without a licensed detection engine.

On a schedule it asks the index patterns of each rule for candidates with a cheap
pre-filter, checks each candidate with an exact matcher, and writes one signal for
each match into an alerts index, once per event, whatever fails on the way.

The configuration is the environment. Every variable begins with ESRULE_;
config.example.env lists them all with their defaults.

Exit codes: 0 everything asked for was covered; 1 something was not, and standard
error says what; 2 wrong usage or configuration; 3 check found something.`

const rootExample = `  # See whether the rules can fire on this cluster, without writing anything.
  export ESRULE_ELASTICSEARCH_URL=https://localhost:9200
  export ESRULE_ELASTICSEARCH_API_KEY=...
  esrule check

  # Create the indices and print the role that the job needs.
  esrule setup

  # Search what is open, once, and end: for cron, a timer or a CronJob.
  esrule run --once

  # Stay and search every five minutes, with rules of your own.
  esrule run --rules /etc/esrule/rules

  # Ask why an event matches, or does not.
  esrule explain --event event.json`

// newRootCommand puts the commands together.
func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:     "esrule",
		Short:   "Run detection rules over Elasticsearch",
		Long:    rootLong,
		Example: rootExample,
		// run prints an error, once, and says where the usage is.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().StringArrayVar(&a.rulePaths, "rules", nil,
		"`FILE-or-DIR` of rules; repeatable (default: ESRULE_RULES, then the built-in rule)")
	root.PersistentFlags().StringArrayVar(&a.exceptionPaths, "exceptions", nil,
		"`FILE-or-DIR` of exceptions, beside those among the rules; repeatable "+
			"(default: ESRULE_EXCEPTIONS)")
	registerChoice(root, &a.choice)
	root.PersistentFlags().StringArrayVar(&a.alertsIndex, "alerts-index", nil,
		"`PATTERN` of alerts in rules, such as .alerts-security.*, for which esrule's own signals "+
			"stand in; repeatable (default: ESRULE_ALERTS_INDEX)")
	root.AddCommand(
		newRunCommand(a),
		newBackfillCommand(a),
		newSetupCommand(a),
		newCheckCommand(a),
		newExplainCommand(a),
		newScanCommand(a),
		newStatusCommand(a),
		newVersionCommand(a),
	)
	refuseUnknownTopics(root)
	codeErrors(root)
	return root
}

// refuseUnknownTopics makes `esrule help nosuch` the wrong usage that it is; cobra ends it well.
func refuseUnknownTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = func(_ *cobra.Command, topic []string) error {
				_, _, err := root.Find(topic)
				return err
			}
		}
	}
}
