package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/exception"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
)

// Exception is a condition on single events: one that it accepts is no match of its rules.
type Exception struct {
	// Name is that of Kibana's item, or the reason of our own.
	Name string
	// From is where it is: Kibana's list, or the file with the line.
	From string
	// Expires is the moment from which it does not apply; zero is never.
	Expires time.Time
	// Query is the condition; nil where it is not applied, and Fault says why.
	Query *cond.Query
	Fault string
	// InUse is whether a file holds a rule that has it, chosen or not.
	InUse bool

	rules []string // ids and names; "*" is all
	text  string   // the condition as it is written, for the fingerprint
}

// Expired reports whether it does not apply any more.
func (x *Exception) Expired(now time.Time) bool {
	return !x.Expires.IsZero() && !now.Before(x.Expires)
}

// String names the exception.
func (x *Exception) String() string { return fmt.Sprintf("%q (%s)", x.Name, x.From) }

// Suppresses reports whether the rule's file asks for one alert of several events
// (alert_suppression), which is not applied: every event has its signal.
func (h *Head) Suppresses() bool { return slices.Contains(h.NotApplied, suppression) }

// Unapplied returns the rule's exceptions that cannot be applied and have not expired: it alerts on
// what they except.
func (h *Head) Unapplied(now time.Time) (all []*Exception) {
	for _, x := range h.Exceptions {
		if x.Query == nil && !x.Expired(now) {
			all = append(all, x)
		}
	}
	return all
}

// ExceptionsFingerprint identifies what the rule's exceptions except, and until when, as hex
// SHA-256; it is empty for a rule that has none that are applied.
func (h *Head) ExceptionsFingerprint() string {
	var parts []string
	for _, x := range h.Exceptions {
		if x.Query != nil {
			parts = append(parts, x.Expires.UTC().String()+"\x00"+x.text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	hash := sha256.Sum256([]byte(strings.Join(slices.Compact(parts), "\x00")))
	return hex.EncodeToString(hash[:])
}

// exceptionKeys are the keys of an exception in a TOML file.
func exceptionKeys() []key {
	return []key{
		{name: "rules", form: someTexts, example: `["…"], ids or names of rules; "*" is all`},
		{name: "language", form: oneOf("eql", "kuery"), example: `"eql"`},
		{name: "condition", form: text, example: `'''any where host.name == "…"'''`},
		{name: "reason", form: textWhere(oneLine), example: `"…"`},
		{name: "expires", form: date},
	}
}

func someTexts(t *table, key string) {
	texts(t, key)
	if list := t.list(key); list != nil && len(list) == 0 {
		t.fault(key, key+" is empty", `Write ids or names of rules, or ["*"] for all.`)
	}
}

// date is a date, or a date and time with its zone.
func date(t *table, key string) {
	if _, ok := expiry(t.values[key]); !ok {
		t.wrongType(key, "a date", key+" = 2027-01-31, without quotes, the last day in UTC; or "+
			"2027-01-31T12:00:00Z")
	}
}

// expiry returns the moment that a date ends at.
func expiry(v value) (time.Time, bool) {
	switch v := v.(type) {
	case toml.LocalDate:
		return v.AsTime(time.UTC).AddDate(0, 0, 1), true
	case time.Time:
		return v, true
	}
	return time.Time{}, false
}

// readExceptions reads the exceptions of a TOML file.
func readExceptions(d *document) (all []*Exception, errs Errors) {
	top := &table{doc: d, values: map[string]value{"exception": d.exceptions}}
	for _, t := range top.tables("exception", "[[exception]]") {
		own := *d // errors in the condition are placed by it
		own.errs = nil
		t.doc = &own
		if x := readException(t); len(own.errs) == 0 {
			all = append(all, x)
		}
		errs = append(errs, own.errs...)
	}
	return all, errs
}

func readException(t *table) *Exception {
	keys := exceptionKeys()
	for _, name := range t.keys() {
		if find(keys, name) == nil {
			t.unknown(name, names(keys))
		}
	}
	for i := range keys {
		keys[i].check(t)
	}
	if len(t.doc.errs) > 0 {
		return nil
	}
	d := t.doc
	x := &Exception{Name: strings.TrimSpace(t.text("reason")), rules: t.texts("rules"),
		From: fmt.Sprintf("%s:%d", d.file, d.lineAt(d.places[t.path].key.start)),
		text: t.text("language") + " " + strings.TrimSpace(t.text("condition"))}
	x.Expires, _ = expiry(t.values["expires"])
	text := t.text("condition")
	d.placeQuery(text, t.place("condition").value)
	query, err := parseCondition(text, t.text("language"))
	if err == nil {
		err = compiles(query)
	}
	if err != nil {
		d.errs = append(d.errs, d.locate(err)...)
		return nil
	}
	x.Query = query
	return x
}

func parseCondition(text, language string) (*cond.Query, error) {
	if language == "kuery" {
		return kql.Parse(text)
	}
	return eql.Parse(text)
}

// compiles returns what keeps a condition from being evaluated.
func compiles(q *cond.Query) error {
	if errs := eql.CheckTypes(q); len(errs) > 0 {
		return errs
	}
	_, err := match.Compile(q, &event.Fields{}, match.Options{})
	return err
}

// readItem reads an exception item of a Kibana export. list is what its list is called.
func readItem(t *table, list string) *Exception {
	x := &Exception{Name: strings.TrimSpace(t.text("name")), From: list}
	fail := func(why string) *Exception {
		x.Fault = why
		return x
	}
	if given := t.values["expire_time"]; given != nil && given != "" {
		at, err := time.Parse(time.RFC3339, t.text("expire_time"))
		if err != nil {
			return fail(fmt.Sprintf("expire_time %v is no time", given))
		}
		x.Expires = at
	}
	where, err := exception.Parse(t.values)
	if err != nil {
		return fail(err.Error())
	}
	x.text = kql.Print(where)
	query := &cond.Query{Text: x.text, Where: where, Print: kql.Print}
	if err := compiles(query); err != nil {
		return fail(err.Error())
	}
	x.Query = query
	return x
}

// except hands each rule its exceptions: those of the lists that it names, then those that name it.
func (l *loader) except(head *Head) {
	for _, x := range l.exceptions {
		if slices.ContainsFunc(x.rules, head.isCalled) {
			head.Exceptions = append(head.Exceptions, x)
		}
	}
}

// isCalled reports whether an exception that names rules means this one.
func (h *Head) isCalled(name string) bool {
	return name == "*" || name == string(h.ID) || name == h.Name
}

// noteUse notes which exceptions belong to some rule, whether it runs or not, and names those of
// the files that name a rule that is not there.
func (l *loader) noteUse() {
	var heads []Head
	for _, e := range l.entries {
		if e.doc == nil || e.doc.rule == nil {
			continue
		}
		id, _ := e.doc.id()
		heads = append(heads, Head{ID: id, Name: strings.TrimSpace(e.doc.rule.text("name"))})
		for _, x := range l.exported.exceptions(e.doc.rule) {
			x.InUse = true
		}
	}
	for _, x := range l.exceptions {
		for _, name := range x.rules {
			is := slices.ContainsFunc(heads, func(h Head) bool { return h.isCalled(name) })
			x.InUse = x.InUse || is
			if !is && len(x.rules) > 1 {
				l.set.Warnings = append(l.set.Warnings,
					fmt.Sprintf("the exception %s is for a rule %q, which no file holds", x, name))
			}
		}
	}
	l.set.Exceptions = append(l.exported.items, l.exceptions...)
}
