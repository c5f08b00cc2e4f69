package rules_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/rules"
)

const shipped rule.ID = "6cd1779c-560f-4b68-a8f1-11009b27fe63"

func load(t *testing.T) *rule.Rule {
	t.Helper()
	set, err := rule.LoadFS(rules.FS(), "built-in")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != 1 || len(set.Skipped) != 0 || set.Rules[0].ID != shipped {
		t.Fatalf("built-in rules: got %+v, want %s alone", set, shipped)
	}
	return set.Rules[0]
}

func TestShippedRule(t *testing.T) {
	got := load(t)
	f := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	f("file", got.File, "built-in/exchange_um_suspicious_files.toml")
	f("name", got.Name, "Microsoft Exchange Server UM Writing Suspicious Files")
	f("severity", got.Severity, "medium")
	f("risk score", got.RiskScore, 47.0)
	f("timestamp override", got.TimestampOverride, "event.ingested")
	f("version", got.Version, 1)
	f("from", got.From, 9*time.Minute)
	f("patterns", len(got.Index), 6)
	f("techniques", []string{got.Threat[0].Technique[0].ID, got.Threat[1].Technique[0].ID,
		got.Threat[2].Technique[0].Subtechnique[0].ID},
		[]string{"T1190", "T1210", "T1505.003"})
	f("keys not applied", got.NotApplied, []string(nil))
	// A ledger in the field holds this value: it changes with the rule's meaning only.
	f("fingerprint", got.Fingerprint(),
		"53c6d95f059f7e3e786b323738af23ec3e79a2ec4861103b37e0c131588e5e7f")
}

// The published rule is in the corpus: whatever decides what is alerted, and what is alerted as,
// must be equal to it.
func TestShippedRuleIsAsPublished(t *testing.T) {
	corpus := os.Getenv("ESTEST_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "..", "shared", "corpus")
	}
	file := filepath.Join(corpus, "rules", "initial_access_suspicious_ms_exchange_files.toml")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	set, err := rule.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	got, want := load(t), set.Rules[0]

	f := func(what string, got, want any) {
		t.Helper()
		ignoreSpans := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Span" },
			cmp.Ignore())
		if diff := cmp.Diff(want, got, ignoreSpans); diff != "" {
			t.Errorf("%s (-published +shipped):\n%s", what, diff)
		}
	}
	gotQuery, wantQuery := got.Body.Queries()[0], want.Body.Queries()[0]
	f("category", gotQuery.Category, wantQuery.Category)
	f("condition", gotQuery.Where, wantQuery.Where)
	f("canonical text", eql.String(gotQuery), eql.String(wantQuery))
	f("id", got.ID, want.ID)
	f("name", got.Name, want.Name)
	f("index", got.Index, want.Index)
	f("severity", got.Severity, want.Severity)
	f("risk score", got.RiskScore, want.RiskScore)
	f("license", got.License, want.License)
	f("author", got.Author, want.Author)
	f("tags", got.Tags, want.Tags)
	f("references", got.References, want.References)
	f("threat", got.Threat, want.Threat)
	f("from", got.From, want.From)
	f("interval", got.Interval, want.Interval)
	f("timestamp override", got.TimestampOverride, want.TimestampOverride)
	f("category field", gotQuery.CategoryField, wantQuery.CategoryField)
}
