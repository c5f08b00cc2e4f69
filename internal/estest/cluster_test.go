package estest

import (
	"net/http"
	"strings"
	"testing"
)

func TestClusterHelpers(t *testing.T) {
	c := For(t)
	index := c.Index("events")
	c.PutTemplate("events", `{"index_patterns": ["`+c.Index("*")+
		`"], "template": {"mappings": {"properties": {"name": {"type": "keyword"}}}}}`)
	c.Create(index, nil)
	c.Bulk(index, `{"name":"a"}`, map[string]string{"name": "b"})
	if n := c.Load(index, strings.NewReader("{\"name\":\"c\"}\n\n{\"name\":\"d\"}")); n != 2 {
		t.Errorf("loaded: got %d, want 2", n)
	}
	if n := c.Count(c.Index("*")); n != 4 {
		t.Errorf("count: got %d, want 4", n)
	}
	if n := len(c.Hits(index)); n != 4 {
		t.Errorf("hits: got %d, want 4", n)
	}
	if mapping := c.Do(http.MethodGet, index+"/_mapping", nil); !strings.Contains(string(mapping),
		`"keyword"`) {
		t.Errorf("the template did not apply: %s", mapping)
	}
}

func TestNothingIsLeftOnTheSharedServer(t *testing.T) {
	var prefix string
	t.Run("leaves", func(t *testing.T) {
		c := For(t)
		prefix = c.Prefix()
		c.Do(http.MethodPut, "_component_template/"+c.Index("part"), `{"template": {}}`)
		c.PutTemplate("whole", `{"index_patterns": ["`+c.Index("w-*")+`"], "composed_of": ["`+
			c.Index("part")+`"]}`)
		c.Bulk(c.Index("w-1"), `{"@timestamp":"2026-01-01T00:00:00Z"}`)
		c.Create(c.Index("hidden"), `{"settings":{"index.hidden":true}}`)
	})
	c := For(t)
	// So that no list is empty, which the template APIs answer with 404.
	c.Do(http.MethodPut, "_component_template/"+c.Index("part"), `{"template": {}}`)
	c.PutTemplate("whole", `{"index_patterns": ["`+c.Index("*")+`"]}`)
	for _, list := range []string{"_index_template/*", "_component_template/*",
		"_resolve/index/*?expand_wildcards=all"} {
		left := string(c.Do(http.MethodGet, list, nil))
		if strings.Contains(left, prefix) {
			t.Errorf("%s still shows %s: %s", list, prefix, left)
		}
	}
}
