package rule_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/rule"
)

// matching is the good rule as one of type threat_match, with these lines in its table and what
// follows it.
func matching(t *testing.T, lines, tables string) string {
	t.Helper()
	text := strings.ReplaceAll(inKQL(t, "a: b\n"), `"query"`, `"threat_match"`)
	return replaceOnce(t, text, "severity =", lines+"\nseverity =") + tables
}

const (
	threatIndex   = `threat_index = ["logs-ti_*"]`
	threatMapping = "[[rule.threat_mapping]]\n[[rule.threat_mapping.entries]]\n" +
		"field = \"source.ip\"\ntype = \"mapping\"\nvalue = \"threat.indicator.ip\"\n"
)

// TestReadIndicator reads what is compared with which indicators.
func TestReadIndicator(t *testing.T) {
	f := func(lines, tables, query, path string, mapping ...[]rule.Pair) {
		t.Helper()
		set, err := loadText(matching(t, lines, tables))
		if err != nil || len(set.Rules) != 1 {
			t.Errorf("%s\n%s\ngot %+v, error %v", lines, tables, set, err)
			return
		}
		q, ok := set.Rules[0].Body.(*rule.IndicatorQuery)
		if !ok {
			t.Errorf("%s\n%s\ngot a body of type %T", lines, tables, set.Rules[0].Body)
			return
		}
		if q.Threat.Text() != query || q.IndicatorPath != path || q.Text() != "a: b\n" {
			t.Errorf("%s\n%s\ngot the threat query %q, the path %q and the query %q", lines, tables,
				q.Threat.Text(), q.IndicatorPath, q.Text())
		}
		if diff := cmp.Diff(mapping, q.Mapping); diff != "" {
			t.Errorf("%s\n%s\nmapping (-want +got):\n%s", lines, tables, diff)
		}
	}
	ip := rule.Pair{Field: "source.ip", Value: "threat.indicator.ip"}
	f(threatIndex, threatMapping, "", "threat.indicator", []rule.Pair{ip})
	f(threatIndex+"\nthreat_query = \"x:1\"\nthreat_indicator_path = \"a.b\"\n"+
		"threat_language = \"kuery\"\nitems_per_search = 9000\nconcurrent_searches = 1",
		threatMapping+"[[rule.threat_mapping.entries]]\nfield = \"f\"\ntype = \"mapping\"\n"+
			"value = \"v\"\nnegate = false\n"+strings.ReplaceAll(threatMapping, "source",
			"destination"), "x:1", "a.b", []rule.Pair{ip, {Field: "f", Value: "v"}},
		[]rule.Pair{{Field: "destination.ip", Value: "threat.indicator.ip"}})
}

// A rule as Kibana exports it means the same; another mapping, index, path or threat query does
// not.
func TestFingerprintOfIndicator(t *testing.T) {
	fingerprint := func(set *rule.Set, err error) string {
		t.Helper()
		if err != nil || len(set.Rules) != 1 {
			t.Fatalf("got %+v, error %v", set, err)
		}
		return set.Rules[0].Fingerprint()
	}
	inJSON := fingerprint(loadFiles(
		map[string]string{"r.ndjson": `{"rule_id":"one","name":"One","type":"threat_match",` +
			`"language":"kuery","severity":"low","risk_score":21,"index":["logs-*"],"query":"a: b",` +
			`"threat_index":["logs-ti_*"],"threat_language":"kuery","threat_query":"x:1",` +
			`"threat_mapping":[{"entries":[{"field":"source.ip","type":"mapping",` +
			`"value":"threat.indicator.ip"}]}],"items_per_search":9000,"threat_filters":[]}`}))
	seen := map[string]string{}
	f := func(lines, tables string) {
		t.Helper()
		got := fingerprint(loadText(matching(t, lines, tables)))
		if before, known := seen[got]; known {
			t.Errorf("%s\n%s\nhas the fingerprint of\n%s", lines, tables, before)
		}
		seen[got] = lines + "\n" + tables
	}
	query := "\nthreat_query = \"x:1\""
	f(threatIndex+query, threatMapping)
	if _, same := seen[inJSON]; !same {
		t.Errorf("got the fingerprint %s from JSON, and another from TOML", inJSON)
	}
	f(threatIndex, threatMapping)
	f(`threat_index = ["logs-*"]`+query, threatMapping)
	f(threatIndex+query+"\nthreat_indicator_path = \"x\"", threatMapping)
	f(threatIndex+query, threatMapping+strings.TrimPrefix(threatMapping, "[[rule.threat_mapping]]"))
	f(threatIndex+query, threatMapping+threatMapping)
	f(threatIndex+query, strings.ReplaceAll(threatMapping, "source", "destination"))
	f(threatIndex+query, threatMapping+"[[rule.threat_filters]]\n[rule.threat_filters.query."+
		"match_phrase]\na = \"b\"\n")
}

func TestSkippedIndicators(t *testing.T) {
	f := func(lines, tables, kind, reason string) {
		t.Helper()
		set, err := loadText(matching(t, lines, tables))
		if err != nil || len(set.Skipped) != 1 || set.Skipped[0].Kind != kind ||
			set.Skipped[0].Reason != reason {
			t.Errorf("%s\n%s\ngot %+v, error %v", lines, tables, set, err)
		}
	}
	f(threatIndex, threatMapping+"negate = true\n", "negated mapping",
		"threat_mapping has an entry that must not match (negate), which is not supported")
	f(threatIndex+"\nthreat_language = \"lucene\"", threatMapping, "threat_language lucene",
		"of threat queries only those in kuery are run")
}

func TestWrongIndicators(t *testing.T) {
	f := func(lines, tables, want string) {
		t.Helper()
		wrong(t, matching(t, lines, tables), "r.toml:"+want)
	}
	f("", threatMapping, `1:2: [rule] has no threat_index
    [rule]
     ^^^^
  Add it below the line [rule]: threat_index = ["logs-ti_*"]`)
	f(`threat_index = []`, threatMapping, `6:16: threat_index is empty
    threat_index = []
                   ^^
  Write the patterns that hold indicators: threat_index = ["logs-ti_*"]`)
	f(`threat_index = ["-a"]`, threatMapping, `6:16: threat_index only excludes
    threat_index = ["-a"]
                   ^^^^^^
  Write the patterns that hold indicators: threat_index = ["logs-ti_*"]`)
	f(threatIndex, "", `1:2: [rule] has no threat_mapping
    [rule]
     ^^^^
  Add it below the line [rule]: threat_mapping = [{entries = [{field = "source.ip", `+
		`type = "mapping", value = "threat.indicator.ip"}]}]`)
	f(threatIndex, "[[rule.threat_mapping]]\nentries = []\n",
		`14:11: group 1 of threat_mapping has no entries
    entries = []
              ^^
  Write which fields are compared under a line [[rule.threat_mapping.entries]].`)
	f(threatIndex, strings.Replace(threatMapping, `"mapping"`, `"range"`, 1),
		`16:8: type "range" is not known
    type = "range"
           ^^^^^^^
  It is one of mapping.`)
	f(threatIndex, strings.Replace(threatMapping, `"source.ip"`, `"source.*"`, 1),
		`15:9: field "source.*" is not the name of a field
    field = "source.*"
            ^^^^^^^^^^
  Write one field's path, for example field = "event.ingested".`)
	f(threatIndex+"\nthreat_query = \"a: (b\"", threatMapping,
		"7:22: expected `and`, `or` or \")\", found the end of the query\n"+
			"    threat_query = \"a: (b\"\n"+
			"                         ^\n  Write the missing \")\".")
}
