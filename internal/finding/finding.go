package finding

// Finding is one thing that check reports.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule_id,omitempty"`
	// Pattern and Index are what it was found on; empty where it is about the rule or the program.
	Pattern string `json:"pattern,omitempty"`
	Index   string `json:"index,omitempty"`
	Text    string `json:"text"`
	Advice  string `json:"advice,omitempty"`
}

// String returns the text with the advice.
func (f Finding) String() string {
	if f.Advice == "" {
		return f.Text
	}
	return f.Text + ": " + f.Advice
}

// List is what was found on one thing. Problems and Notes are the findings as people read them;
// they are written to JSON since before findings had codes.
type List struct {
	Findings []Finding `json:"-"`
	Problems []string  `json:"problems,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
}

// Add adds a finding. Its severity is that of its code.
func (l *List) Add(f Finding) { l.AddAs(f, f.String()) }

// AddAs adds a finding that people read in other words, such as with the place in a file.
func (l *List) AddAs(f Finding, text string) {
	f.Severity = SeverityOf(f.Code)
	l.Findings = append(l.Findings, f)
	switch f.Severity {
	case Problem:
		l.Problems = append(l.Problems, text)
	case Note:
		l.Notes = append(l.Notes, text)
	}
}
