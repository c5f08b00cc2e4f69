package elastic

import "fmt"

// Shards is the `_shards` of an answer: how many shards took part in it.
type Shards struct {
	Total      *int           `json:"total"`
	Successful *int           `json:"successful"` // those skipped among them
	Skipped    int            `json:"skipped"`
	Failed     *int           `json:"failed"`
	Failures   []ShardFailure `json:"failures"` // alike ones may be one entry
}

// Missing implements Complete; a nil Shards misses all.
func (s *Shards) Missing() string {
	switch {
	case s == nil:
		return "_shards"
	case s.Total == nil:
		return "_shards.total"
	case s.Successful == nil:
		return "_shards.successful"
	case s.Failed == nil:
		return "_shards.failed"
	}
	return ""
}

// Contradiction implements Consistent. Fewer shards than the total are no contradiction: the others
// did not answer.
func (s *Shards) Contradiction() string {
	total, successful, failed := *s.Total, *s.Successful, *s.Failed
	switch {
	case total < 0 || successful < 0 || failed < 0 || s.Skipped < 0:
		return "a number in _shards is below 0"
	case successful+failed > total:
		return fmt.Sprintf("of %d shards %d were successful and %d failed", total, successful,
			failed)
	case s.Skipped > successful:
		return fmt.Sprintf("%d shards were skipped, and %d successful with those", s.Skipped,
			successful)
	case len(s.Failures) > failed:
		return fmt.Sprintf("_shards.failed is %d, and %d failures are listed", failed,
			len(s.Failures))
	}
	return ""
}

// Total is the `hits.total` of an answer to a search.
type Total struct {
	Value    *int64 `json:"value"`
	Relation string `json:"relation"`
}

// Missing implements Complete; a nil Total misses all.
func (t *Total) Missing() string {
	switch {
	case t == nil:
		return "hits.total"
	case t.Value == nil:
		return "hits.total.value"
	case t.Relation == "":
		return "hits.total.relation"
	}
	return ""
}

// Contradiction reports that an answer has more hits than it counts. A nil Total counts nothing: it
// is sent only where the search asks for it.
func (t *Total) Contradiction(hits int) string {
	if t != nil && t.Value != nil && *t.Value < int64(hits) {
		return fmt.Sprintf("hits.total is %d, and there are %d hits", *t.Value, hits)
	}
	return ""
}
