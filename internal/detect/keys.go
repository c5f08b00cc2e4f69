package detect

import (
	"context"
	"errors"
	"slices"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/prefilter"
	"esrule/internal/span"
)

// fewEvents is how many candidates of a window are read and counted as they are. Where there are
// more, the cluster is asked which values could reach a threshold, and the window is read anew for
// the events of these.
const fewEvents = 5000

// errMany ends the reading of a piece that may have many events which count for nothing.
var errMany = errors.New("the cluster can tell which of so many events may count")

// keys are what a rule's events must have to be counted for a key that could reach its threshold.
// The zero value is nothing.
type keys []keyValues

// keyValues are the values of a field that enough events have.
type keyValues struct {
	path   string
	values []string
}

// clause accepts the events of indices of a mapping that may have such a key, those among them of
// which the index does not say which values they have.
func (k keys) clause(m *event.Mapping) dsl.Clause {
	all := make([]dsl.Clause, len(k))
	for i, f := range k {
		all[i] = apart(f.path, m)
		if m.Fields[f.path].Type != event.Unmapped && len(f.values) > 0 {
			all[i] = dsl.Or(dsl.Terms(f.path, f.values), all[i])
		}
	}
	return dsl.And(all...)
}

// apart accepts the events of which the index may not have all values of a field: one was left out
// of it, or the field may have been mapped later. Where the field is not mapped, no event has one.
func apart(path string, m *event.Mapping) dsl.Clause {
	if m.Fields[path].Type == event.Unmapped {
		return dsl.Nothing()
	}
	return dsl.Or(dsl.Not(dsl.Exists(path)), dsl.Ignored(path))
}

// isCounted reports whether an index counts the values of a field as esrule reads them, but for
// the events that [apart] accepts.
func isCounted(path string, f event.FieldMapping) bool {
	isPlain := f.Exact == path && f.SourcePath == "" && f.Nested == "" && !f.FromFields &&
		f.Normalizer == nil && !f.HasNullValue && len(f.Copied) == 0 && !f.Unsearchable &&
		!f.Unindexed
	return isPlain && (f.Type == event.Keyword && f.Name == "keyword" ||
		f.Type == event.Integer || f.Type == event.IP)
}

const (
	// countedTogether bounds the fields that one request counts: each may have 1,000 values in the
	// answer, and a server returns 65,536.
	countedTogether = 30
	// countedClasses bounds the mappings: a query has no room for more.
	countedClasses = 50
)

// narrow asks the cluster which keys could reach the thresholds of the group's rules, of the events
// of a time, and keeps what narrows the search to these. A value that fewer events have than the
// rule asks for reaches nothing, whatever else they have. Where it is not sure what the index
// counts, or where it spares too little, all events are read.
func (s *gathering) narrow(ctx context.Context, around span.Interval) error {
	s.keys = map[int]keys{}
	asked, of := s.countings()
	if len(asked) == 0 {
		return nil
	}
	window := s.within(func(m *event.Mapping) dsl.Clause {
		return prefilter.Between(m, s.target.Timestamps, around.From, around.To)
	})
	found, ok, err := s.pit.Frequent(ctx, window, asked)
	if err != nil || !ok {
		return err
	}
	all := map[int]int64{}  // the candidates of a rule, and
	read := map[int]int64{} // those that have to be read at most
	for i, f := range found {
		rule := of[i]
		values, documents, ok := reaching(f, int64(s.group.matchers.Compiled[rule].Threshold.Value))
		if !ok {
			continue
		}
		s.keys[rule] = append(s.keys[rule], keyValues{asked[i].Field, values})
		if least, known := read[rule]; !known || documents < least {
			read[rule] = documents
		}
		all[rule] = f.Documents
	}
	for rule := range s.keys {
		if read[rule] > all[rule]/2 {
			delete(s.keys, rule)
			continue
		}
		s.coverer.Log.Debug("only events are read whose keys could reach the threshold",
			"rule", s.group.detections[rule].Rule.ID, "candidates", all[rule], "read", read[rule])
	}
	return nil
}

// reaching returns the values that enough documents may have to reach a threshold, and how many
// documents have one of them or may have any value; ok is false where others may reach it too.
func reaching(f search.Frequent, threshold int64) (values []string, documents int64, ok bool) {
	least := threshold - f.Apart // of those that the index has
	if f.Rest >= least || least <= 0 {
		return nil, 0, false
	}
	documents = f.Apart
	for value, n := range f.Values {
		if n+f.Error >= least {
			values, documents = append(values, value), documents+n+f.Error
		}
	}
	slices.Sort(values)
	return values, documents, true
}

// countings are the fields whose values are to be counted, and the rules that they are of.
func (s *gathering) countings() (asked []search.Counting, of []int) {
	if len(s.classes) > countedClasses {
		return nil, nil
	}
	for i := range s.group.matchers.Compiled {
		c := &s.group.matchers.Compiled[i]
		for _, path := range c.Threshold.Fields {
			if len(asked) == countedTogether || !s.counts(path) {
				continue
			}
			candidates := s.within(func(m *event.Mapping) dsl.Clause {
				return prefilter.Build(c.Matchers[0].Condition(), m).Clause
			})
			uncertain := s.within(func(m *event.Mapping) dsl.Clause { return apart(path, m) })
			asked = append(asked, search.Counting{Of: candidates, Apart: uncertain, Field: path})
			of = append(of, i)
		}
	}
	return asked, of
}

// counts reports whether all indices count a field's values alike, and as esrule reads them.
func (s *gathering) counts(path string) bool {
	kind := event.Unmapped
	for _, c := range s.classes {
		f := c.Mapping.Fields[path]
		if f.Type == event.Unmapped {
			continue
		}
		if !isCounted(path, f) || kind != event.Unmapped && kind != f.Type {
			return false
		}
		kind = f.Type
	}
	return kind != event.Unmapped
}

// within guards what is asked of each mapping by the names of its indices.
func (s *gathering) within(of func(*event.Mapping) dsl.Clause) dsl.Clause {
	classes := make([]prefilter.Class, len(s.classes))
	for i, c := range s.classes {
		classes[i] = prefilter.Class{Indices: c.Indices, Window: dsl.Everything(),
			Filter: of(c.Mapping)}
	}
	return prefilter.Guarded(classes, dsl.Nothing())
}
