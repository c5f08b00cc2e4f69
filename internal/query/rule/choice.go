package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Choice chooses rules of a set. Several values of one kind mean any of them, and different kinds
// mean all of them. Upper and lower case are the same. The zero Choice chooses every rule.
type Choice struct {
	Tags       []string
	Severities []string
	IDs        []string
	Excluded   []string // ids or names
}

// chosen is what a rule is chosen by, whether it runs or is skipped.
type chosen struct {
	id             ID
	name, severity string
	tags           []string
}

func (r *Rule) chosen() chosen { return chosen{r.ID, r.Name, r.Severity, r.Tags} }

func (s *Skipped) chosen() chosen { return chosen{s.ID, s.Name, s.severity, s.tags} }

// Choose returns the set with the rules, and skipped ones, that are chosen. A value that fits no
// rule is an error that names the nearest, and so is a choice that leaves none.
func (s *Set) Choose(c Choice) (*Set, error) {
	var all []chosen
	for _, r := range s.Rules {
		all = append(all, r.chosen())
	}
	for i := range s.Skipped {
		all = append(all, s.Skipped[i].chosen())
	}
	if len(all) == 0 { // whoever wants a rule says that there is none
		return s, nil
	}
	if err := c.check(all); err != nil {
		return nil, err
	}
	few := *s
	few.Rules = slices.DeleteFunc(slices.Clone(s.Rules),
		func(r *Rule) bool { return !c.takes(r.chosen()) })
	few.Skipped = slices.DeleteFunc(slices.Clone(s.Skipped),
		func(r Skipped) bool { return !c.takes(r.chosen()) })
	few.NotChosen = len(all) - len(few.Rules) - len(few.Skipped)
	if few.NotChosen == len(all) {
		return nil, fmt.Errorf("no rule is left: each of %d is left out by --tag, --severity, "+
			"--rule-id and --exclude-rule together", len(all))
	}
	return &few, nil
}

func (c Choice) takes(r chosen) bool {
	hasAny := func(wanted []string, has ...string) bool {
		return slices.ContainsFunc(wanted, func(one string) bool { return holds(has, one) })
	}
	return (len(c.Tags) == 0 || hasAny(c.Tags, r.tags...)) &&
		(len(c.Severities) == 0 || hasAny(c.Severities, r.severity)) &&
		(len(c.IDs) == 0 || hasAny(c.IDs, string(r.id))) &&
		!hasAny(c.Excluded, string(r.id), r.name)
}

func holds(list []string, one string) bool {
	return slices.ContainsFunc(list, func(has string) bool { return strings.EqualFold(has, one) })
}

// check reports the values that fit no rule.
func (c Choice) check(all []chosen) error {
	var tags, severities, ids, names []string
	for _, r := range all {
		tags, severities = append(tags, r.tags...), append(severities, r.severity)
		ids, names = append(ids, string(r.id)), append(names, r.name)
	}
	var errs []error
	for _, one := range []struct {
		flag   string
		values []string
		known  []string
	}{
		{"tag", c.Tags, tags}, {"severity", c.Severities, severities}, {"rule-id", c.IDs, ids},
		{"exclude-rule", c.Excluded, append(names, ids...)},
	} {
		for _, v := range one.values {
			if !holds(one.known, v) {
				errs = append(errs, fmt.Errorf("--%s %q (ESRULE_%s) fits no rule; %s", one.flag, v,
					strings.ToUpper(strings.ReplaceAll(one.flag, "-", "_")), nearby(v, one.known)))
			}
		}
	}
	return errors.Join(errs...)
}

// nearby names what is near to a value that is not known.
func nearby(value string, known []string) string {
	known = slices.DeleteFunc(slices.Clone(known), func(one string) bool { return one == "" })
	slices.Sort(known)
	known = slices.Compact(known)
	folded := map[string]string{}
	for _, one := range known {
		folded[strings.ToLower(one)] = one
	}
	var lower []string
	for one := range folded {
		lower = append(lower, one)
	}
	if near := nearest(strings.ToLower(value), lower); near != "" {
		return fmt.Sprintf("the nearest is %q", folded[near])
	}
	const shown = 8
	if len(known) > shown {
		return fmt.Sprintf("none is near; there are %d, such as %q", len(known), known[:shown])
	}
	return fmt.Sprintf("there are %q", known)
}
