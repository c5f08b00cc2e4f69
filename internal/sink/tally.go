package sink

import (
	"log/slog"

	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// tally counts signals that were refused for the same reason: a thousand of them are one line in
// the log.
type tally struct {
	order  []complaint
	counts map[complaint]int
	first  map[complaint]signal.ID
}

// complaint is what may be logged of a refusal: Elasticsearch's reason quotes the document, its
// type does not.
type complaint struct {
	rule   rule.ID
	status int
	typ    string
}

func (t *tally) add(p pending) {
	if p.refusal == nil {
		return
	}
	if t.counts == nil {
		t.counts, t.first = map[complaint]int{}, map[complaint]signal.ID{}
	}
	c := complaint{p.signal.Match.Rule.ID, p.refusal.status, p.refusal.typ}
	if t.counts[c]++; t.counts[c] == 1 {
		t.order = append(t.order, c)
		t.first[c] = p.signal.ID
	}
}

func (t *tally) log(l *slog.Logger, note, index string) {
	for _, c := range t.order {
		l.Warn(note, "rule", c.rule, "index", index, "signals", t.counts[c], "refused", c.typ,
			"status", c.status,
			"first", t.first[c])
	}
}
