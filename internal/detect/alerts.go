package detect

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/finding"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// Where is where a rule looks.
type Where struct {
	// Patterns are the index patterns that are searched: the rule's own, or the user's in their
	// place.
	Patterns []string
	// Signals is the program's own index of signals, where it is one of Patterns: the rule reads
	// signals as events, and what is not the rule's own is searched there. Else it is empty.
	Signals string
	// Indicators is where a rule of type threat_match looks for its indicators; nil stands for its
	// threat_index.
	Indicators *Where
}

// ReadsSignals reports whether the rule reads the program's own signals, as events or indicators.
func (w Where) ReadsSignals() bool {
	return w.Signals != "" || w.Indicators != nil && w.Indicators.Signals != ""
}

// Alerts says for which patterns the program's own signals stand in.
type Alerts struct {
	Index    string // of signals
	Patterns []string
}

// StandsIn reports whether the signals stand in for a pattern: it stands for nothing that Patterns
// do not. The alerts of another cluster are not those of this one.
func (a Alerts) StandsIn(pattern string) bool {
	return !indexpattern.IsRemote(pattern) && indexpattern.Match(a.Patterns, pattern)
}

// Unasked returns the patterns of a rule that the signals stand in for, and that name no alerts.
func (a Alerts) Unasked(r *rule.Rule) (patterns []string) {
	for _, p := range indexpattern.Adding(slices.Concat(r.Index, r.ThreatIndex())) {
		if a.StandsIn(p) && p != a.Index && !rule.NamesAlerts(p) {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// Where returns where a rule looks: its patterns, or those in their place where there are some,
// with the signals index in place of those that it stands in for.
func (a Alerts) Where(r *rule.Rule, instead []string) Where {
	w := a.where(r.Index, instead)
	if threats := r.ThreatIndex(); len(threats) > 0 {
		indicators := a.where(threats, nil)
		w.Indicators = &indicators
	}
	return w
}

func (a Alerts) where(patterns, instead []string) (w Where) {
	if !slices.ContainsFunc(indexpattern.Adding(patterns), a.StandsIn) {
		if w.Patterns = instead; len(instead) == 0 {
			w.Patterns = patterns
		}
		return w
	}
	others := indexpattern.Keep(patterns, func(p string) bool { return !a.StandsIn(p) })
	if len(others) > 0 && len(instead) > 0 {
		others = instead
	}
	return Where{Patterns: slices.Concat(others, []string{a.Index}), Signals: a.Index}
}

// InFiles returns where a rule looks that is judged on files, and whether it judges alerts there:
// its patterns name some, or the signals stand in for them, or its condition is about them. No
// pattern is applied to files: a document is an alert where it says so. As in a run, rules whose
// patterns name alerts place events by @timestamp.
func (a Alerts) InFiles(r *rule.Rule) (w Where, judgesAlerts bool) {
	w = a.inFiles(r.Index)
	indicators := a.inFiles(r.ThreatIndex())
	w.Indicators = &indicators
	return w, w.Signals != "" || r.ReadsSignals(r.Index)
}

func (a Alerts) inFiles(patterns []string) (w Where) {
	w.Patterns = patterns
	for _, p := range indexpattern.Adding(patterns) {
		if rule.NamesAlerts(p) || a.StandsIn(p) {
			w.Signals = cmp.Or(a.Index, p)
		}
	}
	return w
}

// AlertsAdvice is how rules over alerts, which some patterns name, see signals.
func AlertsAdvice(patterns []string) string {
	quoted := make([]string, len(patterns))
	for i, p := range patterns {
		quoted[i] = strconv.Quote(p)
	}
	return "with --alerts-index " + strings.Join(quoted, " --alerts-index ") +
		" (ESRULE_ALERTS_INDEX) esrule's own signals stand in for these alerts; without it, only " +
		"what others write is searched"
}

// MissedAlerts returns the patterns of the rule, of its events and of its indicators, that name
// alerts of this cluster, where it reads no signals of this program.
func (d *Detection) MissedAlerts() (patterns []string) {
	var named []string
	if d.Signals == "" {
		named = slices.Concat(d.Rule.Index, d.Patterns)
	}
	if d.Threat != nil && d.Threat.Source.Signals == "" {
		named = append(named, d.Threat.Source.Patterns...)
	}
	for _, p := range named {
		if rule.NamesAlerts(p) && !indexpattern.IsRemote(p) && !slices.Contains(patterns, p) {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// checkAlerts says so.
func (d *Detection) checkAlerts(check *RuleCheck) {
	if missed := d.MissedAlerts(); len(missed) > 0 {
		check.Add(finding.Finding{Code: finding.SignalsNotRead,
			Text:   "the rule reads alerts, and does not see esrule's own signals",
			Advice: AlertsAdvice(missed)})
	}
}

// Unread returns which of the program's own indices the rule does not read: all but that of the
// signals, where it reads them.
func (w Where) Unread(own []string) []string {
	return slices.DeleteFunc(slices.Clone(own), func(index string) bool {
		return index == w.Signals
	})
}

// unread are the program's own indices that a group does not read.
func (c *Coverer) unread(g *Group) []string { return g.where().Unread(c.Own) }

// where is where one of the rules looks: all of them read signals, or none does.
func (g *Group) where() Where { return g.detections[0].Where }

// isAlert reports whether what is in an index is a signal, for the rules of a group.
func (g *Group) isAlert(index string) bool { return index != "" && index == g.where().Signals }

// stop leaves out of the matchers that accept a signal those of the rules that do not judge it,
// and counts it for each.
func (j *judge) stop(hit *search.Hit, source []byte) {
	j.chain = signal.Chain{}
	if len(j.accepted) == 0 || !j.group.isAlert(hit.Index) {
		return
	}
	j.chain = signal.ReadChain(source)
	j.accepted = j.group.matchers.Without(j.accepted, func(of int) bool {
		return j.chain.Stops(j.group.detections[of].Rule.ID) != ""
	}, func(of int) {
		j.outcome.ChainStopped++
		j.outcome.each[of].ChainStopped++
	})
}

// chainOf says what signal a sample is, and whether the rule judges it; the note is empty where the
// sample is none.
func (d *Detection) chainOf(s Sample) (note string, stops bool) {
	if d.Signals == "" || s.Index != "" && s.Index != d.Signals {
		return "", false
	}
	c := signal.ReadChain(s.Source)
	if len(c.Links) == 0 {
		return "", false
	}
	note = "the event is a signal, of the rules " + c.String()
	if why := c.Stops(d.Rule.ID); why != "" {
		return note + "; this rule does not judge it: " + why, true
	}
	return note, false
}
