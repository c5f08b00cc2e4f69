package report

import (
	"errors"
	"fmt"
	"strings"

	"esrule/internal/scan"
)

// AddScan adds what a scan read of its files, and what of them was not judged.
func (r *Report) AddScan(s scan.Summary) {
	r.Notes = append(r.Notes, "Exported events carry no mapping: each value was compared as the "+
		"rule's constant suggests. The rules' index patterns and look-back times were not applied.")
	if as := s.ComparedAsText(); as != "" {
		r.Notes = append(r.Notes, as)
	}
	for _, one := range s.ByRule {
		r.Rules = append(r.Rules, one.Rule)
	}
	for _, in := range s.ByInput {
		judged := in.Events - in.Strange
		if in.AlertRules == 0 {
			judged -= in.Alerts
		}
		if in.Whole || in.Events > 0 {
			r.Covered = append(r.Covered, Coverage{What: in.Name, Events: int64(in.Events),
				Judged: int64(judged)})
		}
		if alerts := in.AlertsText(); alerts != "" && alerts != in.Unjudged() {
			r.Notes = append(r.Notes, in.Name+": "+alerts)
		}
		r.NotCovered = append(r.NotCovered, gapsOf(in)...)
	}
}

// gapsOf returns what of an input was not judged.
func gapsOf(in scan.InputCount) (gaps []Gap) {
	if !in.Whole {
		g := Gap{What: in.Name,
			Reason: "The scan was ended before its turn came. Scan it again."}
		if in.Events > 0 {
			g = Gap{What: "the rest of " + in.Name,
				Reason: "The scan was ended before this file was read to its end. Scan it again."}
		}
		if in.Err != nil {
			g.Reason = fmt.Sprintf("The file could not be read whole: %s.",
				strings.TrimPrefix(in.Err.Error(), in.Name+": "))
		}
		gaps = append(gaps, g)
	}
	if why := in.Unjudged(); why != "" {
		gaps = append(gaps, Gap{What: "events in " + in.Name, Reason: why})
	}
	if in.BadLines > 0 {
		why := in.FirstBad
		if line, ok := errors.AsType[scan.LineError](why); ok {
			why = fmt.Errorf("line %d: %w", line.Line, line.Err)
		}
		gaps = append(gaps, Gap{
			What:   fmt.Sprintf("bad lines in %s: %d", in.Name, in.BadLines),
			Reason: fmt.Sprintf("They hold no event. The first of them: %v.", why),
		})
	}
	return gaps
}
