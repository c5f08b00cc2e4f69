package sink

// Verdict is what became of one signal.
type Verdict struct {
	Fate Fate
	// Why is what the cluster said where the signal is not in the signals index in full. It does
	// not quote the event.
	Why error
}

// Fate is the kind of a verdict.
type Fate uint8

// What can become of a signal.
const (
	Open         Fate = iota // not acknowledged: it has to be written again
	Created                  // new, in full
	Duplicate                // there already, in whatever form
	Reduced                  // new, without the event's fields, which the signals index refused
	WithoutEvent             // new, with the place of the event, which was refused in any form
	DeadLettered             // new in the dead-letter index: the signals index refused every form
	Refused                  // in no index: every form was refused
)
