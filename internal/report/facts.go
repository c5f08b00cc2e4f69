package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// How long a text is in a list, and how long a name that is counted; the details have the whole of
// it.
const (
	longSubject = 240
	longName    = 160
)

// facts are what the page knows of one signal.
type facts struct {
	id       string
	document document  // its rule is read once
	at       time.Time // zero where the event has no time
	severity string
	reason   string
	source   []string // the index and the _id of the event, where it has them
	written  string
	names    [perSignal][]string // what is counted, by facet
	subject  string
	event    []pair
}

// ruleFacts are what a signal says of its rule.
type ruleFacts struct {
	ID          rule.ID
	Name        string
	Severity    string
	Description string
	Query       string
	Techniques  []string
}

// document is a signal's own fields, by their exact names: an event's field that differs in letter
// case is none of them.
type document map[string]json.RawMessage

// read returns the facts of a signal.
func read(text []byte) (facts, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return facts{}, fmt.Errorf("read the signal: %w", err)
	}
	event, err := signal.EventOf(text)
	if errors.Is(err, signal.ErrWithoutEvent) {
		event, err = []byte("{}"), nil // its reason says where the event is
	}
	if err != nil {
		return facts{}, err
	}
	pairs, err := flatten(event)
	if err != nil {
		return facts{}, err
	}
	f := facts{
		id: d.text("kibana.alert.uuid"), severity: d.text("kibana.alert.severity"),
		reason:  d.text("kibana.alert.reason"),
		written: d.text("@timestamp"), event: pairs, document: d,
	}
	if at, err := time.Parse(time.RFC3339, d.text("kibana.alert.original_time")); err == nil {
		f.at = at.UTC()
	}
	for _, a := range d.ancestors() {
		if a.Type == "event" && a.Index != "" {
			f.source = []string{a.Index, a.ID}
			break
		}
	}
	f.find(values(pairs))
	if together := d.together(); together != "" {
		f.reason = strings.TrimSpace(f.reason + " " + together)
		if f.subject == "" {
			f.subject = short(together, longSubject)
		}
	}
	return f, nil
}

// into reads a field, where it is there and has that form.
func (d document) into(key string, v any) bool {
	return d[key] != nil && json.Unmarshal(d[key], v) == nil
}

func (d document) text(key string) string {
	var s string
	d.into(key, &s)
	return s
}

// ancestor is an event that a signal is of, or a signal on the way from there.
type ancestor struct{ ID, Type, Index, Rule string }

func (d document) ancestors() (all []ancestor) {
	d.into("kibana.alert.ancestors", &all)
	return all
}

func (d document) ruleID() rule.ID { return rule.ID(d.text("kibana.alert.rule.rule_id")) }

func (d document) rule() ruleFacts {
	r := ruleFacts{
		ID: d.ruleID(), Name: d.text("kibana.alert.rule.name"),
		Severity:    d.text("kibana.alert.rule.severity"),
		Description: d.text("kibana.alert.rule.description"),
	}
	var parameters struct {
		Query string `json:"query"`
	}
	d.into("kibana.alert.rule.parameters", &parameters)
	r.Query = parameters.Query
	var threats []rule.Threat
	d.into("kibana.alert.rule.threat", &threats)
	r.Techniques = techniques(threats)
	return r
}

func factsOf(r *rule.Rule) ruleFacts {
	return ruleFacts{ID: r.ID, Name: r.Name, Severity: r.Severity, Description: r.Description,
		Query: r.Body.Text(), Techniques: techniques(r.Threat)}
}

// techniques names the most specific entries of a rule's mapping: sub-techniques, else techniques,
// else tactics.
func techniques(threats []rule.Threat) []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, t := range threats {
		if len(t.Technique) == 0 {
			add(t.Tactic.ID + " " + t.Tactic.Name)
		}
		for _, q := range t.Technique {
			if len(q.Subtechnique) == 0 {
				add(q.ID + " " + q.Name)
			}
			for _, s := range q.Subtechnique {
				add(s.ID + " " + q.Name + ": " + s.Name)
			}
		}
	}
	return names
}

// values are an event's values by path.
func values(event []pair) map[string][]string {
	m := make(map[string][]string, len(event))
	for _, p := range event {
		m[p.plain] = append(m[p.plain], p.values...)
	}
	return m
}

// subjects are the fields that tell best what an event is about, the most telling first.
var subjects = [...]string{
	"file.path", "registry.path", "dll.path", "dns.question.name", "url.full", "url.original",
	"process.command_line",
	"destination.ip", "source.ip", "process.executable", "file.name", "process.name", "message",
	"event.action",
}

// find picks what is counted and shown in the list. Sources spell hosts and users differently; the
// first spelling that an event has is taken.
func (f *facts) find(event map[string][]string) {
	f.names[hosts] = first(event, "host.name", "host.hostname", "winlog.computer_name",
		"agent.name", "host.id")
	f.names[users] = first(event, "user.name", "user.email", "user.id", "winlog.user.name")
	f.names[processes] = first(event, "process.name", "process.executable")
	for _, path := range subjects {
		if found := first(event, path); len(found) > 0 {
			f.subject = short(strings.Join(found, ", "), longSubject)
			return
		}
	}
}

// first gives the different values of the first of the fields that has any.
func first(event map[string][]string, paths ...string) []string {
	const many = 8
	for _, path := range paths {
		var found []string
		seen := map[string]bool{"": true, "-": true, "null": true, "[]": true, "{}": true}
		for _, v := range event[path] {
			name := short(v, longName)
			if !seen[name] && len(found) < many {
				seen[name] = true
				found = append(found, name)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}
