package rule

import "slices"

// threats reads the MITRE ATT&CK mapping.
func (r *reader) threats() {
	for _, t := range r.table.tables("threat", "[[rule.threat]]") {
		r.only(t, "framework", "tactic", "technique")
		threat := Threat{Framework: t.text("framework")}
		if tactic := t.table("tactic", "[rule.threat.tactic]"); tactic != nil {
			r.only(tactic, "id", "name", "reference")
			threat.Tactic = entry(tactic)
		}
		for _, te := range t.tables("technique", "[[rule.threat.technique]]") {
			r.only(te, "id", "name", "reference", "subtechnique")
			technique := Technique{ThreatEntry: entry(te)}
			for _, sub := range te.tables("subtechnique",
				"[[rule.threat.technique.subtechnique]]") {
				r.only(sub, "id", "name", "reference")
				technique.Subtechnique = append(technique.Subtechnique, entry(sub))
			}
			threat.Technique = append(threat.Technique, technique)
		}
		r.rule.Threat = append(r.rule.Threat, threat)
	}
}

func entry(t *table) ThreatEntry {
	return ThreatEntry{ID: t.text("id"), Name: t.text("name"), Reference: t.text("reference")}
}

// only reports every other key. A rule's key that was written below a threat's header lands in its
// table.
func (r *reader) only(t *table, known ...string) {
	for _, name := range t.keys() {
		switch _, ofRule := ruleKeys[name]; {
		case slices.Contains(known, name):
		case ofRule:
			r.report(t.place(name).key, "\""+name+"\" stands in "+t.name+", not in [rule]",
				"In TOML a key belongs to the last header above it: move it up, before the first "+
					"[[rule.threat]].")
		default:
			r.unknown(t, name, known)
		}
	}
}
