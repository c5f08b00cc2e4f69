package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"esrule/internal/event"
)

// asking returns the paths that a search asks for where it is for each rule alone, by the rules'
// places.
func (g *Group) asking(searched []*event.Mapping) []map[string]bool {
	paths := make([]map[string]bool, len(g.detections))
	for i, d := range g.detections {
		paths[i] = map[string]bool{}
		alone := d.alone()
		for _, m := range searched {
			for _, w := range alone.wanted(m) {
				paths[i][w.Path] = true
			}
		}
	}
	return paths
}

// given returns what a search gave beside `_source`, without what it was asked for other rules: a
// rule's signals are the same in whatever group it is.
func (j *judge) given(rule int, fields []byte) ([]byte, error) {
	if len(j.group.detections) == 1 || len(bytes.TrimSpace(fields)) == 0 {
		return bytes.Clone(fields), nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(fields, &all); err != nil {
		return nil, fmt.Errorf("read the fields of the hit: %w", err)
	}
	maps.DeleteFunc(all, func(path string, _ json.RawMessage) bool {
		return !j.plan.asking[rule][path]
	})
	if len(all) == 0 {
		return nil, nil
	}
	return json.Marshal(all)
}
