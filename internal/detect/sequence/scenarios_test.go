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
	found, missing := r.question.steps()
	m := &scenarioMaker{publishedRule: r, t: t, stages: stages, found: found, missing: missing,
		at: at}
	m.quick = m.times(0)
	m.add(fitting, true, m.quick, nil)
	m.add("fits maxspan to the millisecond", true, m.times(r.question.span), nil)
	if len(found) > 1 {
		m.add("maxspan exceeded by a millisecond", false, m.times(r.question.span+1), nil)
		m.turn()
	}
	for _, i := range m.places() {
		m.spoil(i)
	}
	m.intrude()
	return m.at
}

// scenarioMaker makes the scenarios of a rule, one after the other.
type scenarioMaker struct {
	*publishedRule
	t       *testing.T
	stages  []made.Event
	found   []stage         // the steps
	missing map[int][]stage // by the number of steps before them
	quick   []int64         // times of the steps after their begin
	at      int64           // when the scenario begins
	number  int             // its
}

// times returns times of the steps after their begin, the last of them at least so late.
func (m *scenarioMaker) times(last int64) []int64 {
	n := len(m.found)
	step := max(1, min(m.question.span/int64(n+1), 100))
	list := make([]int64, n)
	for i := range list {
		list[i] = int64(i) * step
	}
	list[n-1] = max(last, list[n-1])
	return list
}

// places returns the steps at which something can be wrong: those of many runs are alike.
func (m *scenarioMaker) places() []int {
	places := []int{0}
	for i := 1; i < len(m.found); i++ {
		if i == len(m.found)-1 || m.found[i].label != m.found[i-1].label {
			places = append(places, i)
		}
	}
	return places
}

// add adds a scenario: an event for each step at these times after its begin, and what change makes
// of them; none where that is nil.
func (m *scenarioMaker) add(name string, fits bool, times []int64,
	change func(all []*madeEvent) []*madeEvent) {
	m.number++
	var all []*madeEvent
	for i, s := range m.found {
		all = append(all, m.eventOf(m.stages, s, m.at+times[i]))
	}
	m.join(all, m.found, m.number)
	if change != nil {
		all = change(all)
	}
	if all == nil {
		return
	}
	slices.SortStableFunc(all, func(a, b *madeEvent) int { return int(a.at - b.at) })
	span, n := m.question.span, int64(len(m.found))
	m.events = append(m.events, all...)
	m.scenarios = append(m.scenarios, scenario{name, fits, m.at, m.at + 2*span + n})
	m.at += 4*span + 2*n + 1
}

// turn turns the order round.
func (m *scenarioMaker) turn() {
	if m.question.sample {
		return
	}
	m.add(turned, false, m.quick, func(all []*madeEvent) []*madeEvent {
		for i, e := range all {
			e.at = m.at + m.quick[len(all)-1-i]
		}
		return all
	})
}

// spoil makes the event of a step another one: it is not there, it has another key, or another
// value.
func (m *scenarioMaker) spoil(i int) {
	m.add("one constant changed", false, m.quick, func(all []*madeEvent) []*madeEvent {
		if all[i].Event = m.spoiled(m.t, all[i].Event, m.found[i]); all[i].Event == nil {
			return nil
		}
		return all
	})
	if len(m.found) == 1 {
		return
	}
	m.add("an event is not there", false, m.quick, func(all []*madeEvent) []*madeEvent {
		return slices.Delete(all, i, i+1)
	})
	for _, key := range slices.Concat(m.question.shared, m.found[i].keys) {
		m.add("another key", false, m.quick, func(all []*madeEvent) []*madeEvent {
			field := strings.TrimPrefix(key, "?")
			all[i].Event = all[i].Clone()
			all[i].Event[field] = made.Some(field, 1_000_000+m.number)
			return all
		})
	}
}

// intrude adds events that must not be there.
func (m *scenarioMaker) intrude() {
	extra := func(name string, s stage, at int64) {
		m.add(name, false, m.quick, func(all []*madeEvent) []*madeEvent {
			all = append(all, m.eventOf(m.stages, s, m.at+at))
			m.join(all, append(slices.Clone(m.found), s), m.number)
			return all
		})
	}
	for gap, list := range m.missing {
		at := int64(-1)
		if gap > 0 {
			at = m.quick[gap-1] + 1
		}
		for _, s := range list {
			extra("the missing event comes", s, at)
		}
	}
	if until := m.question.until; until != nil {
		extra("until comes between", *until, m.quick[max(len(m.found)-2, 0)]+1)
	}
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
