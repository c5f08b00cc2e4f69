package signal

import (
	"fmt"
	"slices"

	"esrule/internal/query/rule"
)

// Enrichment is an indicator that an event matches by one of its fields.
type Enrichment struct {
	// Field is the event's field, and Value the value of it that the indicator has too.
	Field, Value string
	// Index and ID are where the indicator's document is; empty where it was read from a file.
	Index, ID string
	// Source is the indicator's document as JSON text, nil where it is no longer there. Path is
	// where it has its indicator.
	Source []byte
	Path   string
}

const (
	enrichmentsField = "threat.enrichments"
	feedName         = "threat.feed.name"
)

// Enrich adds indicators that the event matches to what its signals have of it. Its identity does
// not change.
func (r *Reading) Enrich(list []Enrichment) error {
	r.enrichments = list
	if len(list) == 0 {
		return nil
	}
	all := &node{kind: array}
	for _, before := range r.kept.at(enrichmentsField) {
		if before.kind == array {
			all.elems = append(all.elems, before.elems...)
		} else if before.kind == object {
			all.elems = append(all.elems, before)
		}
	}
	for _, e := range list {
		made, err := e.node()
		if err != nil {
			return err
		}
		all.elems = append(all.elems, made)
	}
	r.keep(r.kept.without(enrichmentsField).enriched(all))
	return nil
}

// enriched returns the event with enrichments in its object `threat`, or beside whatever else it
// has there. The event itself stays as it is.
func (n *node) enriched(all *node) *node {
	with := func(o node, m member) *node {
		o.members, o.written = append(slices.Clone(o.members), m), nil
		return &o
	}
	switch threat := n.object("threat"); {
	case n.collides(enrichmentsField):
		return with(*n, member{enrichmentsField, all})
	case threat == nil:
		return with(*n, member{"threat", with(node{kind: object}, member{"enrichments", all})})
	default:
		event := *n
		event.members, event.written = slices.Clone(n.members), nil
		for i, m := range event.members {
			if m.value == threat {
				event.members[i].value = with(*threat, member{"enrichments", all})
			}
		}
		return &event
	}
}

// node is the enrichment as Elastic's alerts have it.
func (e *Enrichment) node() (*node, error) {
	indicator, feed := &node{kind: object}, &node{kind: object}
	if e.Source != nil {
		document, err := parse(e.Source)
		if err != nil {
			return nil, fmt.Errorf("read indicator %s of %s: %w", e.ID, e.Index, err)
		}
		if of := firstOf(document.at(e.Path), object); of != nil {
			indicator = of
		} else { // written with dots
			indicator.members = byPath(document, e.Path+".", pathName)
		}
		if name := firstOf(document.at(feedName), text); name != nil && name.text != "" {
			feed.members = []member{{"name", name}}
		}
	}
	matched := &node{kind: object}
	for _, m := range [][2]string{{"atomic", e.Value}, {"field", e.Field}, {"id", e.ID},
		{"index", e.Index}, {"type", "indicator_match_rule"}} {
		if m[1] != "" {
			matched.members = append(matched.members, member{m[0], &node{kind: text, text: m[1]}})
		}
	}
	return &node{kind: object, members: []member{{"indicator", indicator}, {"feed", feed},
		{"matched", matched}}}, nil
}

// firstOf returns the first of some values, and of the arrays among them, that is of a kind; nil
// where there is none.
func firstOf(values []*node, of kind) *node {
	for _, v := range values {
		if v.kind == array {
			if first := firstOf(v.elems, of); first != nil {
				return first
			}
		}
		if v.kind == of {
			return v
		}
	}
	return nil
}

// threatParameters are those of a rule of type threat_match, as Elastic's rule API writes them.
func threatParameters(q *rule.IndicatorQuery) map[string]any {
	type entry struct {
		Field string `json:"field"`
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	type group struct {
		Entries []entry `json:"entries"`
	}
	mapping := make([]group, len(q.Mapping))
	for i, pairs := range q.Mapping {
		for _, p := range pairs {
			mapping[i].Entries = append(mapping[i].Entries, entry{p.Field, "mapping", p.Value})
		}
	}
	p := map[string]any{
		"threat_index": list(q.ThreatIndex), "threat_query": q.Threat.Text(),
		"threat_language": "kuery", "threat_indicator_path": q.IndicatorPath,
		"threat_mapping": mapping,
	}
	if q.Threat.Filters != nil {
		p["threat_filters"] = q.Threat.Filters
	}
	if q.Filters != nil {
		p["filters"] = q.Filters
	}
	return p
}
