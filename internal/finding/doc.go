// Package finding holds what `esrule check` may report: a closed set of codes with the severity and
// the meaning of each, and the type of one finding. Lint and detect decide what is found; cmd
// prints it.
//
// The invariant to keep: a code that was released keeps its name and its meaning, since people
// filter the JSON output by it. docs/check.md lists every code; TestCodesAreDocumented in
// cmd/esrule holds the two together.
package finding
