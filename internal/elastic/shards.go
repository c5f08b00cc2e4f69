package elastic

// Shards is the `_shards` of an answer: how many shards took part in it.
type Shards struct {
	Total      *int           `json:"total"`
	Successful *int           `json:"successful"` // those skipped among them
	Skipped    int            `json:"skipped"`
	Failed     *int           `json:"failed"`
	Failures   []ShardFailure `json:"failures"` // alike ones may be one entry
}

// Check implements Checked; a nil Shards lacks all. Fewer shards than the total are no
// contradiction: the others did not answer.
func (s *Shards) Check() error {
	switch {
	case s == nil:
		return Lacks("_shards")
	case s.Total == nil:
		return Lacks("_shards.total")
	case s.Successful == nil:
		return Lacks("_shards.successful")
	case s.Failed == nil:
		return Lacks("_shards.failed")
	}
	total, successful, failed := *s.Total, *s.Successful, *s.Failed
	switch {
	case total < 0 || successful < 0 || failed < 0 || s.Skipped < 0:
		return Contradicts("a number in _shards is below 0")
	case successful+failed > total:
		return Contradicts("of %d shards %d were successful and %d failed", total, successful,
			failed)
	case s.Skipped > successful:
		return Contradicts("%d shards were skipped, and %d successful with those", s.Skipped,
			successful)
	case len(s.Failures) > failed:
		return Contradicts("_shards.failed is %d, and %d failures are listed", failed,
			len(s.Failures))
	}
	return nil
}

// Total is the `hits.total` of an answer to a search.
type Total struct {
	Value    *int64 `json:"value"`
	Relation string `json:"relation"`
}

// Check implements Checked; a nil Total lacks all.
func (t *Total) Check() error {
	switch {
	case t == nil:
		return Lacks("hits.total")
	case t.Value == nil:
		return Lacks("hits.total.value")
	case t.Relation == "":
		return Lacks("hits.total.relation")
	}
	return nil
}

// CheckHits returns an error where an answer has more hits than it counts. A nil Total counts
// nothing: it is sent only where the search asks for it.
func (t *Total) CheckHits(hits int) error {
	if t != nil && t.Value != nil && *t.Value < int64(hits) {
		return Contradicts("hits.total is %d, and there are %d hits", *t.Value, hits)
	}
	return nil
}
