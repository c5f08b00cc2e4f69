package search

import (
	"cmp"
	"strings"

	"esrule/internal/event"
)

// analyzers is what the settings begin with that define an index's analyzers.
const analyzers = "index.analysis.analyzer."

const (
	defaultAnalyzer       = "default"
	defaultSearchAnalyzer = "default_search"
)

// words describes what makes words of a text field's values. A match_only_text names no analyzer
// and has the index's own.
func (r *fieldReader) words(path string, m mappedField) *event.Words {
	defined := r.settings[r.index].Settings
	w := &event.Words{Analyzer: cmp.Or(m.Analyzer, defaultAnalyzer)}
	search := cmp.Or(m.SearchAnalyzer, m.Analyzer)
	if search == "" && defined.defines(defaultSearchAnalyzer) {
		search = defaultSearchAnalyzer
	}
	w.Standard = (m.Type == "text" || m.Type == "match_only_text") &&
		(m.PositionGap == nil || *m.PositionGap > 0) &&
		defined.isStandard(w.Analyzer) &&
		defined.isStandard(cmp.Or(search, defaultAnalyzer)) &&
		defined.isStandard(cmp.Or(m.SearchQuoteAnalyzer, search, defaultAnalyzer))
	w.NoPhrases = m.IndexOptions == "docs" || m.IndexOptions == "freqs"
	_, shadowed := r.whole[r.index].runtime[path]
	if m.indexed() && !shadowed {
		w.Field = path
	}
	return w
}

func (s settings) defines(analyzer string) bool {
	for name := range s {
		if strings.HasPrefix(name, analyzers+analyzer+".") {
			return true
		}
	}
	return false
}

// isStandard reports whether an analyzer is Elasticsearch's standard analyzer with its defaults: by
// its own name or as the index's default, unless the index defines another under that name.
func (s settings) isStandard(analyzer string) bool {
	if !s.defines(analyzer) {
		return analyzer == "standard" || analyzer == defaultAnalyzer
	}
	for name, value := range s {
		parameter, own := strings.CutPrefix(name, analyzers+analyzer+".")
		if own && (parameter != "type" || text(value) != "standard") {
			return false
		}
	}
	return true
}
