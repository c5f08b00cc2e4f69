package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic/search"
	"esrule/internal/event"
)

// isWhole reports whether a hit came with its document. Every index that is searched keeps one. It
// is an object, and an empty one only where the time that placed it in the window is not a part of
// it.
func (j *judge) isWhole(hit *search.Hit, mapping *event.Mapping) bool {
	text, isObject := bytes.CutPrefix(bytes.TrimSpace(hit.Document().Source), []byte("{"))
	if !isObject {
		return false
	}
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] != '}' {
		return true
	}
	return slices.ContainsFunc(j.target.Timestamps.Fields(), func(path string) bool {
		return mapping.Fields[path].NotInSource
	})
}

// sort makes failures of the indices whose hits were not judged. Strangers among them are none of
// those that the target's patterns stood for when it was searched: they were deleted or renamed
// meanwhile, or the answer is not Elasticsearch's.
func (j *judge) sort(reached []string) {
	fail := func(index, reason string) {
		j.outcome.Failures = append(j.outcome.Failures, Failure{Index: index, Reason: reason})
	}
	isThere := func(index string) bool {
		failed := func(f Failure) bool { return f.Index == index }
		return slices.Contains(reached, index) || slices.ContainsFunc(j.outcome.Failures, failed)
	}
	for index := range j.unknown {
		if !isThere(index) && !strings.Contains(index, ":") { // of this cluster
			j.outcome.strangers = append(j.outcome.strangers, index)
		}
		fail(index, "its mapping could not be read: what its fields are is not known")
	}
	slices.Sort(j.outcome.strangers)
	for index, id := range j.unplaced {
		fail(index, fmt.Sprintf("document %s, and maybe others, has no %s that can be read as a "+
			"time, by which events are put in order", id, timestamp))
	}
	for index, id := range j.unanswered {
		fail(index, fmt.Sprintf("document %s, and maybe others, came without matched_queries, in "+
			"which the index says of an event what only its analyzers know: check what is "+
			"between esrule and Elasticsearch (a gateway, a proxy)", id))
	}
	for index, id := range j.partial {
		fail(index, fmt.Sprintf(
			"document %s, and maybe others, came without its _source: give the role "+
				"all fields and documents of the index, or check what is between esrule and "+
				"Elasticsearch "+
				"(a gateway, a proxy)", id))
	}
}

// strangerError is hits of indices that were not asked for, more than once.
type strangerError struct{ indices, patterns []string }

func (e *strangerError) Error() string {
	return fmt.Sprintf("the answers hold documents of %s, and %s stands for no such index: they count "+
		"for nothing; check what is between esrule and Elasticsearch (a gateway, a proxy)",
		strings.Join(e.indices, ", "), strings.Join(e.patterns, ","))
}
