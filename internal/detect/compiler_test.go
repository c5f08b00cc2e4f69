package detect_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// What one compiler makes at once can be searched together; what two make cannot, and says so.
func TestCompiler(t *testing.T) {
	const rules = 40
	compilers := make([]detect.Compiler, 2)
	made := make([][]*detect.Detection, len(compilers))
	for i := range compilers {
		made[i] = make([]*detect.Detection, rules)
		var group sync.WaitGroup
		for n := range rules {
			group.Go(func() {
				q, err := eql.Parse(fmt.Sprintf(`any where field%d == "x" and shared == "y"`, n))
				if err != nil {
					t.Error(err)
					return
				}
				made[i][n], err = compilers[i].New(&rule.Rule{Head: rule.Head{
					ID: rule.ID(fmt.Sprint(n)), Name: fmt.Sprint("Rule ", n), Index: []string{"i"}},
					Body: &rule.EventQuery{Query: q}}, nil)
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if _, err := detect.NewGroup(made[0]); err != nil {
		t.Errorf("rules of one compiler: %v", err)
	}
	_, err := detect.NewGroup([]*detect.Detection{made[0][3], made[1][4]})
	if err == nil || !strings.Contains(err.Error(), "Rule 4") {
		t.Errorf("rules of two compilers: got %v, want an error that names the second", err)
	}
	e := match.NewEvaluation(made[0][7].Fields, time.Time{})
	source := []byte(`{"field7":"x","field8":"x","shared":"y"}`)
	if err := e.Read(nil, event.Document{Source: source}); err != nil {
		t.Fatal(err)
	}
	if !made[0][7].Matchers[0].Match(e) {
		t.Error("a rule does not match by its own fields alone")
	}
}
