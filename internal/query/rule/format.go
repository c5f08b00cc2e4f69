package rule

import (
	"path/filepath"
	"strings"
)

// FormatAdvice says how a rule in a file of another format becomes one that is read; it is empty
// for a file whose name does not say that it holds a rule.
func FormatAdvice(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yml", ".yaml":
		return "A Sigma rule must be converted first: sigma convert -t eql -p ecs_windows " +
			"-f siem_rule_ndjson -o rules.ndjson FILE."
	case ".eql", ".kql":
		return "A query alone is no rule: write it as the `query` of a TOML rule."
	}
	return ""
}
