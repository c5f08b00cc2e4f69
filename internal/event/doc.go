// Package event is the read-only view of one event that the matcher judges.
//
// An event is a hit's `_source`, read through the mapping of its index: a path such as process.name
// is found through nested objects, literal dotted keys and arrays of objects alike, and has zero or
// more values of the type that the mapping says. [Event.Read] reads a document of a search, and
// [Event.ReadLine] a scanned line, of which no mapping is known. They choose how: most events are
// skimmed, which is one pass over the text (skim.go), and what was written like an event before is
// passed by comparing the texts around its values (shape.go); others are parsed, and those that are
// nested too deeply for the parser are made shallow first (shallow.go). The package knows no rule
// and talks to no server: packages detect and scan read events, package match judges them.
//
// The invariant to keep: the values of a field are those that Elasticsearch would have indexed for
// it, however they were read, and besides them those it left out for their length (ignore_above).
// The pre-filter relies on it.
package event
