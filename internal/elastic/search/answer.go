package search

import (
	"encoding/json"

	"esrule/internal/elastic"
)

// answer is a search's answer but for its hits.
type answer struct {
	id         string
	timedOut   bool
	total      int // shards that were to be searched
	successful int
	failed     int
	shards     []elastic.ShardFailure
	clusters   *clustersSum // nil where no remote cluster was asked

	// These are known only where all of the answer was gone over.
	hits  int
	after json.RawMessage // the last hit's place
}

// portions is the part of an answer to a search that is no hit.
type portions struct {
	ID       string          `json:"pit_id"`
	Took     int64           `json:"took"`
	TimedOut *bool           `json:"timed_out"`
	Early    bool            `json:"terminated_early"`
	Shards   *elastic.Shards `json:"_shards"`
	// Clusters is there where a remote cluster was asked.
	Clusters *clustersSum `json:"_clusters"`
}

// Check implements elastic.Checked for what every answer to a search has beside its hits.
func (p *portions) Check() error {
	if p.TimedOut == nil {
		return elastic.Lacks("timed_out")
	}
	if err := p.Shards.Check(); err != nil {
		return err
	}
	if p.Early {
		return elastic.Contradicts(
			"terminated_early, which was not asked for: documents were left out")
	}
	return nil
}

// answer must be called after Check only.
func (p *portions) answer() answer {
	s := p.Shards
	return answer{id: p.ID, timedOut: *p.TimedOut, total: *s.Total, successful: *s.Successful,
		failed: *s.Failed, shards: s.Failures, clusters: p.Clusters}
}

// whole is Check for a page, which has a point in time and a list of hits besides; found reports
// whether it has the list.
func (p *portions) whole(found bool) error {
	switch err := p.Check(); {
	case err != nil:
		return err
	case p.ID == "":
		return elastic.Lacks("pit_id")
	case !found:
		return elastic.Lacks("hits")
	}
	return nil
}

// searchAnswer is an answer to a search that asks for no hits.
type searchAnswer struct {
	portions
	Hits *struct {
		Total *elastic.Total    `json:"total"` // only where the search asks for it
		Hits  []json.RawMessage `json:"hits"`
	} `json:"hits"`
}

func (s *searchAnswer) Check() error {
	switch err := s.portions.Check(); {
	case err != nil:
		return err
	case s.Hits == nil:
		return elastic.Lacks("hits")
	case len(s.Hits.Hits) > 0:
		return elastic.Contradicts("it has hits, and none were asked for")
	}
	return nil
}

// byIndex is an answer with an entry for each index, or other name, that has what was asked for. An
// answer without any is whole: no index has it.
type byIndex[T any] map[string]T

func (byIndex[T]) Check() error { return nil }

// nameSet is such an answer of which only the names matter.
type nameSet = byIndex[struct{}]
