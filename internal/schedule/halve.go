package schedule

import (
	"context"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
)

// mostVain is how often a search fails before another has worked, until the parts of a group are
// not halved any more: all, both halves, all quarters. It is also how many rules in a row are
// searched alone in vain.
const mostVain = 7

// halving searches a group that fails in halves, so that a rule that fails costs a few searches,
// and not one for each rule.
type halving struct {
	*common
	began  time.Time
	worked bool         // some search for a part
	well   bool         // a rule is searched alone, see [halving.probe]
	failed int          // searches
	most   int          // of them, until rules are searched alone
	left   []*groupPart // that failed; the last is divided next
}

// groupPart is rules of a group that could not be searched together.
type groupPart struct {
	rules []*ruleRun
	err   error // nil where an index refused what was asked for all of them
	alone bool  // it is one rule, which failed by itself
}

// searchGroup searches what is due of rules. Where that fails, it finds the rules for which it
// does, and searches the others. The error is the context's, or that the patterns stand for other
// indices by now.
func (c *common) searchGroup(ctx context.Context, rules []*ruleRun) error {
	h := halving{common: c, began: rules[0].options.Now()}
	works, err := h.try(ctx, rules)
	if err != nil || works || c.findings.gone() != nil {
		return err // where the cluster is gone, each rule says so in its step
	}
	if err := h.probe(ctx); err != nil || !h.well {
		return err
	}
	// Enough for two rules that fail. Where more than some do, each alone costs less.
	h.most = max(1+2*bits.Len(uint(len(rules))), len(rules)/4)
	for n := len(h.left); n > 0; n = len(h.left) {
		next := h.left[n-1]
		h.left = h.left[:n-1]
		if !isOfRules(next.err) {
			return ctx.Err()
		}
		if err := h.divide(ctx, next); err != nil || c.findings.gone() != nil {
			return err
		}
	}
	c.vain[rules[0].detection] = !h.worked
	return nil
}

// try searches rules together, and keeps those of a search that fails. The error is one that ends
// the search of the group.
func (h *halving) try(ctx context.Context, rules []*ruleRun) (works bool, err error) {
	err = h.cover(ctx, rules)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, detect.ErrMoved):
		return false, err
	case err == nil && !refused(rules):
		return true, nil
	}
	h.failed++
	h.left = append(h.left, &groupPart{rules: rules, err: err, alone: len(rules) == 1})
	return false, nil
}

// probes is how many rules are searched alone, where all together fail.
const probes = 2

// probe searches some rules of a group that failed alone. Where they fail too, the cause is in no
// rule, and the failure of the group is that of each of its rules: 300 rules do not ask 300 times
// for an index that is sick. They are others each time, since they may be the very rules that fail.
// The rest of the group is left to be divided.
func (h *halving) probe(ctx context.Context) error {
	all := h.left[0]
	var failed []*groupPart
	for range min(probes, len(all.rules)) {
		at := toProbe(all.rules)
		one := all.rules[at : at+1 : at+1]
		all.rules = slices.Concat(all.rules[:at], all.rules[at+1:])
		h.left = nil
		works, err := h.try(ctx, one)
		if err != nil {
			return err
		}
		if works {
			h.well, h.left = true, append(failed, all)
			return nil
		}
		failed = append(failed, h.left...)
	}
	for _, p := range append(failed, all) {
		h.lose(ctx, p.rules, p.err)
	}
	return nil
}

// toProbe is the place of some rule, one of which nothing failed before if there is one.
func toProbe(rules []*ruleRun) int {
	var well []int
	for i, s := range rules {
		if len(s.ledger.Open)+len(s.ledger.Sick) == 0 {
			well = append(well, i)
		}
	}
	if len(well) == 0 {
		return rand.IntN(len(rules))
	}
	return well[rand.IntN(len(well))]
}

// lose makes an error what the next step of rules finds; nil leaves what was found.
func (h *halving) lose(ctx context.Context, rules []*ruleRun, err error) {
	for _, s := range rules {
		if due, ok := s.joint(ctx); ok && err != nil {
			took := s.options.Now().Sub(h.began)
			s.prepared(ahead{target: *due.target, err: err, took: took})
		}
	}
}

// divide searches a part that failed in halves, or rule by rule where halves do not pay. A rule
// that fails alone is known as one from then on.
func (h *halving) divide(ctx context.Context, p *groupPart) error {
	rules := slices.DeleteFunc(slices.Clone(p.rules), func(s *ruleRun) bool {
		return h.apart[s.detection] // it is searched alone in its step
	})
	switch n := len(rules); {
	case n == 0:
		h.worked = true
		return nil
	case p.alone:
		h.lose(ctx, rules, p.err)
		rules[0].keepAlone(ctx)
		return nil
	case n == 1, h.vain[rules[0].detection], h.failed >= h.most, !h.worked && h.failed >= mostVain:
		return h.oneByOne(ctx, rules, p.err)
	}
	first, err := h.try(ctx, rules[:len(rules)/2])
	if err != nil {
		return err
	}
	second, err := h.try(ctx, rules[len(rules)/2:])
	h.worked = h.worked || first || second
	if first && second && len(rules) == 2 { // each alone, and not together
		for _, s := range rules {
			h.apart[s.detection] = true
			s.tellAlone("it is searched alone until the rules are read again")
		}
	}
	return err
}

// oneByOne searches rules of a group that failed alone. Where many in a row fail, the cluster may
// not be well any more: what is left has the failure of the group, and is tried in a later run.
func (h *halving) oneByOne(ctx context.Context, rules []*ruleRun, failed error) error {
	vain := 0
	for i := range rules {
		if vain >= mostVain {
			h.lose(ctx, rules[i:], failed)
			return nil
		}
		works, err := h.try(ctx, rules[i:i+1])
		if err != nil || h.findings.gone() != nil {
			return err
		}
		if vain++; works {
			vain = 0
		}
	}
	return nil
}

// refused reports whether some index refused what was asked of it for all rules at once.
func refused(rules []*ruleRun) bool {
	ready := rules[0].ahead
	return ready != nil && detect.AnyRefused(ready.out.Failures)
}

// isOfRules reports whether fewer rules may be searched where these were not.
func isOfRules(err error) bool {
	return !errors.Is(err, elastic.ErrUnauthorized) && !errors.Is(err, elastic.ErrForbidden)
}
