package sequence_test

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest/made"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

const (
	fitting = "fits"
	turned  = "the other way round" // which may be one and the same
)

// load makes the scenarios of all rules and puts their events into one index.
func (p *published) load() {
	p.t.Helper()
	var documents []any
	at := int64(0)
	for _, r := range p.rules {
		r.question = questionOf(r)
		stages := p.stages(r)
		if stages == nil {
			continue
		}
		at += r.question.span + 1
		from := at
		at = r.makeScenarios(p.t, stages, at)
		r.window = span.New(moment(from), moment(at))
		for i, e := range r.events {
			e.Event["serial"], e.Event["@timestamp"] = i, moment(e.at).Format(time.RFC3339Nano)
			documents = append(documents, e.Document())
			for _, field := range r.Sequence.Keys() {
				if value, has := e.Event[field]; has {
					e.keys[field] = textsOf(value)
				}
			}
		}
	}
	p.Create(p.Index("events"), p.mappings())
	p.Bulk(p.Index("events"), documents...)
	p.counts["events"] = len(documents)
}

func textsOf(value any) (texts []string) {
	values, several := value.([]any)
	if !several {
		values = []any{value}
	}
	for _, one := range values {
		texts = append(texts, fmt.Sprint(one))
	}
	return texts
}

// questionOf says a rule in the terms of the definition: an event has the numbers of the stages
// that it satisfies for labels.
func questionOf(r *publishedRule) question {
	q := question{span: r.Sequence.Span().Milliseconds()}
	list := func(keys []*cond.Field) (texts []string) {
		for _, k := range keys {
			texts = append(texts, map[bool]string{true: "?"}[k.Optional]+k.Path)
		}
		return texts
	}
	one := func(i int, s eql.Stage) stage {
		return stage{label: fmt.Sprint(i), missing: s.Missing, runs: max(s.Runs, 1),
			keys: list(s.Keys)}
	}
	switch s := r.Rule.Body.(*rule.SequenceQuery).Statement.(type) {
	case *eql.Sequence:
		q.shared = list(s.Keys)
		for i, of := range s.Stages {
			q.stages = append(q.stages, one(i, of))
		}
		if s.Until != nil {
			until := one(len(s.Stages), *s.Until)
			q.until = &until
		}
	case *eql.Sample:
		q.sample, q.shared = true, list(s.Keys)
		for i, of := range s.Stages {
			q.stages = append(q.stages, one(i, of))
		}
	}
	return q
}

// byHand are values that cannot be read off the conditions, by the rule's file and the stage.
func byHand() map[string]map[int]made.Event {
	machine := map[int]made.Event{1: {"user.name": "HOST$", "winlog.computer_name": "host.local",
		"host.ip": "10.1.1.1"}}
	return map[string]map[int]made.Event{
		"command_and_control_remote_file_copy_powershell.toml": {
			0: {"dns.question.name": "files.example.com"}},
		"credential_access_dollar_account_relay_kerberos.toml": machine,
		"credential_access_dollar_account_relay_ntlm.toml":     machine,
		"execution_payload_downloaded_by_curl_wget_and_piped_to_interpreter.toml": {
			0: {"process.command_line": "curl example.com/x.sh"}},
		"execution_payload_downloaded_by_interpreter_and_piped_to_interpreter.toml": {
			1: {"process.name": "python3", "process.executable": "/usr/bin/python3",
				"process.command_line": "python3"}},
	}
}

// stages makes an event for each stage, and one for until; nil where one could not be made.
func (p *published) stages(r *publishedRule) []made.Event {
	p.t.Helper()
	e, name := match.NewEvaluation(r.Fields, time.Now()), filepath.Base(r.Rule.File)
	events := make([]made.Event, len(r.Matchers))
	for i, m := range r.Matchers {
		for variation := range 60 {
			one := made.For(m.Condition(), variation)
			maps.Copy(one, byHand()[name][i])
			if accepts(p.t, e, m, nil, one) {
				events[i] = one
				break
			}
		}
		if events[i] == nil {
			p.unmade = append(p.unmade, fmt.Sprintf("%s: no event for stage %d", name, i))
			return nil
		}
	}
	return events
}

// makeScenarios makes the scenarios of a rule from a moment on, and returns when they end.
func (r *publishedRule) makeScenarios(t *testing.T, stages []made.Event, at int64) int64 {
	q := &r.question
	found, missing := q.steps()
	n := int64(len(found))
	step := max(1, min(q.span/(n+1), 100))
	number := 0
	// add adds a scenario: the events of the steps at these times after its begin.
	add := func(name string, fits bool, times []int64, change func(all []*madeEvent) []*madeEvent) {
		number++
		var all []*madeEvent
		for i, s := range found {
			all = append(all, r.eventOf(stages, s, at+times[i]))
		}
		r.join(all, found, number)
		if change != nil {
			all = change(all)
		}
		if all == nil {
			return
		}
		slices.SortStableFunc(all, func(a, b *madeEvent) int { return int(a.at - b.at) })
		r.events = append(r.events, all...)
		r.scenarios = append(r.scenarios, scenario{name, fits, at, at + 2*q.span + n})
		at += 4*q.span + 2*n + 1
	}
	times := func(last int64) []int64 {
		list := make([]int64, n)
		for i := range list {
			list[i] = int64(i) * step
		}
		list[n-1] = max(last, list[n-1])
		return list
	}
	quick := times(0)
	places := []int{0} // of the step at which something is wrong: those of many runs are alike
	for i := 1; i < len(found); i++ {
		if i == len(found)-1 || found[i].label != found[i-1].label {
			places = append(places, i)
		}
	}
	add(fitting, true, quick, nil)
	add("fits maxspan to the millisecond", true, times(q.span), nil)
	if n > 1 {
		add("maxspan exceeded by a millisecond", false, times(q.span+1), nil)
		if !q.sample {
			add(turned, false, quick, func(all []*madeEvent) []*madeEvent {
				for i, e := range all {
					e.at = at + quick[len(all)-1-i]
				}
				return all
			})
		}
		for _, i := range places {
			add("an event is not there", false, quick, func(all []*madeEvent) []*madeEvent {
				return slices.Delete(all, i, i+1)
			})
			for k := range slices.Concat(q.shared, found[i].keys) {
				add("another key", false, quick, func(all []*madeEvent) []*madeEvent {
					field := strings.TrimPrefix(slices.Concat(q.shared, found[i].keys)[k], "?")
					all[i].Event = all[i].Clone()
					all[i].Event[field] = made.Some(field, 1_000_000+number)
					return all
				})
			}
		}
	}
	for _, i := range places {
		add("one constant changed", false, quick, func(all []*madeEvent) []*madeEvent {
			if all[i].Event = r.spoiled(t, all[i].Event, found[i]); all[i].Event == nil {
				return nil
			}
			return all
		})
	}
	for gap, list := range missing {
		for _, s := range list {
			add("the missing event comes", false, quick, func(all []*madeEvent) []*madeEvent {
				when := at - 1
				if gap > 0 {
					when = at + quick[gap-1] + 1
				}
				extra := r.eventOf(stages, s, when)
				r.join(append(all, extra), append(found, s), number)
				return append(all, extra)
			})
		}
	}
	if q.until != nil {
		add("until comes between", false, quick, func(all []*madeEvent) []*madeEvent {
			extra := r.eventOf(stages, *q.until, at+quick[n-2]+1)
			r.join(append(all, extra), append(found, *q.until), number)
			return append(all, extra)
		})
	}
	return at
}

func (r *publishedRule) eventOf(stages []made.Event, s stage, at int64) *madeEvent {
	var i int
	_, _ = fmt.Sscan(s.label, &i)
	return &madeEvent{stages[i].Clone(), happening{at: at, keys: map[string][]string{}}}
}

// join gives events the same keys: the values that a condition asks for, or some of their own.
func (r *publishedRule) join(all []*madeEvent, of []stage, number int) {
	for k := range len(r.question.shared) + len(of[0].keys) {
		var value any
		field := func(i int) string {
			return strings.TrimPrefix(slices.Concat(r.question.shared, of[i].keys)[k], "?")
		}
		for i, e := range all {
			if value == nil {
				value = e.Event[field(i)]
			}
		}
		if value == nil {
			value = made.Some(field(0), number)
		}
		for i, e := range all {
			e.Event[field(i)] = value
		}
	}
}

// spoiled returns an event without one of its values, so that it does not satisfy its stage; nil
// where each of them can be done without.
func (r *publishedRule) spoiled(t *testing.T, one made.Event, s stage) made.Event {
	m := r.Matchers[0]
	for i, other := range r.Matchers {
		if fmt.Sprint(i) == s.label {
			m = other
		}
	}
	e := match.NewEvaluation(r.Fields, time.Now())
	for _, path := range slices.Sorted(maps.Keys(one)) {
		if strings.Contains(strings.Join(r.Sequence.Keys(), " "), path) {
			continue
		}
		text, isText := one[path].(string)
		if !isText {
			continue
		}
		changed := one.Clone()
		if changed[path] = text + "-other"; net.ParseIP(text) != nil {
			changed[path] = "198.51.100.7"
		}
		if !accepts(t, e, m, nil, changed) {
			return changed
		}
	}
	return nil
}

// mappings maps the fields of all rules: as addresses and numbers where the rules or the names say
// so, else as keywords.
func (p *published) mappings() map[string]any {
	properties := map[string]any{}
	types := map[string]string{"@timestamp": "date", "serial": "integer"}
	for _, r := range p.rules {
		for _, path := range r.Fields.Paths() {
			if _, known := types[path]; !known {
				types[path] = "keyword"
			}
			switch made.Some(path, 1).(type) {
			case int:
				types[path] = "long"
			case string:
				if strings.Contains(made.Some(path, 1).(string), ".") {
					types[path] = "ip"
				}
			}
		}
		for _, m := range r.Matchers {
			typesIn(m.Condition(), types)
		}
	}
	for path, kind := range types {
		at, rest := properties, path
		for {
			key, below, deeper := strings.Cut(rest, ".")
			if !deeper {
				one, _ := at[key].(map[string]any)
				if one == nil {
					one = map[string]any{}
					at[key] = one
				}
				if one["properties"] == nil {
					one["type"] = kind
				}
				break
			}
			one, _ := at[key].(map[string]any)
			if one == nil {
				one = map[string]any{}
				at[key] = one
			}
			delete(one, "type")
			if one["properties"] == nil {
				one["properties"] = map[string]any{}
			}
			at, rest = one["properties"].(map[string]any), below
		}
	}
	return map[string]any{
		"settings": map[string]any{"number_of_replicas": 0,
			"index.mapping.total_fields.limit": 5000},
		"mappings": map[string]any{"dynamic": false, "properties": properties},
	}
}

// typesIn notes which fields a condition compares with numbers, booleans and networks.
func typesIn(x cond.Expr, types map[string]string) {
	switch x := x.(type) {
	case *cond.And:
		for _, one := range x.Operands {
			typesIn(one, types)
		}
	case *cond.Or:
		for _, one := range x.Operands {
			typesIn(one, types)
		}
	case *cond.Not:
		typesIn(x.Operand, types)
	case *cond.Call:
		if f, ok := x.Args[0].(*cond.Field); ok && x.Name == "cidrMatch" {
			types[f.Path] = "ip"
		}
	case *cond.Compare:
		f, isField := x.Left.(*cond.Field)
		l, isConstant := x.Right.(*cond.Literal)
		if isField && isConstant {
			switch l.Kind {
			case cond.Int, cond.Float:
				types[f.Path] = "long"
			case cond.Bool:
				types[f.Path] = "boolean"
			}
		}
	}
}
