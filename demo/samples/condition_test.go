package samples_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rule of the demo, written out by hand a second time: plain Go over a decoded map, with
// regular expressions where the rule has wildcards. It shares no code with the matcher, so that a
// sample's Match flag can be trusted in its tests.

// shortfall names the first condition of the rule that the document does not meet, or is empty
// where it matches.
func shortfall(t *testing.T, document []byte) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.UseNumber()
	var doc map[string]any
	if err := decoder.Decode(&doc); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	path := values(doc, "file.path")
	name := values(doc, "file.name")
	switch {
	case !slices.Contains(values(doc, "event.category"), "file"):
		return "category"
	case !slices.Contains(values(doc, "host.os.type"), "windows"):
		return "os"
	case !slices.Contains(values(doc, "event.type"), "creation"):
		return "type"
	case !anyFold(values(doc, "process.name"), "umworkerprocess.exe", "umservice.exe"):
		return "process"
	case !anyFold(values(doc, "file.extension"), "php", "jsp", "js", "aspx", "asmx", "asax", "cfm",
		"shtml"):
		return "extension"
	case branch(path, name) != "":
		return ""
	case anyMatch(path, owaVersion()) && anyMatch(path, owa()):
		return "owa version"
	case anyMatch(path, owa()):
		return "owa name"
	case anyMatch(path, ecp()):
		return "ecp name"
	default:
		return "path"
	}
}

// branch names the alternative of the rule's path condition that holds, or is empty.
func branch(path, name []string) string {
	owaNames := []string{
		"errorfe.aspx", "expiredpassword.aspx", "frowny.aspx", "getidtoken.htm", "logoff.aspx",
		"logon.aspx", "outlookcn.aspx", "redirsuiteserviceproxy.aspx", "signout.aspx",
	}
	switch {
	case anyMatch(path, regexp.MustCompile(`(?s)^.:\\inetpub\\wwwroot\\aspnet_client\\.*$`)):
		return "aspnet_client"
	case anyMatch(path, owa()) && !anyMatch(path, owaVersion()) && !anyFold(name, owaNames...):
		return "owa"
	case anyMatch(path, ecp()) && !anyFold(name, "timeoutlogoff.aspx"):
		return "ecp"
	default:
		return ""
	}
}

func owa() *regexp.Regexp {
	return regexp.MustCompile(
		`(?s)^.:\\.*\\microsoft\\exchange server.*\\frontend\\httpproxy\\owa\\auth\\.*$`)
}

func owaVersion() *regexp.Regexp {
	return regexp.MustCompile(
		`(?s)^.:\\.*\\microsoft\\exchange server.*\\frontend\\httpproxy\\owa\\auth\\version\\.*$`)
}

func ecp() *regexp.Regexp {
	return regexp.MustCompile(
		`(?s)^.:\\.*\\microsoft\\exchange server.*\\frontend\\httpproxy\\ecp\\auth\\.*$`)
}

// values gives what a keyword field holds: the field's values through objects and literal dotted
// keys, as texts.
func values(doc map[string]any, field string) []string {
	var found []string
	for key, value := range doc {
		switch rest, below := strings.CutPrefix(field, key+"."); {
		case key == field:
			found = append(found, texts(value)...)
		case below:
			if object, ok := value.(map[string]any); ok {
				found = append(found, values(object, rest)...)
			}
		}
	}
	return found
}

func texts(value any) []string {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, v := range value {
			all = append(all, texts(v)...)
		}
		return all
	default:
		return []string{fmt.Sprint(value)}
	}
}

func anyFold(values []string, wanted ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return slices.Contains(wanted, asciiLower(v))
	})
}

func anyMatch(values []string, pattern *regexp.Regexp) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return pattern.MatchString(asciiLower(v))
	})
}

// asciiLower leaves the Kelvin sign alone, which strings.ToLower would make a k.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
