package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

// Reader is what a survey reads of Elasticsearch. *search.Cluster is one.
type Reader interface {
	Indices(ctx context.Context, patterns []string) ([]string, error)
	Closed(ctx context.Context, patterns []string) ([]string, error)
	detect.Mapper
	Resolve(ctx context.Context, patterns []string) (*search.Resolution, error)
	Privileges(ctx context.Context, patterns []string) ([]search.MissingPrivilege, error)
	Count(ctx context.Context, patterns []string, query dsl.Clause) (search.Count, error)
	OpenPointInTime(ctx context.Context, patterns []string) (*search.PointInTime, error)
	Unanswered(ctx context.Context, patterns []string) ([]search.Failure, []string, error)
	Histogram(ctx context.Context, patterns []string, query dsl.Clause, dateField string,
		width time.Duration) (search.Histogram, error)
}

// Survey makes plans. It only reads.
type Survey struct {
	Cluster Reader
	// Own are the program's indices. Only signals are read for events, by rules that look there.
	Own []string
	// SliceSize is how many candidates a slice is to hold; 0 is a share of the whole that suits its
	// size.
	SliceSize int64
	Now       func() time.Time
}

// Plan looks at what the rules' patterns hold, and cuts the range.
func (s *Survey) Plan(ctx context.Context, r Request,
	detections []*detect.Detection) (*Plan, error) {
	p := &Plan{Kind: "backfill", Version: planVersion, ID: PlanID(r, detections), Request: r,
		MadeAt: s.Now().UTC().Truncate(time.Millisecond)}
	readable, there := map[string]bool{}, map[string]bool{}
	for _, d := range detections {
		for _, pattern := range indexpattern.Adding(d.Patterns) {
			label := labelOf(d.Patterns, pattern)
			if _, known := readable[label]; known {
				continue
			}
			source, may, err := s.source(ctx, label, r.Range)
			if errors.Is(err, elastic.ErrForbidden) { // the others can be searched
				source.Unsearched = append(source.Unsearched, detect.Failure{Index: label,
					Reason: fmt.Sprintf("it may not be read (%v), then run the same with --restart",
						err)})
				source.Indices, may, err = nil, false, nil
			}
			if err != nil {
				return nil, fmt.Errorf("look at %s: %w", label, err)
			}
			readable[label], there[label] = may, len(source.Indices) > 0
			p.Sources = append(p.Sources, source)
		}
	}
	var unjudged lacks
	left := joined(detections, func(label string) bool { return readable[label] },
		s.resolve(ctx, detections))
	for len(left) > 0 {
		one := left[0]
		left = left[1:]
		part := one.part()
		part.Cuts, part.Weights = cut(r.Range, nil, 1)
		if !slices.ContainsFunc(one.detections, func(d *detect.Detection) bool {
			return slices.ContainsFunc(d.Patterns, func(pattern string) bool {
				return there[labelOf(d.Patterns, pattern)]
			})
		}) {
			// nothing to measure; an index that comes meanwhile is searched
			p.Parts = append(p.Parts, part)
			continue
		}
		failures, apart, err := s.measure(ctx, one, &part, r.Range)
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", one.name(), err)
		}
		if apart != nil {
			left = append(apart, left...)
			continue
		}
		p.Parts = append(p.Parts, part)
		unjudged.add(failures, part.IDs())
	}
	p.leaveOut(unjudged.named(len(detections)))
	return p, nil
}

// resolve asks what the patterns of all rules stand for. With one list of patterns, or where it
// cannot be told, there is no answer.
func (s *Survey) resolve(ctx context.Context, detections []*detect.Detection) *search.Resolution {
	patterns, same := indexpattern.Union(patternsOf(detections))
	if same {
		return nil
	}
	known, err := s.Cluster.Resolve(ctx, patterns)
	if err != nil {
		return nil // rules over equal lists are searched together
	}
	return known
}

// leaveOut enters indices whose events cannot be judged under the first pattern that holds them.
func (p *Plan) leaveOut(unjudged []detect.Failure) {
	for _, f := range unjudged {
		at := slices.IndexFunc(p.Sources, func(s Source) bool {
			return slices.Contains(s.Indices, f.Index)
		})
		if at >= 0 && !slices.Contains(p.Sources[at].Unsearched, f) {
			p.Sources[at].Unsearched = append(p.Sources[at].Unsearched, f)
		}
	}
}

// labelOf is one pattern of a list with its exclusions, as Elasticsearch takes it:
// "logs-*,-logs-old-*".
func labelOf(patterns []string, pattern string) string {
	return strings.Join(indexpattern.Alone(patterns, pattern), ",")
}

// source looks at one pattern, with its exclusions. may reports whether any of it can be read.
func (s *Survey) source(ctx context.Context, label string,
	within span.Interval) (source Source, may bool, err error) {
	source = Source{Pattern: label}
	patterns, open, err := detect.Searchable(ctx, s.Cluster, strings.Split(label, ","))
	if err != nil {
		return source, false, err
	}
	for _, f := range open {
		f.Reason += ", then run the same with --restart"
		source.Unsearched = append(source.Unsearched, f)
	}
	if len(patterns) == 0 {
		return source, false, nil
	}
	if err := s.indices(ctx, &source); err != nil {
		return source, false, err
	}
	notOwn := dsl.Not(dsl.Terms("_index", s.unread(label)))
	inRange, err := s.Cluster.Count(ctx, patterns,
		dsl.And(dsl.Between("@timestamp", within.From, within.To), notOwn))
	if err != nil {
		return source, false, err
	}
	timeless, err := s.Cluster.Count(ctx, patterns,
		dsl.And(dsl.Not(dsl.Exists("@timestamp")), notOwn))
	if err != nil {
		return source, false, err
	}
	source.Documents, source.Timeless = inRange.Documents, timeless.Documents
	for _, f := range inRange.Failures {
		source.Silent = append(source.Silent, detect.Failure{Index: f.Index, Reason: f.Reason})
	}
	return source, true, nil
}

// indices lists what the pattern stands for, open and closed.
func (s *Survey) indices(ctx context.Context, source *Source) error {
	open, err := s.Cluster.Indices(ctx, []string{source.Pattern})
	if err != nil {
		return err
	}
	closed, err := s.Cluster.Closed(ctx, []string{source.Pattern})
	if err != nil {
		return err
	}
	for _, index := range closed {
		source.Unsearched = append(source.Unsearched,
			detect.Failure{Index: index,
				Reason: "it is closed: open it, then run the same with --restart"})
	}
	own := s.unread(source.Pattern)
	source.Indices = slices.DeleteFunc(open, func(index string) bool {
		return slices.Contains(closed, index) || slices.Contains(own, index)
	})
	return nil
}

// unread are the program's own indices that are not read where a pattern is searched: only rules
// over signals name one of them.
func (s *Survey) unread(pattern string) []string {
	return detect.Where{Signals: pattern}.Unread(s.Own)
}

// measure finds where the candidates of rules lie, and cuts between them. apart are the rules as
// they are to be searched where they cannot be searched together, since some index can be judged
// for a part of them only.
func (s *Survey) measure(ctx context.Context, rules joint, part *Part,
	within span.Interval) (unjudged []detect.Failure, apart []joint, err error) {
	group, err := detect.NewGroup(rules.detections)
	if err != nil {
		return nil, nil, err
	}
	classes, err := group.Classes(ctx, s.Cluster, part.Patterns)
	if err != nil {
		return nil, nil, err
	}
	queries := func(w span.Interval) (queries []dsl.Clause, every dsl.Clause) {
		queries, every, _, _ = group.Queries(classes, detect.ByTimestamp(), w, s.Own)
		return queries, every
	}
	all, _, unjudged, places := group.Queries(classes, detect.ByTimestamp(), within, s.Own)
	if all == nil {
		return nil, rules.without(places), nil
	}
	density := density{cluster: s.Cluster, patterns: part.Patterns, queries: queries}
	spans, size, err := density.measure(ctx, within, s.SliceSize)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range spans {
		part.Candidates += one.documents
	}
	part.Cuts, part.Weights = cut(within, spans, size)
	return unjudged, nil, nil
}

// Changes are the indices that a plan's patterns stand for now and did not when it was made, and
// the other way round.
type Changes struct{ Gone, New []string }

// Changes compares the plan with what is there now. What could not be searched when the plan was
// made is not looked at again. The changes hold for all patterns but those that the error names.
func (s *Survey) Changes(ctx context.Context, p *Plan) (Changes, error) {
	var before, after []string
	var errs []error
	for _, source := range p.Sources {
		if indexpattern.NotSearched(source.Pattern) != "" || source.isBarred() {
			continue
		}
		now := Source{Pattern: source.Pattern}
		if err := s.indices(ctx, &now); err != nil {
			errs = append(errs, fmt.Errorf("look at %s again: %w", source.Pattern, err))
			continue
		}
		before, after = append(before, source.Indices...), append(after, now.Indices...)
	}
	return Changes{Gone: without(before, after), New: without(after, before)}, errors.Join(errs...)
}

// isBarred reports whether nothing of a pattern could be read when the plan was made.
func (s Source) isBarred() bool {
	patterns := strings.Split(s.Pattern, ",")
	return len(s.Indices) == 0 && slices.ContainsFunc(s.Unsearched, func(f detect.Failure) bool {
		return f.Index == s.Pattern || slices.Contains(patterns, f.Index)
	})
}

func without(all, some []string) []string {
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(slices.Clone(all)), func(index string) bool {
		return slices.Contains(some, index)
	})
}
