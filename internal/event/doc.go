// Package event is the read-only view of one event that the matcher judges.
//
// An event is a hit's `_source`, looked at in place and read through the mapping of its index: a
// path such as process.name is found through nested objects, literal dotted keys and arrays of
// objects alike, and gives zero or more values of the type that the mapping says. Most events need
// not be parsed: [Event.SkimHit] goes once over the text of a hit, [Event.Skim] over a scanned
// line, of which no mapping is known, and what was written like an event before is passed by
// comparing the texts around its values (shape.go). The package knows no rule and talks to no
// server: packages schedule and scan make events, package match reads them.
//
// The invariant to keep: the values of a field are those that Elasticsearch would have indexed for
// it, and besides them those it left out for their length (ignore_above). The pre-filter relies on
// it.
package event
