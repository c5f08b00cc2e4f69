package finding

// Severity says what a finding means for the exit code.
type Severity string

// The severities.
const (
	// Problem keeps a rule from firing, or from seeing everything, or makes it alert on too much:
	// check ends with exit code 3.
	Problem Severity = "problem"
	// Note is worth knowing and changes nothing.
	Note Severity = "note"
)

// Code names a kind of finding. The names are a promise to those who filter the JSON output.
type Code string

// The codes. [All] says what each of them means.
const (
	WildcardInEquality Code = "wildcard-in-equality"
	PercentWildcard    Code = "percent-wildcard"
	RegexIdiom         Code = "regex-idiom"
	DoubledBackslash   Code = "doubled-backslash"
	ComparedWithNull   Code = "compared-with-null"
	ConstantsCompared  Code = "constants-compared"
	NeverNegative      Code = "never-negative"
	ReadAsSubtraction  Code = "read-as-subtraction"
	QuotedWildcard     Code = "quoted-wildcard"
	ControlCharacter   Code = "control-character"
	LineBreak          Code = "line-break"
	ForeignSyntax      Code = "foreign-syntax"
	EscapedLetter      Code = "escaped-letter"
	SplitWords         Code = "split-words"
	JoinedWord         Code = "joined-word"
	SplitPattern       Code = "split-pattern"
	UnknownField       Code = "unknown-field"
	MultiField         Code = "multi-field"
	UnknownValue       Code = "unknown-value"
	ValueNeverFits     Code = "value-never-fits"
	ObjectCompared     Code = "object-compared"
	OtherConstant      Code = "other-constant"
	TextOperator       Code = "text-operator"

	NoIndex            Code = "no-index"
	NotSearched        Code = "not-searched"
	ClusterUnreachable Code = "cluster-unreachable"
	MissingPrivilege   Code = "missing-privilege"
	IndexRefused       Code = "index-refused"
	IndexSilent        Code = "index-silent"
	CannotJudge        Code = "cannot-judge"
	NeverFires         Code = "never-fires"
	StageNeverMatches  Code = "stage-never-matches"
	KeyUnmapped        Code = "key-unmapped"
	KeysNeverEqual     Code = "keys-never-equal"
	IndicatorsUnread   Code = "indicators-unread"
	NoIndicators       Code = "no-indicators"
	TimestampNotDate   Code = "timestamp-not-date"
	RuleRefused        Code = "rule-refused"
	OwnPrivilege       Code = "own-privilege"
	OwnIndex           Code = "own-index"

	ExceptionsNotApplied  Code = "exceptions-not-applied"
	SuppressionNotApplied Code = "suppression-not-applied"
	ExceptionWithoutRule  Code = "exception-without-rule"
	ExceptionNeverApplies Code = "exception-never-applies"

	ExceptionExpired  Code = "exception-expired"
	NothingExcluded   Code = "nothing-excluded"
	NoIndexYet        Code = "no-index-yet"
	ClosedIndex       Code = "closed-index"
	UnmappedField     Code = "unmapped-field"
	ReadsEverything   Code = "reads-everything"
	ReadsCategory     Code = "reads-category"
	AskedOfIndex      Code = "asked-of-index"
	JudgesEverything  Code = "judges-everything"
	OverrideUnmapped  Code = "override-unmapped"
	NoTimestamp       Code = "no-timestamp"
	NoRecentEvent     Code = "no-recent-event"
	SpanOverLookBack  Code = "span-over-look-back"
	NoMaxSpan         Code = "no-maxspan"
	CountedText       Code = "counted-text"
	HistoryShort      Code = "history-short"
	SignalsNotRead    Code = "signals-not-read"
	LateIndicators    Code = "late-indicators"
	IndicatorUnmapped Code = "indicator-unmapped"
)

// Kind is a code with what it means.
type Kind struct {
	Code     Code
	Severity Severity
	Meaning  string // one line, for the documentation
}

// All lists every code: first what a query alone shows, then what keeps a rule from firing on a
// cluster, then what makes it alert on too much, then what is worth knowing.
func All() []Kind {
	return []Kind{
		{WildcardInEquality, Problem, "`==`, `!=`, `in` and `in~` take `*` and `?` as they are"},
		{PercentWildcard, Problem, "`%` is no wildcard in EQL"},
		{RegexIdiom, Problem, "other regular expressions have this; Lucene's read it as text"},
		{DoubledBackslash, Problem, "the value has two backslashes wherever it has one"},
		{ComparedWithNull, Problem, "null is never compared: write `== null` or `!= null`"},
		{ConstantsCompared, Problem,
			"a field's name in quotes is a text, the same for every event"},
		{NeverNegative, Problem, "a length or a position is never below 0"},
		{ReadAsSubtraction, Problem, "a name or a date with `-` is read as a subtraction"},
		{QuotedWildcard, Problem, "KQL: a `*` in quotes is a star"},
		{ControlCharacter, Problem, "KQL: an escape such as `\\t` makes a control character"},
		{LineBreak, Problem, "KQL: a line break within a value is a part of it"},
		{ForeignSyntax, Problem, "KQL: what other languages have is a part of the value"},
		{EscapedLetter, Problem, "a backslash before a letter in a filter's wildcard is lost"},
		{UnknownField, Problem, "one slip away from a field of the Elastic Common Schema"},
		{MultiField, Problem, "the schema has the field without this sub-field"},
		{UnknownValue, Problem, "no event has this value by the Elastic Common Schema"},
		{ValueNeverFits, Problem, "no value of the field's type satisfies the comparison"},
		{ObjectCompared, Problem, "the field is an object there, which has no value of its own"},
		{SplitWords, Problem, "KQL: of a value on a text field any word suffices"},
		{JoinedWord, Problem, "KQL: a phrase on a text field begins within a word"},
		{OtherConstant, Problem, "the field has another value in every event there"},

		{NoIndex, Problem, "no index matches any pattern of the rule"},
		{NotSearched, Problem, "a pattern of a kind that esrule does not search"},
		{ClusterUnreachable, Problem, "a remote cluster does not answer now"},
		{MissingPrivilege, Problem, "a privilege on the pattern is missing"},
		{IndexRefused, Problem, "Elasticsearch refuses to search the index"},
		{IndexSilent, Problem, "the index does not answer and is not in the numbers"},
		{CannotJudge, Problem, "the events of the index cannot be read back and judged"},
		{NeverFires, Problem, "no event of the index can satisfy the rule's condition"},
		{StageNeverMatches, Problem, "no event of any index can take a stage of the sequence"},
		{KeyUnmapped, Problem,
			"no index maps a field whose values join events, are counted or new"},
		{KeysNeverEqual, Problem, "the fields that are compared as keys have other types"},
		{IndicatorsUnread, Problem, "indicators cannot be read: no event of the rule is judged"},
		{NoIndicators, Problem, "no document is an indicator of the rule: it matches nothing"},
		{TimestampNotDate, Problem, "`@timestamp` is not mapped as a date"},
		{RuleRefused, Problem, "the rule does not run: its index patterns are wrong"},
		{OwnPrivilege, Problem, "a privilege on the program's own indices is missing"},
		{OwnIndex, Problem, "one of the program's own indices is not as it should be"},

		{ExceptionsNotApplied, Problem, "the rule alerts on what the exception excepts"},
		{SuppressionNotApplied, Note,
			"every event has a signal, where Kibana folds several into one"},
		{ExceptionWithoutRule, Problem, "no rule that was read has the exception"},
		{ExceptionNeverApplies, Problem,
			"no event of the indices can satisfy the exception's condition"},

		{ExceptionExpired, Note, "the exception's date has passed: it does not apply"},
		{NothingExcluded, Note, "an exclusion takes nothing out of the patterns"},
		{NoIndexYet, Note, "no index matches the pattern"},
		{ClosedIndex, Note, "closed indices are not searched until opened"},
		{UnmappedField, Note, "a field that the rule reads is missing in every event there"},
		{ReadsEverything, Note, "every event of a window is read: no condition narrows the search"},
		{ReadsCategory, Note, "every event of the rule's category is read"},
		{AskedOfIndex, Note, "KQL: the index says of each event which words a text has"},
		{JudgesEverything, Note, "the rule is evaluated on every event that its group reads"},
		{OverrideUnmapped, Note, "the rule's `timestamp_override` is not mapped there"},
		{NoTimestamp, Note, "documents without the rule's timestamps are never searched"},
		{NoRecentEvent, Note, "no event in the last 24 hours"},
		{SpanOverLookBack, Note, "Kibana misses sequences of the rule that esrule finds"},
		{NoMaxSpan, Note, "the rule's look-back takes the place of maxspan"},
		{LateIndicators, Note, "later indicators are looked for in events so old and no older"},
		{IndicatorUnmapped, Note, "no index of indicators maps a field that is compared"},
		{CountedText, Note, "a field whose values are counted or new is mapped as text"},
		{HistoryShort, Note,
			"no event is as old as the history in which the rule looks for values"},
		{SignalsNotRead, Note, "the rule reads alerts, and none of esrule's own"},
		{SplitPattern, Note, "KQL: a pattern with blanks, which Kibana splits there"},
		{TextOperator, Note, "an operator on texts over a field that has none"},
	}
}

// SeverityOf returns the severity of a code.
func SeverityOf(c Code) Severity {
	for _, k := range All() {
		if k.Code == c {
			return k.Severity
		}
	}
	return Problem // TestCodes holds that every code is listed
}
