package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"esrule/internal/detect/indicator"
	"esrule/internal/elastic"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// Threat is what a rule of type threat_match asks beside its query.
type Threat struct {
	Plan *indicator.Plan
	Path string // where a document has its indicator
	// Source accepts the documents of indicators, in its patterns. Its fields are those that Plan
	// compares too.
	Source *Detection
}

// compileIndicators compiles a rule of type threat_match. Its threat query was compiled before.
func compileIndicators(r *rule.Rule, w Where, body *rule.IndicatorQuery, fields *event.Fields,
	options match.Options) (Compiled, error) {
	c, err := compileQuery(&body.EventQuery, fields, options)
	if err != nil {
		return c, err
	}
	mapping := make([][]indicator.Pair, len(body.Mapping))
	for i, group := range body.Mapping {
		for _, p := range group {
			mapping[i] = append(mapping[i], indicator.Pair{Field: p.Field, Indicator: p.Value})
		}
	}
	in := Where{Patterns: body.ThreatIndex}
	if w.Indicators != nil {
		in = *w.Indicators
	}
	source, err := newDetection(&rule.Rule{Head: rule.Head{ID: r.ID, Name: r.Name,
		Language: r.Language, Type: "query", Index: body.ThreatIndex}, Body: &body.Threat}, in,
		&event.Fields{})
	if err != nil {
		return c, fmt.Errorf("threat_query: %w", err)
	}
	c.Threat = &Threat{Plan: indicator.Compile(mapping, fields), Path: body.IndicatorPath,
		Source: source}
	for _, path := range c.Threat.Plan.IndicatorFields() {
		source.Fields.Add(path)
	}
	return c, nil
}

// Read returns the patterns that the rule reads: of its events, and of its indicators.
func (d *Detection) Read() []string {
	if d.Threat == nil {
		return d.Patterns
	}
	return slices.Concat(d.Patterns, d.Threat.Source.Patterns)
}

// narrowed is a condition with what is true of each event that matches an indicator. of is nil
// where the indicators are not known.
func (t *Threat) narrowed(condition cond.Expr, of *indicator.Set, m *event.Mapping) cond.Expr {
	matches := t.Plan.Condition(of, m)
	return &cond.And{Operands: []cond.Expr{condition, matches}}
}

// Indicators reads the indicators of rules: those of one rule once, until they are forgotten. It is
// safe for concurrent use.
type Indicators struct {
	cluster IndicatorCluster
	own     []string
	log     *slog.Logger

	mu   sync.Mutex
	read map[string]*readIndicators
	none map[rule.ID]bool // rules without indicators, which were named
}

// IndicatorCluster is what indicators are read from. *search.Cluster is one.
type IndicatorCluster interface {
	Cluster
	Permissions
}

// readIndicators are those of a rule. Whoever holds mu reads them.
type readIndicators struct {
	mu  sync.Mutex
	set *indicator.Set
	err error
}

// NewIndicators returns indicators that are read from a cluster. own are the program's indices,
// which hold none.
func NewIndicators(c IndicatorCluster, own []string, log *slog.Logger) *Indicators {
	return &Indicators{cluster: c, own: own, log: log, read: map[string]*readIndicators{},
		none: map[rule.ID]bool{}}
}

// Forget makes the next question for indicators a new one.
func (s *Indicators) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.read)
}

// IndicatorError is why the indicators of a rule are not known: nothing can be said of its events.
type IndicatorError struct {
	Rule     rule.ID
	Patterns []string
	Err      error
}

func (e *IndicatorError) Error() string {
	return fmt.Sprintf("read the indicators of rule %s from %s: %v", e.Rule,
		strings.Join(e.Patterns, ","), e.Err)
}

// Unwrap returns the cause.
func (e *IndicatorError) Unwrap() error { return e.Err }

// of returns the indicators of the rules of a group, by their places; nil for rules that have none.
// The error may be an [*ApartError] with the rules whose indicators are not known.
func (s *Indicators) of(ctx context.Context, g *Group, now time.Time) ([]*indicator.Set, error) {
	sets := make([]*indicator.Set, len(g.detections))
	var unread []int
	for i, d := range g.detections {
		threat := g.matchers.Compiled[i].Threat
		if threat == nil {
			continue
		}
		if s == nil {
			return nil, &IndicatorError{d.Rule.ID, threat.Source.Patterns,
				errors.New("there is no place to read them from")}
		}
		set, err := s.ofRule(ctx, threat, now)
		switch {
		case err == nil:
			sets[i] = set
		case ctx.Err() != nil, len(g.detections) == 1, errors.Is(err, elastic.ErrUnreachable):
			return nil, err
		default:
			unread = append(unread, i)
		}
	}
	if len(unread) > 0 {
		return nil, &ApartError{unread}
	}
	return sets, nil
}

func (s *Indicators) ofRule(ctx context.Context, threat *Threat,
	now time.Time) (*indicator.Set, error) {
	d := threat.Source
	key := d.Fingerprint() + strings.Join(threat.Plan.IndicatorFields(), ",")
	if d.Signals != "" { // but for those that come from itself
		key += "," + string(d.Rule.ID)
	}
	s.mu.Lock()
	of := s.read[key]
	if of == nil {
		of = &readIndicators{}
		s.read[key] = of
	}
	s.mu.Unlock()
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.set != nil || of.err != nil {
		return of.set, of.err
	}
	set, err := s.readAll(ctx, threat, now)
	if err != nil {
		err = &IndicatorError{d.Rule.ID, d.Patterns, err}
		if errors.Is(err, indicator.ErrTooMany) { // anything else may be over soon
			of.err = err
		}
		return nil, err
	}
	of.set = set
	s.tellOf(threat, set)
	return set, nil
}

// tellOf says how many indicators a rule has; that it has none, once.
func (s *Indicators) tellOf(threat *Threat, set *indicator.Set) {
	d := threat.Source
	s.mu.Lock()
	known := s.none[d.Rule.ID]
	s.none[d.Rule.ID] = set.Documents() == 0
	s.mu.Unlock()
	if set.Documents() == 0 && !known {
		s.log.Warn("a rule has no indicators: it matches nothing until there are some",
			"rule", d.Rule.ID, "threat_index", d.Patterns,
			"fields", threat.Plan.IndicatorFields())
		return
	}
	s.log.Debug("indicators were read", "rule", d.Rule.ID, "documents", set.Documents(),
		"values", set.Values())
}

// indicatorsIn begins the message of an index that cannot be read.
const indicatorsIn = "the indicators in "

// readAll reads the indicators of a rule, all of them or none.
func (s *Indicators) readAll(ctx context.Context, threat *Threat,
	now time.Time) (*indicator.Set, error) {
	d := threat.Source
	searched, open, err := Searchable(ctx, s.cluster, d.Patterns)
	if err == nil {
		err = notWhole(indicatorsIn, open)
	}
	if err != nil {
		return nil, err
	}
	b := indicator.NewBuilder(threat.Plan, d.Fields, 0)
	t := Target{Patterns: searched, Timestamps: ByTimestamp(), Now: now, Began: now}
	pit, err := s.cluster.OpenPointInTime(ctx, searched)
	if err != nil {
		return nil, fmt.Errorf("open a point in time: %w", err)
	}
	defer func() { _ = pit.Close(ctx) }() // it ends by itself
	c, g := &Coverer{Cluster: s.cluster, Own: s.own, Log: s.log}, d.alone()
	reached, unreached, err := c.reach(ctx, g, t, pit)
	if err != nil {
		return nil, err
	}
	if pit.Empty() {
		failures := outcomeOf(Outcome{Failures: unreached}, pit).Failures
		return b.Set(), notWhole(indicatorsIn, failures)
	}
	classes, err := g.Classes(ctx, s.cluster, searched)
	if err != nil {
		return nil, err
	}
	p := g.plan(classes, t.Timestamps, t.Window, s.own, "", known{})
	j := newJudge(c, g, t, p, make([]signal.Execution, 1))
	j.gatherer = &collector{judge: j, builder: b}
	if err := j.read(ctx, pit); err != nil {
		return nil, err
	}
	j.outcome.Failures = append(p.uncovered, unreached...)
	j.sort(reached)
	if err := notWhole(indicatorsIn, outcomeOf(j.outcome, pit).Failures); err != nil {
		return nil, err
	}
	return b.Set(), nil
}

// collector is a [gatherer] of indicators.
type collector struct {
	gatherer
	judge   *judge
	builder *indicator.Builder
}

// note takes the values of a document that is an indicator.
func (c *collector) note(hit *search.Hit, accepted []int) error {
	if len(accepted) == 0 {
		return nil
	}
	_, err := c.builder.Add(c.judge.event.Event,
		indicator.Document{Index: hit.Index, ID: hit.ID()})
	if errors.Is(err, indicator.ErrTooMany) {
		return fmt.Errorf("the indicators have more than %d values in %s: %w. Narrow threat_query "+
			"or threat_index", indicator.Most,
			strings.Join(c.judge.group.detections[0].Patterns, ","), err)
	}
	return err
}
