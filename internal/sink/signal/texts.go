package signal

import (
	"bytes"

	"esrule/internal/query/rule"
)

// Texts remembers what signals say of their rules, as it is written. It is not safe for concurrent
// use; a nil one remembers nothing.
type Texts struct{ rules map[*rule.Rule]*ruleTexts }

// ruleTexts are the parts of a signal that are the same for every event of a rule.
type ruleTexts struct {
	id, fields block // the rule's name, which an event may give, stands between them
	parameters written
}

// NewTexts returns texts that remember nothing yet.
func NewTexts() *Texts { return &Texts{rules: map[*rule.Rule]*ruleTexts{}} }

func (t *Texts) of(r *rule.Rule) (texts *ruleTexts, err error) {
	if t != nil {
		if known, ok := t.rules[r]; ok {
			return known, nil
		}
		defer func() {
			if err == nil {
				t.rules[r] = texts
			}
		}()
	}
	texts = &ruleTexts{}
	if texts.id, err = newBlock(present([]field{
		{"kibana.alert.rule.uuid", string(r.ID)},
		{"kibana.alert.rule.rule_id", string(r.ID)},
	})); err != nil {
		return texts, err
	}
	if texts.fields, err = newBlock(present(ruleFields(r))); err != nil {
		return texts, err
	}
	var j jsonText
	err = j.value(parameters(r))
	texts.parameters = j.Bytes()
	return texts, err
}

// block is several fields, and the members of an object that they are written as.
type block struct {
	fields []field
	text   written
}

func newBlock(fields []field) (b block, err error) {
	err = b.write(fields)
	return b, err
}

// write makes it the block of other fields, in the same memory.
func (b *block) write(fields []field) error {
	j := jsonText{Buffer: *bytes.NewBuffer(b.text[:0])}
	for _, f := range fields {
		if err := j.member(f.key, f.value); err != nil {
			return err
		}
	}
	b.fields, b.text = fields, j.Bytes()
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
