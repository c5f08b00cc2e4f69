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

// mostVain is how often a search fails before another has worked, until what fails is taken for the
// cluster and not for the rules: of all, of both halves, of all quarters.
const mostVain = 7

// halving searches a group that fails in halves, so that one rule with which the others cannot be
// searched costs a few searches, and not one a rule.
type halving struct {
	*common
	began    time.Time
	worked   bool         // some search for a part
	well     bool         // a rule is searched alone, see [halving.probe]
	failed   int          // searches
	culprits []*ruleRun   // that cannot be searched with others
	queue    []*groupPart // to be searched
}

// groupPart is rules of a group that are searched together.
type groupPart struct {
	rules  []*ruleRun
	of     *groupPart
	worked int // of its halves
}

// searchGroup searches what is due of rules. What it cannot search, each rule searches for itself,
// unless that is in vain too. The error is the context's, or that the patterns stand for other
// indices by now.
func (c *common) searchGroup(ctx context.Context, rules []*ruleRun) error {
	h := halving{common: c, began: rules[0].options.Now(), queue: []*groupPart{{rules: rules}}}
	most := 1 + 2*bits.Len(uint(len(rules))) // enough for two such rules
	for len(h.queue) > 0 {
		next := h.queue[0]
		h.queue = h.queue[1:]
		err := c.cover(ctx, next.rules)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, detect.ErrMoved):
			return err
		case err == nil && !refused(next.rules):
			h.work(next)
			continue
		case c.findings.gone() != nil:
			return nil //nolint:nilerr // each rule says so in its step
		}
		if next.of == nil {
			next.rules = h.probe(ctx, rules, err)
		}
		if !h.well || !isOfRules(err) {
			return ctx.Err()
		}
		if h.failed++; h.failed < most {
			h.halve(next)
		}
		if !h.worked && h.failed >= mostVain {
			break
		}
	}
	first := rules[0].detection
	c.vain[first] = !h.worked
	for _, s := range h.culprits {
		c.apart[s.detection] = true
		s.log.Warn("the rule cannot be searched together with others; from now on it is "+
			"searched alone", "rule", s.detection.Rule.ID, "name", s.detection.Rule.Name)
	}
	return nil
}

// probes is how many rules are searched alone, where all together fail.
const probes = 2

// probe searches some rules of a group that failed alone. Where they fail too, the cause is in no
// rule, and the failure of the group is that of each of its rules: 300 rules do not ask 300 times
// for an index that is sick. They are others each time, since they may be the very rules that fail.
// It returns the rules that are left.
func (h *halving) probe(ctx context.Context, rules []*ruleRun, failed error) (left []*ruleRun) {
	left = slices.Clone(rules)
	for range min(probes, len(rules)) {
		at := rand.IntN(len(left))
		one := left[at : at+1 : at+1]
		left = slices.Concat(left[:at], left[at+1:])
		err := h.cover(ctx, one)
		if ctx.Err() != nil {
			return left
		}
		if err == nil && !refused(one) {
			h.well = true
			return left
		}
		h.lose(ctx, one, err)
	}
	h.lose(ctx, left, failed)
	return left
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

// work notes that a part could be searched. Two rules that can be searched alone and not together
// are both culprits.
func (h *halving) work(p *groupPart) {
	h.worked = true
	if p.of == nil {
		return
	}
	if p.of.worked++; p.of.worked == 2 && len(p.of.rules) == 2 {
		h.culprits = append(h.culprits, p.of.rules...)
	}
}

// halve has the halves of a part that failed searched, unless that was in vain before.
func (h *halving) halve(p *groupPart) {
	rules := slices.DeleteFunc(slices.Clone(p.rules), func(s *ruleRun) bool {
		return h.apart[s.detection]
	})
	switch n := len(rules); {
	case n == 0:
		h.worked = true // all were searched alone
	case h.vain[rules[0].detection]:
	case n == 1:
		h.culprits = append(h.culprits, rules[0])
	default:
		p.rules = rules
		h.queue = append(h.queue, &groupPart{rules: rules[:n/2], of: p},
			&groupPart{rules: rules[n/2:], of: p})
	}
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
