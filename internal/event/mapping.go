package event

import (
	"cmp"
	"unicode/utf16"

	"esrule/internal/date"
)

// Mapping is what the indices of one class say of the fields that a rule set uses. Indices with
// equal mappings form one class; what a field is never comes from how an event's JSON was written.
type Mapping struct {
	// Fields holds each mapped field by the path that the rules write. A path that is not here is
	// not mapped: its events count as having no value, as for Elasticsearch.
	Fields map[string]FieldMapping
	// Source says whether an event can be read back as it was sent.
	Source SourceMode
	// SourceMissing lists those of Fields that `_source` leaves out (by includes or excludes) and
	// that the search's `fields` cannot give either. Not empty, it makes the class not coverable.
	SourceMissing []string
	// Unknown says what is not known of those of Fields, and why. Not empty, it makes the class not
	// coverable too.
	Unknown []string
}

// SourceMode says what an index keeps of an event's text.
type SourceMode uint8

// The ways an index keeps `_source`.
const (
	SourceStored SourceMode = iota
	// SourceSynthetic is rebuilt from doc values: arrays may come sorted and without duplicates.
	SourceSynthetic
	SourceOff // nothing to match or to write into a signal
)

// FieldMapping is what one class of indices says of one field.
type FieldMapping struct {
	Type Type
	// Name is the mapping's own word for the type ("match_only_text"), for messages.
	Name string
	// Exact is the concrete field whose index holds whole values, the one a term query names: the
	// field itself, an alias's target, or the keyword sub-field of a text field. Empty where there
	// is none.
	Exact string
	// IgnoreAbove is Exact's limit in UTF-16 units beyond which a value is stored but not indexed;
	// 0 is no limit.
	IgnoreAbove int
	// Normalizer is what Exact's values are changed by before they are indexed; nil where nothing
	// does.
	Normalizer *Normalizer
	// Words is how a text field's values are made into words; nil where that is not known.
	Words *Words
	// Unsearchable: Exact has neither an index nor doc values.
	Unsearchable bool
	// Unindexed: Exact can be searched by its doc values only, which reads every document.
	Unindexed bool
	// Nested is the nearest nested parent's path, or empty. A query at the root does not see such a
	// field.
	Nested string
	// FromFields: the value need not be in `_source` (constant_keyword, runtime field, normalizer),
	// so the search's `fields` are asked for it, see [FieldMapping.Asked]. Only where they must be:
	// they write a number anew, 1e0 as 1.0, where the index has it as it was written.
	FromFields bool
	// OnlyFields: what `_source` has under the field's path are not its values, but those of a
	// mapped field that a runtime field shadows, or values before they are normalized.
	OnlyFields bool
	// NotInSource: `_source` has no values of the field: the index computes them, or leaves them
	// out.
	NotInSource bool
	// Copied are the paths in `_source` of the fields that copy_to copies here. `fields` would
	// write their numbers anew.
	Copied []string
	// Leaves: the field's values are all scalars in its object (the root of a flattened field).
	Leaves bool
	// NoCoerce: a number in quotes, and a fraction in a field of whole numbers, is no value.
	NoCoerce bool
	// SourcePath is the path under which `_source` has the values, where it is another: an alias's
	// target, the parent of a sub-field. Empty is the field's own path.
	SourcePath string
	// Constant is the value of a constant_keyword, where it is set.
	Constant string
	// NullValue is what a null stands for, as text; HasNullValue tells it from none.
	NullValue    string
	HasNullValue bool
	// Formats are a date's formats as the mapping writes them, for example
	// "epoch_millis||strict_date". They are empty where only `_field_caps` knows the field: then
	// they are not known.
	Formats string
	// DocValues: a field whose values the search is asked for is asked for as `docvalue_fields`,
	// which are those of the index. Else it is asked for as `fields`, which reads `_source`.
	DocValues bool
	// ServerRead is a date that only the server reads: its formats are not plain ([date.Plain]) or
	// not known, or FromFields holds. The search gives the values in the format [date.Printed].
	ServerRead bool
	// Constants are what the server makes of a rule's constants that are compared with a ServerRead
	// date. It is nil where it was not asked.
	Constants *date.Constants
	// ScalingFactor is a scaled_float's.
	ScalingFactor float64
}

// Words is what an index makes of the values of a text field.
type Words struct {
	// Field is the concrete field that a query for words names; empty where the index cannot be
	// asked for words.
	Field string
	// Analyzer is the mapping's name of what makes words of values, for messages.
	Analyzer string
	// Standard: values, words and phrases that are looked for are all made into words by
	// Elasticsearch's standard analyzer with its defaults, and no phrase crosses two values.
	Standard bool
	// NoPhrases: the index does not know the order of words. A query for a phrase fails.
	NoPhrases bool
}

// IndexHasWords reports whether the field is a text of which only the index knows what its words
// are: it is asked about each event (see [Event.Holds]).
func (f FieldMapping) IndexHasWords() bool {
	return f.Type == Text && f.Words != nil && !f.Words.Standard
}

// IndexHasWords reports whether only the indices know the words of a field.
func (m *Mapping) IndexHasWords() bool {
	for _, f := range m.Fields {
		if f.IndexHasWords() {
			return true
		}
	}
	return false
}

// Asked returns the path that a search's `fields` are to be asked for, given the path that a rule
// writes; empty where `_source` has all values.
func (f FieldMapping) Asked(path string) string {
	switch {
	case !f.FromFields:
		return ""
	case f.Normalizer != nil:
		return f.Exact // a text field's keyword sub-field has the normalized values
	}
	return path
}

// Type is a family of mapping types whose values are read and compared alike.
type Type uint8

// The families. Every mapping type that a rule can sensibly name belongs to one.
const (
	Unmapped Type = iota
	Keyword       // keyword, constant_keyword, wildcard, and flattened and its keys
	Text          // text, match_only_text, annotated_text
	Integer       // byte, short, integer, long
	Unsigned      // unsigned_long
	Float         // half_float, float, double, scaled_float
	Boolean
	Date
	DateNanos
	IP
	Version
	Object // an object or nested object itself
	// Other is anything else (geo_point, ranges, binary, …): values are compared as text and never
	// filtered on.
	Other
	// Untyped is a field of an event that came without a mapping; no mapping says it.
	Untyped
)

// typeNames places the mapping API's type names into families (Elasticsearch 8.19 and 9.2).
var typeNames = map[string]Type{
	"keyword": Keyword, "constant_keyword": Keyword, "wildcard": Keyword, "flattened": Keyword,
	"counted_keyword": Keyword,
	"text":            Text, "match_only_text": Text, "annotated_text": Text,
	"search_as_you_type": Text,
	"pattern_text":       Text,
	"byte":               Integer, "short": Integer, "integer": Integer, "long": Integer,
	"unsigned_long": Unsigned,
	"half_float":    Float, "float": Float, "double": Float, "scaled_float": Float,
	"boolean": Boolean,
	"date":    Date, "date_nanos": DateNanos,
	"ip":      IP,
	"version": Version,
	"object":  Object, "nested": Object,
}

// TypeOf gives the family of a mapping type's name, Other where it is not known.
func TypeOf(name string) Type {
	if t, ok := typeNames[name]; ok {
		return t
	}
	return Other
}

// IsDate reports whether the field holds instants.
func (f FieldMapping) IsDate() bool { return f.Type == Date || f.Type == DateNanos }

// Dates returns the format in which a date's values and the constants compared with them are read.
func (f FieldMapping) Dates() *date.Format {
	switch {
	case f.ServerRead && f.Constants != nil:
		return date.Served(*f.Constants)
	case f.ServerRead:
		return date.Served(nil)
	case f.Type == DateNanos:
		return date.New(cmp.Or(f.Formats, date.DefaultNanos))
	}
	return date.New(f.Formats)
}

// Ignores tells whether a value is too long for the field's index: it is in `_source` and a search
// does not find it. Elasticsearch counts UTF-16 units.
func (f FieldMapping) Ignores(text []byte) bool {
	return f.IgnoreAbove > 0 && len(text) > f.IgnoreAbove && utf16Length(text) > f.IgnoreAbove
}

func utf16Length(text []byte) int {
	n := 0
	for _, r := range string(text) {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}
