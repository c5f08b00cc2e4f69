// Package match decides exactly whether an event satisfies a rule's condition, as Elasticsearch
// would for an EQL query and for what Kibana makes of a KQL query, and can say why.
//
// A condition ([cond.Query]) is compiled once into closures over an [Evaluation]. Logic is
// two-valued: a leaf over a missing field is false, `not` is its complement, and a leaf over
// several values holds where any of them satisfies it. What is computed inside of a leaf may be
// null besides, and then the leaf is false. The language has checked the types before
// ([eql.CheckTypes]); what else no mapping could mend is refused by [Compile], never met while
// matching. The package reads no mapping and no server itself: the event knows what its fields are.
//
// The invariant to keep: Match and Explain give one answer, because Explain asks the same closures.
package match
