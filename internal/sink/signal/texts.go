package signal

import (
	"errors"
	"time"

	"esrule/internal/query/rule"
)

// Texts remembers what signals say of their rules, as it is written. It is not safe for concurrent
// use; a nil one remembers nothing.
type Texts struct {
	rules   map[*rule.Rule]*ruleTexts
	last    int64 // time that was written, in milliseconds
	written any   // as
}

// ruleTexts are the parts of a signal that are the same for every event of a rule in a run.
type ruleTexts struct {
	run          executionTexts
	kind, status block // of every rule
	fields       block
	execution    block
	rated        ratedTexts // of the last signal
}

// ratedTexts are those in which there is what an event may decide. It is the same for most signals
// of a rule.
type ratedTexts struct {
	rating rating
	block  string // the building block's type
	reason string // its end

	rates, names block
}

// executionTexts is what signals say of the run that found them.
type executionTexts struct {
	id, version string
	kind        ExecutionType
}

// NewTexts returns texts that remember nothing yet.
func NewTexts() *Texts { return &Texts{rules: map[*rule.Rule]*ruleTexts{}} }

// at writes a time. Many signals are written in one millisecond.
func (t *Texts) at(of time.Time) any {
	if t == nil {
		return iso(of)
	}
	if ms := of.UnixMilli(); t.written == nil || t.last != ms {
		t.last, t.written = ms, iso(of)
	}
	return t.written
}

// of returns what the signals of a rule say that a run finds.
func (t *Texts) of(r *rule.Rule, x Execution) (*ruleTexts, error) {
	run := executionTexts{x.ID, x.Version, x.Type}
	if t != nil {
		if known, ok := t.rules[r]; ok && known.run == run {
			return known, nil
		}
	}
	texts, err := newRuleTexts(r, run)
	if err == nil && t != nil {
		t.rules[r] = texts
	}
	return texts, err
}

func newRuleTexts(r *rule.Rule, run executionTexts) (*ruleTexts, error) {
	t := &ruleTexts{run: run}
	return t, errors.Join(
		t.kind.write([]field{
			{"event.kind", "signal"},
			{"kibana.space_ids", literal(`["default"]`)},
		}),
		t.status.write([]field{
			{"kibana.alert.status", "active"},
			{"kibana.alert.workflow_status", "open"},
			{"kibana.alert.workflow_tags", literal("[]")},
			{"kibana.alert.workflow_assignee_ids", literal("[]")},
		}),
		t.fields.write(present(append(ruleFields(r),
			field{"kibana.alert.rule.execution.uuid", run.id}))),
		t.execution.write([]field{
			{"kibana.alert.rule.execution.type", run.kind.String()},
			{"kibana.alert.rule.parameters", parameters(r)},
		}),
		t.rated.write(r, run, ratingOf(r), r.BuildingBlockType),
	)
}

// write makes it that of another rating.
func (t *ratedTexts) write(r *rule.Rule, run executionTexts, by rating, block string) error {
	t.rating, t.block = by, block
	t.reason = by.severity + " alert " + by.name + "."
	return errors.Join(
		t.rates.write(present([]field{
			{"kibana.alert.severity", by.severity},
			{"kibana.alert.risk_score", by.riskScore},
			{"kibana.alert.building_block_type", block},
			{"kibana.alert.esrule.version", run.version},
		})),
		t.names.write(present([]field{
			{"kibana.alert.rule.uuid", string(r.ID)},
			{"kibana.alert.rule.rule_id", string(r.ID)},
			{ruleNameField, by.name},
		})),
	)
}

// under returns what a signal says that an event rates.
func (t *ruleTexts) under(r *rule.Rule, by rating, block string) (*ratedTexts, error) {
	if t.rated.rating == by && t.rated.block == block {
		return &t.rated, nil
	}
	return &t.rated, t.rated.write(r, t.run, by, block)
}

// block is several fields, and the members of an object that they are written as.
type block struct {
	fields []field
	text   jsonText
}

// write makes it the block of other fields, in the same memory.
func (b *block) write(fields []field) error {
	b.fields = fields
	b.text.Reset()
	for _, f := range fields {
		if err := b.text.member(f.key, f.value); err != nil {
			return err
		}
	}
	return nil
}

// flat returns fields with those of blocks in their place.
func flat(fields []field) (all []field) {
	for _, f := range fields {
		if b, ok := f.value.(*block); ok {
			all = append(all, b.fields...)
		} else {
			all = append(all, f)
		}
	}
	return all
}
