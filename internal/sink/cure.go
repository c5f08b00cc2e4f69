package sink

import (
	"fmt"
	"net/http"
	"strings"
)

// indexError is an index that takes no signal in any form.
type indexError struct {
	index   string
	signals int
	refusal *serverError // of a signal without its event: what it quotes is nobody's secret
}

func (e *indexError) Error() string {
	why := fmt.Sprintf("each of %d signals is refused, without its event too, so the fault is "+
		"the index's",
		e.signals)
	if e.signals == 1 {
		why = "the only signal of this time is refused, without its event too. The fault is " +
			"probably the " +
			"index's; that it is the signal's shows only an index that takes another one of the same " +
			"time, so the time stays open"
	}
	return fmt.Sprintf("write to %s: %s: %s: %s; the next run writes what is taken then",
		e.index, why, cut(e.refusal.full(), 500), e.refusal.cure())
}

func (e *indexError) Unwrap() error { return e.refusal }

// cure says what the user can do about documents that are refused whatever they hold.
func (e *serverError) cure() string {
	says := func(text string) bool { return strings.Contains(e.reason+e.details, text) }
	switch {
	case e.status == http.StatusRequestEntityTooLarge, e.typ == notCarried:
		return "raise the limit of a request's body in what is between esrule and Elasticsearch " +
			"(a proxy, a gateway), and http.max_content_length of Elasticsearch"
	case e.status == http.StatusTooManyRequests:
		return "give the nodes more memory: they reject what is this large"
	case e.foreign():
		return "let what is between esrule and Elasticsearch (a proxy, a gateway) pass such requests"
	case says("pipeline with id"):
		return "create the ingest pipeline, or take it out of the index's settings " +
			"(index.default_pipeline, index.final_pipeline)"
	case says("Limit of total fields"):
		return "raise index.mapping.total_fields.limit of the index, or set dynamic to false in " +
			"its mapping"
	case e.typ == "strict_dynamic_mapping_exception":
		return "set dynamic to false in the mapping of the index"
	case e.typ == "routing_missing_exception":
		return "its mapping requires a routing, which signals do not have: make the index anew with " +
			"`esrule setup`"
	}
	return "see what its mapping and its ingest pipelines ask of a document, or make the index anew " +
		"with `esrule setup`"
}
