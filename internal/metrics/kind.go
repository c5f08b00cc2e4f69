package metrics

import (
	"context"
	"errors"
	"net"

	"esrule/internal/elastic"
)

// kind is a kind of failure, in words that an alert rule can name.
type kind string

const (
	unreachable  kind = "unreachable"  // no answer came
	unauthorized kind = "unauthorized" // the user or API key is not known
	forbidden    kind = "forbidden"    // a privilege is missing
	expired      kind = "point_in_time_expired"
	refused      kind = "refused"     // the cluster answered with another error
	indexOpen    kind = "index"       // an index did not answer, or may not be read
	deadLetter   kind = "dead_letter" // a signal was refused in every form
	other        kind = "other"       // anything else
)

func kinds() []kind {
	return []kind{unreachable, unauthorized, forbidden, expired, refused, indexOpen, deadLetter,
		other}
}

// kindOf sorts the error that ended a rule's run. A run that was told to end has not failed.
func kindOf(err error) (k kind, failed bool) {
	var answer *elastic.Error
	var noAnswer net.Error
	var refusal interface{ HTTPStatus() int } // of a ledger or of a signal
	if errors.As(err, &refusal) && !errors.As(err, &answer) {
		answer = &elastic.Error{Status: refusal.HTTPStatus()}
		err = answer
	}
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return "", false
	case errors.Is(err, elastic.ErrUnauthorized):
		return unauthorized, true
	case errors.Is(err, elastic.ErrForbidden):
		return forbidden, true
	case errors.Is(err, elastic.ErrPointInTimeExpired):
		return expired, true
	case errors.As(err, &answer):
		return refused, true
	case errors.Is(err, elastic.ErrUnreachable), errors.As(err, &noAnswer):
		return unreachable, true
	}
	return other, true
}
