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
	Rules      []Part    `json:"rules"`
	Sources    []Source  `json:"sources"`
	MadeAt     time.Time `json:"made_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// planVersion is the format that this release writes.
const planVersion = 1

// Part is one rule's part of a plan.
type Part struct {
	RuleID      rule.ID `json:"rule_id"`
	Name        string  `json:"name"`
	Fingerprint string  `json:"fingerprint"`
	// Patterns are what is searched: the rule's or the user's, without those that may not be read.
	Patterns []string `json:"patterns"`
	// Candidates is how many events passed the pre-filter when the plan was made.
	Candidates int64 `json:"candidates"`
	// Cuts are the bounds of the slices, in milliseconds since 1970: n+1 for n slices.
	Cuts []int64 `json:"cuts"`
	// Weights are the candidates that each slice was expected to hold.
	Weights []int64 `json:"weights"`
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
	Part   int    // of the plan's rules
	Number int
	Window span.Interval
	Weight int64
}

// Pieces lists the slices of the plan: the oldest of each rule first, then the second ones, so that
// every rule gets on.
func (p *Plan) Pieces() []Piece {
	var all []Piece
	for i := range p.Rules {
		part := &p.Rules[i]
		for n := range len(part.Cuts) - 1 {
			all = append(all, Piece{
				ID: fmt.Sprintf("slice-%s-%d-%s-%d", p.ID, p.Generation, part.RuleID, n), Part: i,
				Number: n, Weight: part.Weights[n],
				Window: span.New(time.UnixMilli(part.Cuts[n]), time.UnixMilli(part.Cuts[n+1])),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Piece) int { return a.Number - b.Number })
	return all
}

// Candidates is how many events of all rules passed the pre-filters when the plan was made.
func (p *Plan) Candidates() int64 {
	var sum int64
	for _, part := range p.Rules {
		sum += part.Candidates
	}
	return sum
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
