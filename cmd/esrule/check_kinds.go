package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"esrule/internal/query/rule"
)

// kindCount is how many rules of a type run, and how many are skipped.
type kindCount struct {
	Type    string         `json:"type"`
	Runs    int            `json:"runs"`
	Skipped int            `json:"skipped"`
	Why     map[string]int `json:"why,omitempty"` // the skipped, by their kind
}

// countKinds counts the rules by their types, the most frequent first. Of EQL, sequences and
// samples are a type of their own.
func countKinds(rules ruleSet) (list []kindCount) {
	of := func(name string) *kindCount {
		at := slices.IndexFunc(list, func(k kindCount) bool { return k.Type == name })
		if at < 0 {
			at = len(list)
			list = append(list, kindCount{Type: name})
		}
		return &list[at]
	}
	for _, d := range rules.detections {
		name := d.Rule.Type
		if _, ok := d.Rule.Body.(*rule.SequenceQuery); ok {
			name += ", sequences and samples"
		}
		of(name).Runs++
	}
	for _, s := range rules.skipped {
		k := of(s.Type())
		k.Skipped++
		if k.Why == nil {
			k.Why = map[string]int{}
		}
		k.Why[s.Kind]++
	}
	slices.SortStableFunc(list, func(a, b kindCount) int {
		return cmp.Or(b.Runs-a.Runs, b.Skipped-a.Skipped, strings.Compare(a.Type, b.Type))
	})
	return list
}

// printKinds writes the table by type, where there is more than one.
func printKinds(out io.Writer, list []kindCount) error {
	if len(list) < 2 {
		return nil
	}
	fmt.Fprintln(out, "\nThe rules by type:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "run\tskipped\t  type")
	for _, k := range list {
		fmt.Fprintf(w, "%d\t%d\t  %s%s\n", k.Runs, k.Skipped, k.Type, kinds(k.Why))
	}
	return w.Flush()
}
