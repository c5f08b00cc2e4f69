package rule

// SeverityMapping is a severity for the events in which a field has a value. Its JSON is as Elastic
// writes it.
type SeverityMapping struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
	Severity string `json:"severity"`
}

// RiskScoreMapping is a field that has the risk score. Its JSON is as Elastic writes it.
type RiskScoreMapping struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

// Severities are the words for a severity, from the lowest.
func Severities() []string { return []string{"low", "medium", "high", "critical"} }

func severityMappingForm() form {
	return tablesOf("[[rule.severity_mapping]]",
		key{name: "field", form: textWhere(fieldName), example: `"event.severity"`},
		key{name: "operator", form: oneOf("equals")},
		key{name: "severity", form: oneOf(Severities()...), example: `"high"`},
		key{name: "value", form: text, example: `"73"`})
}

func riskScoreMappingForm() form {
	return tablesOf("[[rule.risk_score_mapping]]",
		key{name: "field", form: textWhere(fieldName), example: `"event.risk_score"`},
		key{name: "operator", form: oneOf("equals")},
		key{name: "risk_score"}, // Elastic's engine does not read it
		key{name: "value", form: text})
}

const equals = "equals"

func severityMapping(t *table) (list []SeverityMapping) {
	for _, t := range t.tables("severity_mapping", "") {
		list = append(list, SeverityMapping{t.text("field"), equals, t.text("value"),
			t.text("severity")})
	}
	return list
}

func riskScoreMapping(t *table) (list []RiskScoreMapping) {
	for _, t := range t.tables("risk_score_mapping", "") {
		list = append(list, RiskScoreMapping{t.text("field"), equals, t.text("value")})
	}
	return list
}
