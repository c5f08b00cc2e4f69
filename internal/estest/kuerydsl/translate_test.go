package kuerydsl_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/estest"
	"esrule/internal/estest/kuerydsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
)

// TestTranslate holds the DSL of detection rules to Kibana's own, for fields of one type each that
// lie in no nested object (`* : x` has others too).
func TestTranslate(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(estest.Corpus(t), "kql", "kuery-cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Fields []struct {
			Name    string
			ESTypes []string
			Nested  any
		}
		DSL []struct {
			KQL    string
			Fields bool
			DSL    any
			Config struct{ DateFormatTZ string }
		}
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	m := &event.Mapping{Fields: map[string]event.FieldMapping{}}
	for _, f := range all.Fields {
		if len(f.ESTypes) == 1 && f.Nested == nil {
			m.Fields[f.Name] = event.FieldMapping{Type: event.TypeOf(f.ESTypes[0]),
				Name: f.ESTypes[0]}
		}
	}
	compared := 0
	for _, c := range all.DSL {
		q, err := kql.Parse(c.KQL)
		if err != nil || !c.Fields || c.DSL == nil || c.KQL == "* : x" ||
			c.Config.DateFormatTZ != "Zulu" {
			continue
		}
		query, err := kuerydsl.Translate(q.Where, m, func(cond.Expr, string) bool { return false })
		if err != nil {
			continue // match_all
		}
		var got any
		text, err := json.Marshal(query)
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		compared++
		if diff := cmp.Diff(c.DSL, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", c.KQL, diff)
		}
	}
	t.Logf("%d queries", compared)
}
