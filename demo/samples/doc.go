// Package samples holds hand-written events for the shipped rule, in the shape that each of its six
// sources really writes, and puts them into an Elasticsearch.
//
// Every line of events/*.ndjson is one event with a name, the reason it is there and whether the
// rule as written matches it: matches for every branch and every value of the rule, near misses for
// every condition. Times are written relative to now. mappings/*.json are small index templates
// with the mapping traits of the source. Hosts, users, hashes and ids are invented.
//
// The templates use only types that every server has. constant_keyword, wildcard and
// match_only_text are missing in Elasticsearch's test distribution; they are keyword and text here,
// which changes nothing for the rule's own fields: no source maps one of those as constant_keyword
// or wildcard, and the rule reads no text sub-field.
//
// The demo and the tests of other packages call it. It knows nothing of esrule's matcher: what
// Match says is checked in this package's tests by conditions written by hand, so that the matcher
// can be tested against it. That is the invariant to keep.
package samples
