package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// Sample is an event to explain, with what a search gave of it.
type Sample struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
	Fields json.RawMessage `json:"fields"`
}

// ReadSamples reads events, one or more after each other: a hit where one has a _source, otherwise
// the source itself.
func ReadSamples(text []byte) (all []Sample, err error) {
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var one json.RawMessage
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) && len(all) > 0 {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("event %d: %w: want JSON objects, a bare _source or a hit each",
				len(all)+1, err)
		}
		s, err := readSample(one)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", len(all)+1, err)
		}
		all = append(all, s)
	}
}

func readSample(text []byte) (Sample, error) {
	var s Sample
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%w: want a JSON object, a bare _source or a hit", err)
	}
	if s.Source == nil {
		s = Sample{Source: text}
	}
	if !bytes.HasPrefix(bytes.TrimSpace(s.Source), []byte("{")) {
		return s, errors.New("its _source is not a JSON object")
	}
	return s, nil
}

// Explanation says why one rule matches an event, or does not.
type Explanation struct {
	RuleID    string             `json:"rule_id"`
	Name      string             `json:"name"`
	Matches   bool               `json:"matches"`
	Excepted  []ExceptedBy       `json:"excepted_by,omitempty"` // then it is no match
	Accepted  bool               `json:"-"`                     // without the exceptions
	Mapping   string             `json:"mapping"`
	Notes     []string           `json:"notes,omitempty"`
	Condition *match.Explanation `json:"condition,omitempty"`
	// Stages are, in place of Condition, the queries of a rule that asks for several events
	// together, in the order of its text: the event matches where it satisfies one of them.
	Stages []*match.Explanation `json:"stages,omitempty"`
	// Terms are, for a rule of type new_terms, the event's values, each set of them in one text:
	// the event matches where one of them is new. Before is how long they must not have been there.
	Terms  []string `json:"terms,omitempty"`
	Before string   `json:"new_within,omitempty"`
	// Indicators are, for a rule of type threat_match, those that the event matches.
	Indicators []ExplainedIndicator `json:"indicators,omitempty"`
	PreFilter  dsl.Clause           `json:"pre_filter"`
	LeftOut    []LeftOut            `json:"left_out,omitempty"`
}

// LeftOut is a part of the condition that the pre-filter does not ask for.
type LeftOut struct {
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

// Explain explains an event without an index: every value is compared as text.
func (d *Detection) Explain(s Sample, now time.Time) (Explanation, error) {
	return d.explain(context.Background(), nil, s, indexed{}, now)
}

// ExplainOn explains an event as it is in its index, as a run reads it. An *IndexError is about the
// index that the sample names.
func (d *Detection) ExplainOn(ctx context.Context, c *search.Cluster,
	s Sample, now time.Time) (Explanation, error) {
	in, err := indexReader{c}.read(ctx, d, s)
	if err != nil {
		return Explanation{}, err
	}
	return d.explain(ctx, c, s, in, now)
}

// explain explains an event as an index has it. c is nil where there is no cluster.
func (d *Detection) explain(ctx context.Context, c *search.Cluster, s Sample, in indexed,
	now time.Time) (Explanation, error) {
	e, err := d.readEvent(in.document(s), in.mapping, now)
	if err != nil {
		return Explanation{}, err
	}
	conditions, excepted := d.explainQueries(e), d.explainExceptions(e, now)
	x := Explanation{RuleID: string(d.Rule.ID), Name: d.Rule.Name,
		Excepted: excepted, Mapping: "of " + s.Index, Notes: in.notes}
	x.Accepted = slices.ContainsFunc(conditions, holds)
	x.Matches = x.Accepted && len(excepted) == 0
	if d.Threshold != nil {
		counts, _ := d.Threshold.Look(e)
		note, ok := d.Threshold.Explain(counts)
		x.Matches, x.Notes = x.Matches && ok, append(x.Notes, note)
	}
	if note, stops := d.chainOf(s); note != "" {
		x.Matches, x.Notes = x.Matches && !stops, append(x.Notes, note)
	}
	if d.Sequence != nil {
		x.Stages = conditions
	} else {
		x.Condition = conditions[0]
	}
	if err := d.explainTerms(&x, e); err != nil {
		return Explanation{}, err
	}
	m := in.mapping
	if m == nil {
		m = allKeywords(d.Fields)
		x.Mapping = "none: every value is compared as text, and the pre-filter takes every field " +
			"for a keyword"
	}
	clauses := make([]dsl.Clause, len(d.Matchers))
	for i, one := range d.Matchers {
		filter := prefilter.Build(one.Condition(), m)
		clauses[i] = filter.Clause
		for _, o := range filter.Omitted {
			text := d.Rule.Body.Queries()[i].Print(o.Node)
			x.LeftOut = append(x.LeftOut, LeftOut{text, o.Reason})
		}
	}
	x.PreFilter = dsl.Or(clauses...)
	if d.Threat != nil {
		fields := prefilter.Build(d.Threat.Plan.Condition(nil, m), m).Clause
		x.PreFilter = dsl.And(x.PreFilter, fields)
	}
	if x.PreFilter.IsEverything() {
		x.Notes = append(x.Notes,
			"the pre-filter narrows nothing: every event of a window is read, "+
				"once for all rules that are searched together")
	}
	return x, d.explainIndicators(ctx, c, &x, e, now)
}

func holds(x *match.Explanation) bool { return x.Holds }

// readEvent reads an event for the rule, to be explained.
func (d *Detection) readEvent(document event.Document, m *event.Mapping,
	now time.Time) (*match.Evaluation, error) {
	e := match.NewEvaluation(d.Fields, now)
	return e, e.Read(m, document)
}

// explainQueries explains the rule's queries on one event.
func (d *Detection) explainQueries(e *match.Evaluation) []*match.Explanation {
	all := make([]*match.Explanation, len(d.Matchers))
	for i, one := range d.Matchers {
		all[i] = one.Explain(e)
	}
	return all
}

// explainTerms adds what must be new of an event, for a rule that asks for it. An event that lacks
// a value is no match.
func (d *Detection) explainTerms(x *Explanation, e *match.Evaluation) error {
	if d.NewTerms == nil || !x.Accepted {
		return nil
	}
	tuples, err := d.NewTerms.Fields.Tuples(e)
	if err != nil {
		return err
	}
	for _, tuple := range tuples {
		x.Terms = append(x.Terms, tuple.String())
	}
	x.Before = d.NewTerms.History.String()
	if len(tuples) == 0 {
		x.Matches = false
		x.Notes = append(x.Notes, "the event satisfies the query and has no value of "+
			strings.Join(d.NewTerms.Fields.Paths(), " or none of ")+
			": the rule asks for new values of all of them")
	}
	return nil
}
