package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// asking returns the paths that a search asks for where it is for a rule alone. They are worked out
// once, and only for a rule that matches.
func (j *judge) asking(rule int) map[string]bool {
	if paths := j.asked[rule]; paths != nil {
		return paths
	}
	paths, alone := map[string]bool{}, j.group.detections[rule].alone()
	for _, m := range j.plan.mappings {
		for _, w := range alone.wanted(m) {
			paths[w.Path] = true
		}
	}
	j.asked[rule] = paths
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
	own := j.asking(rule)
	maps.DeleteFunc(all, func(path string, _ json.RawMessage) bool { return !own[path] })
	if len(all) == 0 {
		return nil, nil
	}
	return json.Marshal(all)
}
