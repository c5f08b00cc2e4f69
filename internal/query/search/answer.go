package search

import (
	"encoding/json"

	"esrule/internal/elastic"
)

// lacksError names what the protocol always sends and a page's answer does not hold.
type lacksError string

func (l lacksError) Error() string { return "the answer has no " + string(l) }

// answer is a search's answer but for its hits.
type answer struct {
	id         string
	timedOut   bool
	total      int // shards that were to be searched
	successful int
	failed     int
	shards     []elastic.ShardFailure

	// These are known only where all of the answer was gone over.
	hits  int
	after json.RawMessage // the last hit's place
}

// portions is the part of an answer to a search that is no hit.
type portions struct {
	ID       string     `json:"pit_id"`
	Took     int64      `json:"took"`
	TimedOut *bool      `json:"timed_out"`
	Shards   *shardsSum `json:"_shards"`
}

// shardsSum is how many shards took part in an answer.
type shardsSum struct {
	Total      *int                   `json:"total"`
	Successful *int                   `json:"successful"`
	Failed     *int                   `json:"failed"`
	Failures   []elastic.ShardFailure `json:"failures"`
}

func (s *shardsSum) missing() string {
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

// missing names what every answer to a search holds beside its hits and is not there.
func (p *portions) missing() string {
	if p.TimedOut == nil {
		return "timed_out"
	}
	return p.Shards.missing()
}

// answer must be called of portions that miss nothing.
func (p *portions) answer() answer {
	s := p.Shards
	return answer{id: p.ID, timedOut: *p.TimedOut, total: *s.Total, successful: *s.Successful, failed: *s.Failed, shards: s.Failures}
}

// whole returns an error where the answer for a page lacks what each has. found says whether it had
// a list of hits.
func (p *portions) whole(found bool) error {
	missing := p.missing()
	switch {
	case missing != "":
		return lacksError(missing)
	case p.ID == "":
		return lacksError("pit_id")
	case !found:
		return lacksError("hits")
	}
	return nil
}

// searchAnswer is an answer to a search that asks for no hits.
type searchAnswer struct {
	portions
	Hits *struct {
		Total *struct {
			Value int64 `json:"value"`
		} `json:"total"` // only where the search asks for it
	} `json:"hits"`
}

func (s *searchAnswer) Missing() string {
	if missing := s.missing(); missing != "" {
		return missing
	}
	if s.Hits == nil {
		return "hits"
	}
	return ""
}
