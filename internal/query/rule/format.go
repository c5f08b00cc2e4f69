package rule

import (
	"path/filepath"
	"strings"
)

// FormatAdvice says how a rule in a file of another format becomes one that is read; it is empty
// for a file whose name does not say that it holds a rule.
func FormatAdvice(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".ndjson", ".json":
		return "Rules exported from Kibana become TOML with Elastic's detection-rules: " +
			"python -m detection_rules import-rules-to-repo FILE."
	case ".yml", ".yaml":
		return "A Sigma rule must be converted first, to a TOML rule with an EQL query (pySigma " +
			"has a backend for it)."
	case ".eql", ".kql":
		return "A query alone is no rule: write it as the `query` of a TOML rule."
	}
	return ""
}
