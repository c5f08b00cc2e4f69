package detect

import (
	"errors"
	"net/http"
	"slices"

	"esrule/internal/elastic"
	"esrule/internal/elastic/search"
)

// Failure is an index, or a pattern, that was not searched whole.
type Failure struct {
	Index  string `json:"index"`
	Reason string `json:"reason"`
	// Unwell says that the cluster cannot read the index, whatever is asked of it.
	Unwell bool `json:"-"`
	// Refused says that the index could not run what was asked for several rules: it may run less.
	Refused bool `json:"-"`
}

// AnyRefused reports whether one of the failures is an index that may run less.
func AnyRefused(failures []Failure) bool {
	return slices.ContainsFunc(failures, func(f Failure) bool { return f.Refused })
}

// isOfRequest reports whether an index failed for what was asked of it: for less it may not. A
// script_exception is that of a runtime field, which other rules do not read.
func isOfRequest(f search.Failure) bool {
	switch f.Type {
	case "too_many_clauses", "too_many_nested_clauses", elastic.CircuitBreaking, search.TimedOut,
		"task_cancelled_exception", "too_complex_to_determinize_exception",
		"query_shard_exception", "script_exception", "illegal_argument_exception",
		"illegal_state_exception", "unsupported_operation_exception", "parse_exception",
		"number_format_exception", "date_time_parse_exception", "class_cast_exception",
		"null_pointer_exception", "runtime_exception":
		return true
	}
	return false
}

// Alike are the indices that failed for one reason.
type Alike struct {
	Indices []string
	Reason  string
}

// ByReason groups failures, in the order in which their reasons come.
func ByReason(failures []Failure) []Alike {
	var all []Alike
	for _, f := range failures {
		i := slices.IndexFunc(all, func(a Alike) bool { return a.Reason == f.Reason })
		if i < 0 {
			i = len(all)
			all = append(all, Alike{Reason: f.Reason})
		}
		all[i].Indices = append(all[i].Indices, f.Index)
	}
	return all
}

// judgeError is why an event that a search returned could not be judged.
type judgeError struct{ error }

func (e *judgeError) Unwrap() error { return e.error }

// MayBeOneRules reports whether an error of a search for several rules may be due to some of them,
// so that the others can be searched without them: an event could not be judged, indicators are not
// known, or the cluster did not understand what was asked.
func MayBeOneRules(err error) bool {
	if _, unread := errors.AsType[*IndicatorError](err); unread {
		return true
	}
	if _, unjudged := errors.AsType[*judgeError](err); unjudged || errors.Is(err, errPartial) {
		return true
	}
	refused, ok := errors.AsType[*elastic.Error](err)
	return ok && (refused.Status == http.StatusBadRequest ||
		refused.Status == http.StatusRequestEntityTooLarge)
}
