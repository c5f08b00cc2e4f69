package search

import (
	"encoding/json"

	"esrule/internal/elastic"
)

// lacksError names what the protocol always sends and a page's answer does not hold.
type lacksError string

func (l lacksError) Error() string { return "the answer has no " + string(l) }

// contradictsError says how a page's answer contradicts itself.
type contradictsError string

func (c contradictsError) Error() string {
	return "the answer contradicts itself: " + string(c)
}

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

// Missing names what every answer to a search holds beside its hits and is not there.
func (p *portions) Missing() string {
	if p.TimedOut == nil {
		return "timed_out"
	}
	return p.Shards.Missing()
}

// Contradiction says what of an answer to a search that misses nothing cannot be true.
func (p *portions) Contradiction() string {
	if p.Early {
		return "terminated_early, which was not asked for: documents were left out"
	}
	return p.Shards.Contradiction()
}

// answer must be called of portions that miss nothing.
func (p *portions) answer() answer {
	s := p.Shards
	return answer{id: p.ID, timedOut: *p.TimedOut, total: *s.Total, successful: *s.Successful,
		failed: *s.Failed, shards: s.Failures, clusters: p.Clusters}
}

// whole returns an error where the answer for a page lacks what each has, or contradicts itself.
// found says whether it had a list of hits.
func (p *portions) whole(found bool) error {
	missing := p.Missing()
	switch {
	case missing != "":
		return lacksError(missing)
	case p.ID == "":
		return lacksError("pit_id")
	case !found:
		return lacksError("hits")
	}
	if what := p.Contradiction(); what != "" {
		return contradictsError(what)
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

func (s *searchAnswer) Missing() string {
	if missing := s.portions.Missing(); missing != "" {
		return missing
	}
	if s.Hits == nil {
		return "hits"
	}
	return ""
}

func (s *searchAnswer) Contradiction() string {
	if len(s.Hits.Hits) > 0 {
		return "it has hits, and none were asked for"
	}
	return s.portions.Contradiction()
}
