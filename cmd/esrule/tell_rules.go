package main

import (
	"context"
	"log/slog"

	"esrule/internal/query/rule"
)

// ruleLine is what the log says of one rule when the rules are read.
type ruleLine struct {
	id         rule.ID
	attributes []any
}

// tellRules logs a line for each of few rules. Of more, one line counts them and names the first,
// with what is common to all.
func tellRules(log *slog.Logger, level slog.Level, one, many string, lines []ruleLine,
	common ...any) {
	ctx := context.Background()
	if len(lines) <= fewRules {
		for _, l := range lines {
			log.Log(ctx, level, one, append([]any{"rule", l.id}, l.attributes...)...)
		}
		return
	}
	first := make([]rule.ID, shownNames)
	for i := range first {
		first[i] = lines[i].id
	}
	log.Log(ctx, level, many+"; esrule check names each", append([]any{"count", len(lines),
		"first", first}, common...)...)
}

// warnSkipped names the rules that do not run, those together that are skipped for one reason.
func warnSkipped(skipped []rule.Skipped, log *slog.Logger) {
	type cause struct{ kind, reason string }
	var causes []cause
	of := map[cause][]ruleLine{}
	for _, s := range skipped {
		c := cause{s.Kind, s.Reason}
		if of[c] == nil {
			causes = append(causes, c)
		}
		of[c] = append(of[c], ruleLine{s.ID, []any{"name", s.Name, "file", s.File, "kind", s.Kind,
			"reason", s.Reason}})
	}
	for _, c := range causes {
		tellRules(log, slog.LevelWarn, "a rule is skipped", "rules of one kind are skipped", of[c],
			"kind", c.kind, "reason", c.reason)
	}
}
