package rule

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// Fingerprint identifies what the rule alerts on, as hex SHA-256: its id, query, filters, patterns
// and the settings of time and category, or a language other than EQL. Prose, severity and schedule
// are no part of it, nor is the order of the patterns. It is stored in ledgers and plans: a new
// release must return the same for the same rule.
func (r *Rule) Fingerprint() string {
	patterns := slices.Clone(r.Index)
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)

	parts := []string{
		"1", // the version of this list
		string(r.ID),
		strings.TrimSpace(strings.ReplaceAll(r.Body.Text(), "\r\n", "\n")),
		r.TimestampOverride,
		strconv.FormatBool(r.TimestampOverrideFallbackDisabled),
	}
	body := r.Body.Event()
	if threshold, ok := r.Body.(*ThresholdQuery); ok {
		parts = append(parts, threshold.parts(r.From)...)
	}
	if indicator, ok := r.Body.(*IndicatorQuery); ok {
		parts = append(parts, indicator.parts()...)
	}
	if sequence, ok := r.Body.(*SequenceQuery); ok {
		parts = append(parts, "sequence", sequence.TiebreakerField,
			cmp.Or(sequence.Queries()[0].CategoryField, cond.DefaultCategoryField))
	}
	switch {
	case r.Language == "kuery":
		parts = append(parts, r.Language)
	case body != nil:
		parts = append(parts, cmp.Or(body.Query.CategoryField, cond.DefaultCategoryField))
	}
	if body != nil && len(body.Filters) > 0 {
		parts = append(parts, string(body.Filters))
	}
	if terms, ok := r.Body.(*NewTermsQuery); ok {
		parts = append(parts, "new_terms", terms.History.String())
		parts = append(parts, terms.Fields...)
	}
	hash := sha256.New()
	var length [8]byte
	for _, part := range append(parts, patterns...) {
		// Lengths keep ("ab", "c") and ("a", "bc") apart.
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return hex.EncodeToString(hash.Sum(nil))
}
