package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
)

// Detection is a rule made ready to run: its matchers, the fields it reads, and where it looks.
type Detection struct {
	Rule *rule.Rule
	Where
	Fields *event.Fields
	Compiled
}

// Compiler makes rules ready to run. Those that one has compiled can be searched together, since
// their fields share slots. It is safe for concurrent use.
type Compiler struct {
	Alerts Alerts
	fields event.Fields
}

// New compiles a rule that is searched alone, see [Compiler.New].
func New(r *rule.Rule, patterns []string) (*Detection, error) {
	return (&Compiler{}).New(r, patterns)
}

// New compiles a rule. patterns replace the rule's own where there are any. The error names what of
// the rule's query this version does not evaluate, with its place.
func (c *Compiler) New(r *rule.Rule, patterns []string) (*Detection, error) {
	return newDetection(r, c.Alerts.Where(r, patterns), c.fields.Beside())
}

func newDetection(r *rule.Rule, w Where, fields *event.Fields) (*Detection, error) {
	compiled, err := Compile(r, w, fields)
	if err != nil {
		return nil, fmt.Errorf("rule %q (%s): %w", r.Name, r.ID, err)
	}
	return &Detection{Rule: r, Where: w, Fields: fields, Compiled: compiled}, nil
}

// Timestamps are the fields by which the rule's windows are searched.
func (d *Detection) Timestamps() prefilter.Timestamps {
	if d.Together() {
		return ByTimestamp() // by which its events follow each other
	}
	return timestampsOf(d.Rule, d.Where)
}

// timestampsOf returns the timestamps of a rule. A signal has its event's event.ingested: only its
// @timestamp says when the signal was made.
func timestampsOf(r *rule.Rule, w Where) prefilter.Timestamps {
	if w.Signals != "" {
		return ByTimestamp()
	}
	return prefilter.Timestamps{
		Primary:    timestamp,
		Override:   r.TimestampOverride,
		NoFallback: r.TimestampOverrideFallbackDisabled,
	}
}

// Happened are the fields by which events are placed when they happened, however they are placed
// otherwise. An event with the rule's timestamp_override needs no late sweep where that is the
// moment at which it became searchable; it is read all the same, since nothing in it says so. Only
// where the rule wants no event without the override, that alone places events here too.
func (d *Detection) Happened() prefilter.Timestamps {
	if t := d.Timestamps(); t.NoFallback {
		return t
	}
	return ByTimestamp()
}

// ByTimestamp is how history is searched: when an event was ingested says nothing of when it
// happened.
func ByTimestamp() prefilter.Timestamps { return prefilter.Timestamps{Primary: timestamp} }

// Mapped lists the fields whose mappings a search of the rule needs.
func (d *Detection) Mapped() []string { return d.alone().mapped() }

// Mapper reads what fields are. *search.Cluster is one.
type Mapper interface {
	Mappings(ctx context.Context, patterns, fields []string) ([]search.Class, error)
	ReadDates(ctx context.Context, classes []search.Class,
		constants map[string][]string) ([]search.Class, error)
	Normalize(ctx context.Context, classes []search.Class, texts []string) ([]search.Class, error)
}

// Classes reads what the indices of patterns make of the rule's fields, and of its constants where
// only they know.
func (d *Detection) Classes(ctx context.Context, m Mapper,
	patterns []string) ([]search.Class, error) {
	return d.alone().Classes(ctx, m, patterns)
}

// Fingerprint stands for what the rule's signals depend on: its meaning, where it looks, and its
// exceptions.
func (d *Detection) Fingerprint() string {
	text := d.Rule.Fingerprint()
	if !slices.Equal(d.Patterns, d.Rule.Index) {
		text += "@" + strings.Join(d.Patterns, ",")
	}
	if t := d.Threat; t != nil && !slices.Equal(t.Source.Patterns, t.Source.Rule.Index) {
		text += "%" + strings.Join(t.Source.Patterns, ",")
	}
	if exceptions := d.Rule.ExceptionsFingerprint(); exceptions != "" {
		text += "!" + exceptions
	}
	return text
}
