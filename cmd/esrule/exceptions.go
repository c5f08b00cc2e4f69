package main

import (
	"log/slog"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
)

// exceptions are all that were read. Each that does not apply any more is named once.
type exceptions struct {
	all  []*rule.Exception
	told map[*rule.Exception]bool
}

func newExceptions(all []*rule.Exception) exceptions {
	return exceptions{all, map[*rule.Exception]bool{}}
}

// tell names the exceptions that have expired by now, are for no rule or are doubtful.
func (x exceptions) tell(now time.Time, log *slog.Logger) {
	for _, one := range x.all {
		if x.told[one] {
			continue
		}
		findings := detect.CheckExceptions([]*rule.Exception{one}, nil, now).Findings
		if len(findings) == 0 {
			continue
		}
		x.told[one] = true
		log.Warn("check an exception", "reason", findings[0].Text,
			"advice", findings[0].Advice)
	}
}
