package rule

import "time"

// ID is a rule's rule_id: what its signals and its ledger are known by. Two rules never share one.
type ID string

// Rule is one detection rule that is run: what all kinds of rules share, and what it asks.
type Rule struct {
	Head
	Body Body
}

// Head is what all kinds of rules share.
type Head struct {
	ID          ID
	Name        string
	Description string
	Severity    string // low, medium, high or critical
	RiskScore   float64
	Version     int // 1 where the file has none, as Elastic's own files do
	Type        string
	Language    string
	License     string
	Maturity    string // as [metadata] has it; decides nothing

	Author         []string
	Tags           []string
	References     []string
	FalsePositives []string
	Note           string
	Setup          string
	Threat         []Threat

	// Index holds the index patterns as written: without PatternFaults, at least one that is no
	// exclusion. Some may not be searched (indexpattern.NotSearched).
	Index []string
	// PatternFaults are what is wrong with Index: the rule runs only over other patterns.
	PatternFaults Errors
	// From is how far back one run looks (from = "now-9m" is 9 minutes), Interval how often it is
	// due.
	From     time.Duration
	Interval time.Duration

	// TimestampOverride is the field that the time window is read from before @timestamp; empty is
	// @timestamp alone.
	TimestampOverride string
	// TimestampOverrideFallbackDisabled leaves out the events that lack TimestampOverride.
	TimestampOverrideFallbackDisabled bool

	// SeverityMapping, RiskScoreMapping and NameOverride take what the signal of one event says
	// from the event.
	SeverityMapping  []SeverityMapping
	RiskScoreMapping []RiskScoreMapping
	NameOverride     string // the field; empty where there is none

	BuildingBlockType string
	MaxSignals        int // 0 where the file has none; there is no cap on signals
	// NotApplied names the keys of the file that act on written signals, and that are left to
	// others.
	NotApplied []string
	// Exceptions are those of the lists that the rule names, and those that name the rule.
	Exceptions []*Exception

	// File is where the rule was read from, for messages.
	File string // with the line, where the file holds more rules than one

	text source
}

// Threat is one entry of a rule's MITRE ATT&CK mapping.
type Threat struct {
	Framework string
	Tactic    ThreatEntry
	Technique []Technique
}

// Technique is a technique of a [Threat] with its sub-techniques.
type Technique struct {
	ThreatEntry
	Subtechnique []ThreatEntry
}

// ThreatEntry names a tactic, a technique or a sub-technique.
type ThreatEntry struct {
	ID        string
	Name      string
	Reference string
}

// Skipped is a well-formed rule that is not run, because of its kind or of a key that is not
// supported.
type Skipped struct {
	File string `json:"file"`
	ID   ID     `json:"rule_id,omitempty"`
	Name string `json:"name"`
	// what is not supported in a word or two: "type esql", "sequence", "filters"
	Kind   string `json:"kind"`
	Reason string `json:"reason"`

	ruleType string
	severity string
	tags     []string
}

// Type returns the type of the rule.
func (s Skipped) Type() string { return s.ruleType }

// Set is what was loaded, in the order of the paths given and of the file names below them.
type Set struct {
	Rules   []*Rule
	Skipped []Skipped
	// Unread are the files below the folders that have no name of a rule file (see Extensions).
	Unread []string
	// NotChosen is how many rules a [Choice] left out.
	NotChosen int
	// Exceptions are all that were read, those that no rule has included.
	Exceptions []*Exception
	// Warnings say what is doubtful in the files that are read.
	Warnings []string
}
