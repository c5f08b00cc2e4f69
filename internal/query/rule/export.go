package rule

import (
	"fmt"
	"slices"
	"strings"
)

// ExceptionList is a list of exceptions that a rule names.
type ExceptionList struct {
	ID   string // list_id
	Name string // empty where no file holds the list
	// Items are the names of its exceptions, as far as the files hold them.
	Items []string
}

// ExceptionsAdvice says what can be done about exceptions that are not applied.
const ExceptionsAdvice = "the rule alerts on what they except. Write them into the query as `and " +
	"not (…)`"

// String names the list and its exceptions.
func (l ExceptionList) String() string {
	text := fmt.Sprintf("list_id %s", l.ID)
	if l.Name != "" {
		text = fmt.Sprintf("%q (%s)", l.Name, text)
	}
	if len(l.Items) == 0 {
		return text
	}
	return fmt.Sprintf("%s: %q", text, l.Items)
}

// exported is what a Kibana export holds beside rules.
type exported struct {
	lists map[string]*ExceptionList // by namespace and list_id
}

func (x *exported) list(of *table) *ExceptionList {
	key := of.text("namespace_type") + "\x00" + of.text("list_id")
	if x.lists[key] == nil {
		x.lists[key] = &ExceptionList{ID: of.text("list_id")}
	}
	return x.lists[key]
}

// exceptions returns the lists of exceptions that a rule names. The list of Elastic Defend is left
// out, as in Elastic's engine: it acts in the endpoint, not in rules.
func (x *exported) exceptions(rule *table) (lists []ExceptionList) {
	for _, t := range rule.tables("exceptions_list", "") {
		if t.text("list_id") != "endpoint_list" {
			lists = append(lists, *x.list(t))
		}
	}
	return lists
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
		list.Items = append(list.Items, o.text("name"))
	case o.has("list_id"):
		l.exported.list(o).Name = o.text("name")
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
