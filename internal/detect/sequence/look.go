package sequence

import "esrule/internal/query/match"

// Look is what a judge needs of an event: which of the plan's matchers accept it, and its keys. It
// holds nothing of the event itself, so that the looks of many events can be kept and put in order
// before they are judged.
type Look struct {
	accepted uint64         // bit i is that of the matcher i
	keys     []combinations // by key list; of those that an accepting query asks for
}

// mostQueries is how many queries a statement has at most.
const mostQueries = 64

// Look looks at an event that is accepted by those of [Plan.Matchers] that accepts reports. ok is
// false where none is: the judge has no need of it.
func (p *Plan) Look(e *match.Evaluation, accepts func(matcher int) bool) (l Look, ok bool) {
	for i := range p.matchers {
		if accepts(i) {
			l.accepted |= 1 << i
		}
	}
	if l.accepted == 0 {
		return l, false
	}
	l.keys = make([]combinations, len(p.keyLists))
	for list, keys := range p.keyLists {
		if l.accepted&p.ofList[list] != 0 {
			l.keys[list].read(e, keys)
		}
	}
	return l, true
}
