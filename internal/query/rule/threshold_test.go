package rule_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/rule"
)

// counting is the good rule as one of type threshold, with what follows its keys.
func counting(t *testing.T, table string) string {
	t.Helper()
	text := strings.ReplaceAll(inKQL(t, "a: b\n"), `"query"`, `"threshold"`)
	return text + table
}

// TestReadThreshold reads what is counted.
func TestReadThreshold(t *testing.T) {
	f := func(table string, fields []string, value int, cardinality ...rule.Cardinality) {
		t.Helper()
		set, err := loadText(counting(t, table))
		if err != nil || len(set.Rules) != 1 {
			t.Errorf("%s\ngot %+v, error %v", table, set, err)
			return
		}
		q, ok := set.Rules[0].Body.(*rule.ThresholdQuery)
		if !ok {
			t.Errorf("%s\ngot a body of type %T", table, set.Rules[0].Body)
			return
		}
		if diff := cmp.Diff(fields, q.Fields); diff != "" || q.Value != value ||
			q.Text() != "a: b\n" {
			t.Errorf("%s\ngot value %d of the query %q, want %d; fields (-want +got):\n%s", table,
				q.Value, q.Text(), value, diff)
		}
		if diff := cmp.Diff(cardinality, q.Cardinality); diff != "" {
			t.Errorf("%s\ncardinality (-want +got):\n%s", table, diff)
		}
	}
	f("[rule.threshold]\nfield = [\"a\", \"b.c\"]\nvalue = 3", []string{"a", "b.c"}, 3)
	f("[rule.threshold]\nfield = \"a\"\nvalue = 3", []string{"a"}, 3)
	f("[rule.threshold]\nfield = \"\"\nvalue = 3", nil, 3)
	f("[rule.threshold]\nvalue = 3\ncardinality = []", nil, 3)
	f("[rule.threshold]\nfield = []\nvalue = 1\n[[rule.threshold.cardinality]]\nfield = \"x\"\n"+
		"value = 250", nil, 1, rule.Cardinality{Field: "x", Value: 250})
}

// A rule as Kibana exports it means the same.
func TestReadThresholdOfKibana(t *testing.T) {
	fingerprint := func(set *rule.Set, err error) string {
		t.Helper()
		if err != nil || len(set.Rules) != 1 {
			t.Fatalf("got %+v, error %v", set, err)
		}
		return set.Rules[0].Fingerprint()
	}
	inTOML := fingerprint(loadText(counting(t, "[rule.threshold]\nfield = \"x\"\nvalue = 3\n"+
		"[[rule.threshold.cardinality]]\nfield = \"y\"\nvalue = 2")))
	inJSON := fingerprint(loadFiles(
		map[string]string{"r.ndjson": `{"rule_id":"one","name":"One","type":"threshold",` +
			`"language":"kuery","severity":"low","risk_score":21,"index":["logs-*"],"query":"a: b",` +
			`"threshold":{"field":["x"],"value":3,"cardinality":[{"field":"y","value":2}]}}`}))
	if inTOML != inJSON {
		t.Errorf("got the fingerprint %s from JSON and %s from TOML", inJSON, inTOML)
	}
	other := fingerprint(loadText(counting(t, "[rule.threshold]\nfield = \"x\"\nvalue = 4\n"+
		"[[rule.threshold.cardinality]]\nfield = \"y\"\nvalue = 2")))
	if inTOML == other {
		t.Errorf("another threshold has the same fingerprint %s", other)
	}
}

func TestWrongThresholds(t *testing.T) {
	f := func(table, want string) { t.Helper(); wrong(t, counting(t, table), "r.toml:"+want) }
	f("", `1:2: [rule] has no threshold
    [rule]
     ^^^^
  Add threshold, with field and value, under a line [rule.threshold].`)
	f("[rule.threshold]\nfield = \"x\"", `12:7: [rule.threshold] has no value
    [rule.threshold]
          ^^^^^^^^^
  Add it below the line [rule.threshold]: value = 10`)
	f("[rule.threshold]\nfield = 5\nvalue = 3",
		`13:9: field must be a text or a list of texts, found a whole number
    field = 5
            ^
  Write field = ["…"], in brackets.`)
	f("[rule.threshold]\nfield = [\"a b\"]\nvalue = 3",
		`13:10: entry 1 of field "a b" is not the name of a field
    field = ["a b"]
             ^^^^^
  Write one field's path, for example "host.id".`)
	f("[rule.threshold]\nfield = [\"a\", \"a\"]\nvalue = 3", `13:15: field has "a" twice
    field = ["a", "a"]
                  ^^^
  Remove one of them.`)
	f("[rule.threshold]\nfield = [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]\nvalue = 3",
		`13:9: field has 6 fields
    field = ["a","b","c","d","e","f"]
            ^^^^^^^^^^^^^^^^^^^^^^^^^
  Write at most 5.`)
	f("[rule.threshold]\nvalue = 0", `13:9: value is 0
    value = 0
            ^
  Write a whole number from 1 on.`)
	f("[rule.threshold]\nvalue = 1\n[[rule.threshold.cardinality]]\nfield = \"x\"",
		`14:18: [[rule.threshold.cardinality]] has no value
    [[rule.threshold.cardinality]]
                     ^^^^^^^^^^^
  Add it below the line [[rule.threshold.cardinality]]: value = 3`)
	f("[rule.threshold]\nvalu = 1\nvalue = 1", `13:1: [rule.threshold] has no key "valu"
    valu = 1
    ^^^^
  The nearest known one is "value".`)
}
