package indices

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esrule/internal/estest"
)

// TestForeignTemplate: what another's index template does to the three indices is said, and nothing
// is written where it could not be read back.
func TestForeignTemplate(t *testing.T) {
	c := estest.For(t)
	next := 0
	f := func(holds, template, want string, refused bool) {
		t.Helper()
		next++
		name := func(holds string) string { return c.Index(fmt.Sprint(next, "-", holds)) }
		i := Names{Signals: name("signals"), State: name("state"),
			DeadLetter: name("dead-letter")}
		c.Create(name(holds), template)
		r, err := i.Ensure(t.Context(), c.Client, nil)
		_, unreadable := errors.AsType[*UnreadableError](err)
		var said []string
		for _, w := range r.Warnings {
			said = append(said, w.String())
		}
		text := strings.Join(said, "\n")
		if refused {
			text = err.Error()
		}
		if unreadable != refused || err != nil && !refused || !strings.Contains(text, want) {
			t.Errorf("%s, %s: got the error %v and %q, want %q, refused: %v", holds, template, err,
				said, want, refused)
		}
		warnings, err := i.Inspect(t.Context(), c.Client, nil)
		if err != nil || len(warnings) == 0 {
			t.Errorf("%s, %s: Inspect: got %v, %v, want a warning", holds, template, warnings, err)
		}
	}
	for _, holds := range []string{"signals", "state", "dead-letter"} {
		f(holds, `{"mappings":{"_source":{"enabled":false}}}`, "keeps no _source", true)
	}
	synthetic := `{"settings":{"index.mapping.source.mode":"synthetic"}}`
	f("signals", synthetic, "its _source is synthetic", false)
	f("state", synthetic, "its _source is synthetic", true)
	f("signals", `{"mappings":{"_source":{"excludes":["process"]}}}`, "leaves fields out", false)
	f("state", `{"mappings":{"_source":{"excludes":["covered"]}}}`, "leaves fields out", true)
	f("signals", `{"settings":{"index.default_pipeline":"p"}}`, `index.default_pipeline is "p"`,
		false)
	f("state", `{"settings":{"index.final_pipeline":"p"}}`, `index.final_pipeline is "p"`, false)
	f("signals", `{"mappings":{"dynamic":"strict"}}`, "its mapping is strict", false)
	f("signals", `{"mappings":{"dynamic":false}}`, "@timestamp is not mapped", false)
	f("signals", `{"mappings":{"properties":{"kibana.alert.rule.name":{"type":"long"}}}}`,
		"kibana.alert.rule.name is long, not keyword", false)
	f("signals", `{"mappings":{"properties":{"kibana":{"properties":{"alert":{"properties":{
		"uuid":{"type":"keyword","index":false}}}}}}}}`, "kibana.alert.uuid is not indexed", false)
}

// TestTemplateTakesSourceAway: the same where the index is made by us and a template adds to it.
func TestTemplateTakesSourceAway(t *testing.T) {
	c := estest.For(t)
	i := names(c)
	c.PutTemplate(i.Signals+"-foreign", `{"index_patterns":["`+i.Signals+`"],
		"priority":9000,"template":{"mappings":{"_source":{"enabled":false}}}}`)
	_, err := i.Ensure(t.Context(), c.Client, nil)
	if _, unreadable := errors.AsType[*UnreadableError](err); !unreadable {
		t.Errorf("got the error %v, want an UnreadableError", err)
	}
}
