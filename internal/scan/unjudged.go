package scan

import (
	"fmt"
	"slices"
	"strings"
)

// Unjudged says which documents of an input were read and could not be judged, why, and what to
// do. It is empty where there are none.
func (c InputCount) Unjudged() string {
	blindRules := c.CategoryRules > 0 && c.Events > 0 && c.NoCategory == c.Events
	if c.Alerts > 0 && c.Alerts == c.Events && c.AlertRules == 0 {
		return c.AlertsText()
	}
	if c.Strange == 0 && !blindRules {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "event.category was in %d of %d events, @timestamp in %d of %d. ",
		c.Events-c.NoCategory, c.Events, c.Events-c.NoTime, c.Events)
	if blindRules {
		fmt.Fprintf(&b, "No event here can satisfy the %d rules that ask for a category. ",
			c.CategoryRules)
	}
	if c.Strange == 0 {
		b.WriteString("Export events as they are in Elasticsearch, after their ingest pipeline.")
		return b.String()
	}
	s := c.FirstStrange
	fmt.Fprintf(&b, "%d were not judged: they are not events of the Elastic Common Schema. ",
		c.Strange)
	fmt.Fprintf(&b, "The first is on line %d", s.Line)
	if len(s.Keys) > 0 {
		fmt.Fprintf(&b, ", with the keys %s", strings.Join(s.Keys, ", "))
	}
	fmt.Fprintf(&b, ". %s", s.advice())
	return b.String()
}

func (s *Strange) advice() string {
	has := func(key string) bool { return slices.Contains(s.Keys, key) }
	switch {
	case s.Inside != "":
		return fmt.Sprintf("The event seems to be inside the field `%s`: take it out first, "+
			"jq -c '.%s | fromjson? // .'.", s.Inside, s.Inside)
	case has("_index") && has("_id"):
		return "It is a hit without its event: search with `_source`, or ask for `fields`."
	case has("error") && has("status"):
		return "It is an error of Elasticsearch, not a result."
	case has("Event"):
		return "It looks like a Windows event as evtx tools write it: send it through Winlogbeat " +
			"or Elastic Agent, and export it from Elasticsearch."
	}
	return "esrule reads events as Beats and Elastic Agent index them; export them from " +
		"Elasticsearch."
}
