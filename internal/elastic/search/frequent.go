package search

import (
	"context"
	"encoding/json"
	"strconv"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
)

// Counting asks which values of a field documents have most often.
type Counting struct {
	// Of are the documents, among those that the request finds, and Apart those of them that are
	// counted beside.
	Of, Apart dsl.Clause
	Field     string
}

// Frequent is the most frequent values of a field.
type Frequent struct {
	Documents int64 // all of them
	Apart     int64
	// Values are how many documents have a value, or up to Error more than that.
	Values map[string]int64
	Error  int64
	// Rest is how many documents have a value that is not among Values, at most.
	Rest int64
}

// FrequentValues is how many values of a field are returned at most, and how many a shard looks at.
const (
	FrequentValues  = 1000
	valuesFromShard = 5000
)

// Frequent counts the values of fields of the documents that a query finds. Where a gateway does
// not let so much through at once, it asks for halves of them. ok is false where not everything
// answers: it is asked to save work, and what fails is no failure of the point in time.
func (p *PointInTime) Frequent(ctx context.Context, query dsl.Clause,
	asked []Counting) (found []Frequent, ok bool, err error) {
	if len(p.parts) > 0 || p.Empty() || isRemote(p.patterns) {
		return nil, false, nil
	}
	var answer frequentAnswer
	err = p.cluster.ask(ctx, p.frequent(query, asked), &answer)
	if tooMuch(err) && len(asked) > 1 {
		half := len(asked) / 2
		first, ok, err := p.Frequent(ctx, query, asked[:half])
		if !ok || err != nil {
			return nil, false, err
		}
		second, ok, err := p.Frequent(ctx, query, asked[half:])
		return append(first, second...), ok, err
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
		p.cluster.options.Logger.Debug("the values of fields could not be counted: all "+
			"candidates are read", "error", err)
		return nil, false, nil
	}
	p.renew(answer.ID)
	a, f := answer.answer(), fetcher{pit: p}
	if len(f.lost(a, a.unread(p.cluster.options.Timeout))) > 0 {
		return nil, false, nil
	}
	found, err = answer.frequent(len(asked))
	return found, err == nil, err
}

func (p *PointInTime) frequent(query dsl.Clause, asked []Counting) call {
	counts := map[string]any{}
	for i, one := range asked {
		counts[strconv.Itoa(i)] = map[string]any{"filter": one.Of, "aggs": map[string]any{
			"values": map[string]any{"terms": map[string]any{"field": one.Field,
				"size": FrequentValues, "shard_size": valuesFromShard}},
			"apart": map[string]any{"filter": one.Apart},
		}}
	}
	return p.aggregate(query, counts)
}

type frequentAnswer struct {
	portions
	Aggregations map[string]countedValues `json:"aggregations"`
}

type countedValues struct {
	Documents *int64 `json:"doc_count"`
	Apart     struct {
		Documents *int64 `json:"doc_count"`
	} `json:"apart"`
	Values struct {
		Error   *int64 `json:"doc_count_error_upper_bound"`
		Other   *int64 `json:"sum_other_doc_count"`
		Buckets []struct {
			Key       json.RawMessage `json:"key"`
			Documents *int64          `json:"doc_count"`
		} `json:"buckets"`
	} `json:"values"`
}

func (f *frequentAnswer) Check() error { return f.whole(true) }

// frequent reads the counts, of which there must be so many.
func (f *frequentAnswer) frequent(asked int) ([]Frequent, error) {
	found := make([]Frequent, asked)
	for i := range found {
		c, ok := f.Aggregations[strconv.Itoa(i)]
		if !ok {
			return nil, elastic.Lacks("aggregation " + strconv.Itoa(i))
		}
		var err error
		if found[i], err = c.frequent(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *countedValues) frequent() (Frequent, error) {
	v := c.Values
	if c.Documents == nil || c.Apart.Documents == nil || v.Error == nil || v.Other == nil {
		return Frequent{}, elastic.Lacks("count of an aggregation")
	}
	if *v.Error < 0 || *v.Other < 0 {
		return Frequent{}, elastic.Contradicts("it does not say how exact its counts are")
	}
	f := Frequent{Documents: *c.Documents, Apart: *c.Apart.Documents, Error: *v.Error,
		Rest: *v.Error, Values: map[string]int64{}}
	least := int64(0)
	for i, b := range v.Buckets {
		if b.Documents == nil || len(b.Key) == 0 {
			return Frequent{}, elastic.Lacks("key or doc_count of a bucket")
		}
		if i == 0 || *b.Documents < least {
			least = *b.Documents
		}
		key := string(b.Key)
		if b.Key[0] == '"' {
			if err := json.Unmarshal(b.Key, &key); err != nil {
				return Frequent{}, err
			}
		}
		f.Values[key] = *b.Documents
	}
	if len(v.Buckets) >= FrequentValues { // others were left out
		f.Rest += least
	}
	return f, nil
}
