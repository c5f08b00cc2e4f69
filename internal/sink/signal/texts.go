package signal

import "esrule/internal/query/rule"

// Texts remembers what signals say of their rules, as it is written. It is not safe for concurrent
// use; a nil one remembers nothing.
type Texts struct{ rules map[*rule.Rule]ruleTexts }

// ruleTexts are the parts of a signal that are the same for every event of a rule.
type ruleTexts struct {
	fields     []field // of ruleFields, with the rule's own name
	parameters any
}

// NewTexts returns texts that remember nothing yet.
func NewTexts() *Texts { return &Texts{rules: map[*rule.Rule]ruleTexts{}} }

func (t *Texts) of(r *rule.Rule) ruleTexts {
	if t == nil {
		return ruleTexts{ruleFields(r), parameters(r)}
	}
	known, ok := t.rules[r]
	if !ok {
		known = ruleTexts{ruleFields(r), asWritten(parameters(r))}
		for i, f := range known.fields {
			if f.value != "" { // an empty text is left out
				known.fields[i].value = asWritten(f.value)
			}
		}
		t.rules[r] = known
	}
	return known
}

// asWritten returns a value's JSON text; the value itself where it has none, which is reported when
// it is written.
func asWritten(value any) any {
	j := newJSONText()
	if err := j.value(value); err != nil {
		return value
	}
	return written(j.Bytes())
}
