package main

import (
	"fmt"
	"slices"

	"esrule/demo/samples"
	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/rules"
)

// shippedRule gives the rule that is built into the program, looking where the samples are: the
// patterns are in the order of samples.Sources.
func shippedRule(prefix string) (*detect.Detection, []string, error) {
	set, err := rule.LoadFS(rules.FS(), "rules")
	if err != nil {
		return nil, nil, err
	}
	if len(set.Rules) != 1 {
		return nil, nil, fmt.Errorf("%d rules are built in; the samples are for one",
			len(set.Rules))
	}
	r := set.Rules[0]
	patterns, err := samples.Patterns(prefix)
	if err != nil {
		return nil, nil, err
	}
	if prefix == "" && !slices.Equal(slices.Sorted(slices.Values(patterns)),
		slices.Sorted(slices.Values(r.Index))) {
		return nil, nil, fmt.Errorf("the samples lie in %s, but the rule looks in %s", patterns,
			r.Index)
	}
	detection, err := detect.New(r, patterns)
	return detection, patterns, err
}
