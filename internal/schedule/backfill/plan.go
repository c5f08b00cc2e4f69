package backfill

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// Request is what the user asked for.
type Request struct {
	// From and To are as they were typed: by them a plan is found again, though "now-30d" means
	// another time each day.
	From string `json:"from"`
	To   string `json:"to"`
	// Index are the patterns that replace those of the rules.
	Index []string `json:"index,omitempty"`
	// Range is what From and To meant when the plan was made.
	Range span.Interval `json:"range"`
}

// Plan is the work of one backfill. It is a document of the state index, readable by the next
// release.
type Plan struct {
	Kind    string `json:"kind"`    // "backfill"
	Version int    `json:"version"` // of this format
	ID      string `json:"id"`
	// Generation counts how often the plan was made anew (--restart). Slices belong to one
	// generation.
	Generation int       `json:"generation"`
	Request    Request   `json:"request"`
	Parts      []Part    `json:"parts"`
	Sources    []Source  `json:"sources"`
	MadeAt     time.Time `json:"made_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// planVersion is the format that this release writes.
const planVersion = 2

// Part is what is searched for some rules together: those over the same patterns, or over patterns
// that stood for the same indices.
type Part struct {
	Rules []PartRule `json:"rules"`
	// Patterns are what is searched: the rules' or the user's, without those that may not be read.
	Patterns []string `json:"patterns"`
	// Stands are the indices that the patterns stood for when the plan was made, where the rules'
	// patterns differ; nil where they do not. Where they stand for others when a slice is searched,
	// the rules are not searched together.
	Stands []string `json:"stands"`
	// Candidates is how many events the searches returned when the plan was made.
	Candidates int64 `json:"candidates"`
	// Cuts are the bounds of the slices, in milliseconds since 1970: n+1 for n slices.
	Cuts []int64 `json:"cuts"`
	// Weights are the candidates that each slice was expected to hold.
	Weights []int64 `json:"weights"`
}

// PartRule is a rule of a part.
type PartRule struct {
	RuleID      rule.ID `json:"rule_id"`
	Name        string  `json:"name"`
	Fingerprint string  `json:"fingerprint"`
}

// IDs lists the rules of the part.
func (p Part) IDs() []rule.ID {
	ids := make([]rule.ID, len(p.Rules))
	for i, r := range p.Rules {
		ids[i] = r.RuleID
	}
	return ids
}

// Title names the rules of the part for a person: a few by name, and how many more there are.
func (p Part) Title() string {
	const named = 2
	if len(p.Rules) == 1 {
		return p.Rules[0].Name
	}
	names := make([]string, 0, named)
	for _, r := range p.Rules[:min(named, len(p.Rules))] {
		names = append(names, r.Name)
	}
	title := fmt.Sprintf("%d rules: %s", len(p.Rules), strings.Join(names, ", "))
	if more := len(p.Rules) - named; more > 0 {
		title += fmt.Sprintf(" and %d more", more)
	}
	return title
}

// UnmarshalJSON reads a plan of any version up to this one. In version 1 each part is of one rule,
// whose keys are the part's.
func (p *Plan) UnmarshalJSON(text []byte) error {
	type plain Plan
	document := struct {
		*plain
		Rules []struct {
			PartRule
			Part
		} `json:"rules"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	for _, old := range document.Rules {
		old.Part.Rules = []PartRule{old.PartRule}
		p.Parts = append(p.Parts, old.Part)
	}
	return nil
}

// Source is what a pattern stood for when the plan was made.
type Source struct {
	Pattern string `json:"pattern"`
	// Indices are open and can be read.
	Indices []string `json:"indices"`
	// Documents is the number of events of the range; Timeless how many documents have no
	// @timestamp at all, which no range reaches.
	Documents int64 `json:"documents"`
	Timeless  int64 `json:"timeless"`
	// Unsearched are the indices, or the pattern itself, that are not searched, and why.
	Unsearched []detect.Failure `json:"unsearched,omitempty"`
	// Silent did not answer when the plan was made: they are not in the numbers, and are searched
	// all the same.
	Silent []detect.Failure `json:"silent,omitempty"`
}

// PlanID is where the plan of a request is kept.
func PlanID(r Request, detections []*detect.Detection) string {
	meanings := make([]string, len(detections))
	for i, d := range detections {
		meanings[i] = fmt.Sprintf("%s=%s", d.Rule.ID, d.Fingerprint())
	}
	slices.Sort(meanings)
	text, err := json.Marshal([]any{r.From, r.To, slices.Sorted(slices.Values(r.Index)), meanings})
	if err != nil {
		panic(err) // strings can be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func planDocument(id string) string { return "backfill-" + id }

// Piece is one slice of a plan before anybody has looked at it.
type Piece struct {
	ID     string // of its document
	Part   int    // of the plan's parts
	Rules  []rule.ID
	Number int
	Window span.Interval
	Weight int64
}

// Pieces lists the slices of the plan: the oldest of each part first, then the second ones, so that
// every rule gets on. A part's first rule stands for the part in the ids: it is in no other.
func (p *Plan) Pieces() []Piece {
	var all []Piece
	for i := range p.Parts {
		part := &p.Parts[i]
		ids := part.IDs()
		for n := range len(part.Cuts) - 1 {
			all = append(all, Piece{
				ID:   fmt.Sprintf("slice-%s-%d-%s-%d", p.ID, p.Generation, part.Rules[0].RuleID, n),
				Part: i, Rules: ids,
				Number: n, Weight: part.Weights[n],
				Window: span.New(time.UnixMilli(part.Cuts[n]), time.UnixMilli(part.Cuts[n+1])),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Piece) int { return a.Number - b.Number })
	return all
}

// Rules is how many rules the plan is for.
func (p *Plan) Rules() (n int) {
	for _, part := range p.Parts {
		n += len(part.Rules)
	}
	return n
}

// Unsearched lists what the plan cannot reach, each once.
func (p *Plan) Unsearched() []detect.Failure {
	var all []detect.Failure
	for _, s := range p.Sources {
		for _, f := range s.Unsearched {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// Command is the command line that goes on with the plan.
func (r Request) Command() string {
	words := []string{"esrule backfill", "--from", Quote(r.From), "--to", Quote(r.To)}
	for _, i := range r.Index {
		words = append(words, "--index", Quote(i))
	}
	return strings.Join(words, " ")
}

// Quote writes a word for a POSIX shell.
func Quote(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
