package detect

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"esrule/internal/elastic/search"
	"esrule/internal/query/match"
)

// ExplainedIndicator is an indicator that an event matches.
type ExplainedIndicator struct {
	Field string `json:"field"`
	Value string `json:"value"`
	Index string `json:"index"`
	ID    string `json:"id"`
}

// mostExplained is how many indicators of an event are listed.
const mostExplained = 10

// explainIndicators adds which indicators an event matches, for a rule that asks for them. c is nil
// where there is no cluster to read them from.
func (d *Detection) explainIndicators(ctx context.Context, c *search.Cluster, x *Explanation,
	e *match.Evaluation, now time.Time) error {
	if d.Threat == nil || !x.Accepted {
		return nil
	}
	fields := strings.Join(d.Threat.Plan.EventFields(), ", ")
	in := strings.Join(d.Threat.Source.Patterns, ",")
	if c == nil {
		x.Matches = false
		x.Notes = append(x.Notes,
			fmt.Sprintf("the event satisfies the query, and matches where an "+
				"indicator of %s has its value of one of %s: that is not known without a cluster",
				in,
				fields))
		return nil
	}
	set, err := NewIndicators(c, nil, slog.New(slog.DiscardHandler)).ofRule(ctx, d.Threat, now)
	if err != nil {
		return err
	}
	matches := d.Threat.Plan.Match(set, e.Event)
	for _, one := range matches[:min(len(matches), mostExplained)] {
		at := set.Document(one.Document)
		x.Indicators = append(x.Indicators,
			ExplainedIndicator{one.Field, one.Text, at.Index, at.ID})
	}
	if len(matches) == 0 {
		x.Matches = false
		x.Notes = append(x.Notes, fmt.Sprintf("the event satisfies the query, and none of the %d "+
			"indicators of %s has its values of %s", set.Documents(), in, fields))
	}
	return nil
}
