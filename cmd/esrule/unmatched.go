package main

import (
	"context"
	"log/slog"
	"slices"

	"esrule/internal/detect"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
)

// unmatched watches for patterns that no index matches, and exclusions that take nothing out. The
// first count as covered, since there is nothing to search; yet a source that has stopped sending
// looks the same as one that is misspelt, so each is named, once.
type unmatched struct {
	reader *search.Cluster
	log    *slog.Logger
	told   map[string]bool
	// excluded are the exclusions that were named.
	excluded map[string]bool
}

func newUnmatched(reader *search.Cluster, log *slog.Logger) *unmatched {
	return &unmatched{reader: reader, log: log, told: map[string]bool{},
		excluded: map[string]bool{}}
}

// look gives how many patterns match nothing. It is advice only: of a pattern that cannot be asked
// about, what was known before holds.
func (u *unmatched) look(ctx context.Context, detections []*detect.Detection) int {
	asked := map[string]bool{}
	none := map[string]bool{}
	var fresh []string
	known := u.resolve(ctx, detections)
	for _, d := range detections {
		u.exclusions(ctx, d.Patterns)
		for _, pattern := range indexpattern.Adding(d.Patterns) {
			if indexpattern.NotSearched(pattern) != "" {
				continue // it stays open under its own name
			}
			if asked[pattern] {
				continue
			}
			asked[pattern] = true
			some, err := u.matches(ctx, known, indexpattern.Alone(d.Patterns, pattern))
			if err == nil && !some || err != nil && u.told[pattern] {
				none[pattern] = true
			}
			if none[pattern] && !u.told[pattern] {
				fresh = append(fresh, pattern)
			}
		}
	}
	u.tell(fresh)
	u.told = none
	return len(none)
}

// mostPatterns is how many patterns a line of the log lists.
const mostPatterns = 50

// tell names patterns that no index matches, each in a line where they are few.
func (u *unmatched) tell(patterns []string) {
	if len(patterns) > fewRules {
		slices.Sort(patterns)
		u.log.Warn("no index that may be read matches some patterns: nothing is searched there "+
			"until one does", "pattern_count", len(patterns), "patterns",
			patterns[:min(len(patterns), mostPatterns)])
		return
	}
	for _, pattern := range patterns {
		u.log.Warn("no index that may be read matches a pattern: nothing is searched there until "+
			"one does", "pattern", pattern)
	}
}

// resolve asks what all patterns stand for, at once; nil where that cannot be told.
func (u *unmatched) resolve(ctx context.Context,
	detections []*detect.Detection) *search.Resolution {
	var all []string
	for _, d := range detections {
		all = append(all, d.Patterns...)
	}
	known, err := u.reader.Resolve(ctx, all)
	if err != nil {
		u.log.Debug("what all patterns stand for was not asked at once", "error", err)
		return nil
	}
	return known
}

// matches reports whether there is an index that a search of the patterns reads.
func (u *unmatched) matches(ctx context.Context, known *search.Resolution,
	patterns []string) (bool, error) {
	if known != nil {
		if indices, ok := known.Indices(patterns); ok {
			return len(indices) > 0, nil
		}
	}
	indices, err := u.reader.Indices(ctx, patterns)
	return len(indices) > 0, err
}

// exclusions names those that take nothing out, once.
func (u *unmatched) exclusions(ctx context.Context, patterns []string) {
	names, err := u.reader.ExcludedNames(ctx, patterns)
	if err != nil {
		u.log.Debug("whether exclusions take something out was not asked", "patterns", patterns,
			"error", err)
	}
	for _, name := range names {
		if !u.excluded[name] {
			u.excluded[name] = true
			u.log.Warn(indexpattern.TakesNothingOut(name), "patterns", patterns)
		}
	}
}
