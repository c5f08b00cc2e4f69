// Package words splits texts into words as Elasticsearch's analyzer `standard` does: at the word
// boundaries of Unicode (UAX #29), in lower case, and no word longer than 255 UTF-16 units.
//
// Package match uses it for the leaves of KQL over text fields: [Split] for a rule's constants,
// [Index] for an event's values. It knows no field and no mapping; whether a field has this
// analyzer is decided by others.
//
// The invariant to keep: a constant and a value are split by the same code, and the words are those
// that the index has (TestTokens, TestJudgeTokens).
package words
