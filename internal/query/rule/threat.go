package rule

// threatForm is a rule's MITRE ATT&CK mapping.
func threatForm() form {
	entry := []key{{name: "id", form: text}, {name: "name", form: text},
		{name: "reference", form: text}}
	technique := append(entry[:len(entry):len(entry)], key{name: "subtechnique",
		form: tablesOf("[[rule.threat.technique.subtechnique]]", entry...)})
	return tablesOf("[[rule.threat]]",
		key{name: "framework", form: text},
		key{name: "tactic", form: tableOf("[rule.threat.tactic]", entry...)},
		key{name: "technique", form: tablesOf("[[rule.threat.technique]]", technique...)})
}

// threats reads the MITRE ATT&CK mapping.
func threats(t *table) []Threat {
	var list []Threat
	for _, t := range t.tables("threat", "") {
		threat := Threat{Framework: t.text("framework")}
		if tactic := t.table("tactic", ""); tactic != nil {
			threat.Tactic = threatEntry(tactic)
		}
		for _, te := range t.tables("technique", "") {
			technique := Technique{ThreatEntry: threatEntry(te)}
			for _, sub := range te.tables("subtechnique", "") {
				technique.Subtechnique = append(technique.Subtechnique, threatEntry(sub))
			}
			threat.Technique = append(threat.Technique, technique)
		}
		list = append(list, threat)
	}
	return list
}

func threatEntry(t *table) ThreatEntry {
	return ThreatEntry{ID: t.text("id"), Name: t.text("name"), Reference: t.text("reference")}
}
