// Package rules holds the rule files that are built into the program; they run where no others are
// named.
//
// It knows nothing of their format: rule.LoadFS reads what FS gives. Each file states its origin
// and its licence, which is not that of the code; README.md says more. A file that is put beside
// the others is built in with the next build.
package rules

import "embed"

//go:embed *.toml
var files embed.FS

// FS gives the rule files.
func FS() embed.FS { return files }
