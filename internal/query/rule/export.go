package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ExceptionsAdvice says what can be done about exceptions that are not applied.
const ExceptionsAdvice = "the rule alerts on what they except. Write them as exceptions in TOML " +
	"(docs/rules.md), or export them with the rules"

// exported is what a Kibana export holds beside rules.
type exported struct {
	lists map[string]*exceptionList // by namespace and list_id
	items []*Exception
}

// exceptionList is a list of exceptions that rules name.
type exceptionList struct {
	id, name string // no name where no file holds the list
	held     bool   // a file holds it, or an item of it
	items    []*table
	read     []*Exception // of the items, once they are asked for
}

// title names the list.
func (l *exceptionList) title() string {
	if l.name == "" {
		return "list_id " + l.id
	}
	return fmt.Sprintf("list %s, list_id %s", l.name, l.id)
}

func (x *exported) list(of *table) *exceptionList {
	key := of.text("namespace_type") + "\x00" + of.text("list_id")
	if x.lists[key] == nil {
		x.lists[key] = &exceptionList{id: of.text("list_id")}
	}
	return x.lists[key]
}

// readItems reads the items of all lists: a list's name may come after them.
func (x *exported) readItems() {
	for _, key := range slices.Sorted(maps.Keys(x.lists)) {
		list := x.lists[key]
		for _, t := range list.items {
			list.read = append(list.read, readItem(t, list.title()))
		}
		x.items = append(x.items, list.read...)
	}
}

// exceptions returns the exceptions of the lists that a rule names. The list of Elastic Defend is
// left out, as in Elastic's engine: it acts in the endpoint, not in rules. For a list that no file
// holds there is one exception that is not applied.
func (x *exported) exceptions(rule *table) (all []*Exception) {
	for _, t := range rule.tables("exceptions_list", "") {
		if t.text("list_id") == "endpoint_list" {
			continue
		}
		list := x.list(t)
		if !list.held {
			all = append(all, &Exception{Name: list.id, From: list.title(),
				Fault: "no file that was read holds the list"})
		}
		all = append(all, list.read...)
	}
	return all
}

// object takes one object of a JSON file: a rule, or what Kibana exports with rules.
func (l *loader) object(o *table) {
	d := o.doc
	switch {
	case len(d.errs) > 0: // no object
		l.entries = append(l.entries, entry{errs: d.errs})
	case o.has("attributes"):
		l.savedObject(o)
	case o.has("exported_count"), o.has("exported_rules_count"):
		l.summary(o)
	case o.has("item_id"), o.has("entries"):
		list := l.exported.list(o)
		list.held, list.items = true, append(list.items, o)
	case o.has("list_id"):
		list := l.exported.list(o)
		list.held, list.name = true, o.text("name")
	case isRule(o):
		d.rule = o
		l.entries = append(l.entries, entry{doc: d})
	case o.has("params"):
		l.noRule(o, "this is a rule as Kibana's alerting keeps it",
			"Export the rules from Kibana's page of rules; of Sigma's formats it is "+
				"siem_rule_ndjson (sigma convert -t eql -f siem_rule_ndjson).")
	default:
		l.noRule(o, "this object is no detection rule",
			"A rule has keys such as rule_id, type, language and query. Take it out of the file, "+
				"or the file out of the folder.")
	}
}

// isRule reports whether an object is meant to be a rule.
func isRule(o *table) bool {
	return slices.ContainsFunc([]string{"rule_id", "query", "risk_score", "severity", "language"},
		o.has)
}

func (l *loader) noRule(o *table, message, advice string) {
	at := o.doc.places[o.path].key
	l.entries = append(l.entries, entry{errs: Errors{o.doc.errorAt(at, message, advice)}})
}

// savedObject takes an object of Elastic's rule package, or a connector of an export.
func (l *loader) savedObject(o *table) {
	d, kind := o.doc, o.text("type")
	d.rule = o.table("attributes", "attributes")
	switch {
	case kind == "action": // a connector: acts on signals that are written
	case d.rule != nil && (kind == "security-rule" || kind == "" && isRule(d.rule)):
		d.packaged = true
		l.entries = append(l.entries, entry{doc: d})
	default:
		l.noRule(o, fmt.Sprintf("this is a saved object of type %q, and no detection rule", kind),
			"Export the rules from Kibana's page of rules, not from that of saved objects.")
	}
}

// summary compares the line that ends an export with what was read.
func (l *loader) summary(o *table) {
	warn := func(text string, args ...any) {
		l.set.Warnings = append(l.set.Warnings, o.doc.shownName()+": "+fmt.Sprintf(text, args...))
	}
	rules := 0
	for _, e := range l.entries {
		if e.doc != nil && e.doc.file == o.doc.file {
			rules++
		}
	}
	if n, ok := o.number("exported_rules_count"); ok && int(n) != rules {
		warn("Kibana exported %d rules, and the file holds %d: is it whole?", int(n), rules)
	}
	missing := func(key, word, what string) {
		var names []string
		for _, t := range o.tables(key, key) {
			names = append(names, t.text(word))
		}
		if len(names) > 0 {
			warn("Kibana did not export %s that it was asked for: %s", what,
				strings.Join(names, ", "))
		}
	}
	missing("missing_rules", "rule_id", "rules")
	missing("missing_exception_lists", "list_id", "exception lists")
	missing("missing_exception_list_items", "item_id", "exceptions")
}

// leaveOutOlder leaves out of Elastic's package all but the newest version of each rule: the
// package holds the older ones too, so that Kibana can show what an update changes.
func (l *loader) leaveOutOlder() {
	version := func(e entry) int { return e.doc.rule.count("version") }
	newest := map[ID]int{}
	packaged := func(e entry) bool { return e.doc != nil && e.doc.packaged }
	for _, e := range l.entries {
		if packaged(e) {
			id, _ := e.doc.id()
			newest[id] = max(newest[id], version(e))
		}
	}
	before := len(l.entries)
	l.entries = slices.DeleteFunc(l.entries, func(e entry) bool {
		if !packaged(e) {
			return false
		}
		id, _ := e.doc.id()
		return version(e) < newest[id]
	})
	if n := before - len(l.entries); n > 0 {
		l.set.Warnings = append(l.set.Warnings, fmt.Sprintf(
			"%d older versions of packaged rules are left out: the newest of each is taken", n))
	}
}
