package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is the value of a flag that takes one of a few words; the first is the default.
type choice struct {
	value   string
	allowed []string
}

func newChoice(allowed ...string) *choice {
	return &choice{value: allowed[0], allowed: allowed}
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.allowed, "|") }

func (c *choice) Set(text string) error {
	if !slices.Contains(c.allowed, text) {
		return fmt.Errorf("want %s", strings.Join(c.allowed, " or "))
	}
	c.value = text
	return nil
}

// register adds the flag --format to cmd, completed by the shell.
func (c *choice) register(cmd *cobra.Command, usage string) {
	const name = "format"
	cmd.Flags().Var(c, name, usage)
	// The error is for a flag that does not exist, and this one was added the line before.
	_ = cmd.RegisterFlagCompletionFunc(name,
		cobra.FixedCompletions(c.allowed, cobra.ShellCompDirectiveNoFileComp))
}
