package rule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns the known word that a misspelt one is most likely meant to be, empty where none
// is near.
func nearest(word string, known []string) string {
	known = slices.Sorted(slices.Values(known)) // a tie goes the same way each time
	distance := func(w string) int { return levenshtein.Distance(word, w, nil) }
	if len(known) == 0 || len(word) > 100 {
		return ""
	}
	longer := func(w string) bool { return len(word) >= 4 && strings.HasPrefix(w, word) }
	// "exceptions" is exceptions_list, far as that is
	if i := slices.IndexFunc(known, longer); i >= 0 {
		return known[i]
	}
	best := slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(distance(a), distance(b))
	})
	if distance(best) > max(1, len(word)/2) {
		return ""
	}
	return best
}
