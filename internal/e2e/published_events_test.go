package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"esrule/internal/detect"
	"esrule/internal/estest"
	"esrule/internal/estest/made"
)

// loadMade puts events made from the rules' own conditions into an index with the widest template
// and into one without, for few of the rules match anything that was recorded.
func loadMade(t *testing.T, s *stage, detections []*detect.Detection) {
	t.Helper()
	var lenient map[string]map[string]any
	if err := json.Unmarshal(estest.CorpusTemplate(t, "rally_security-winlogbeat.json"),
		&lenient); err != nil {
		t.Fatal(err)
	}
	// a made value need not suit its field
	lenient["settings"]["index.mapping.ignore_malformed"] = true
	s.Create(s.name("winlogbeat-made"), lenient)
	s.Create(s.name("dynamic-made"), dynamicIndex)
	var events []recorded
	for _, d := range detections {
		variations := 3
		if d.Together() { // its query is all that is asked here
			variations = 1
		}
		for variation := range variations {
			e := made.For(d.Matchers[0].Condition(), variation)
			for path, value := range e.Clone() { // a sub-field has what its field has
				if field, ok := strings.CutSuffix(path, ".caseless"); ok {
					delete(e, path)
					e[field] = value
				}
			}
			e["@timestamp"] = "2026-01-02T03:04:05.000Z"
			events = append(events, e.Document())
		}
	}
	s.Load(s.name("winlogbeat-made"), ndjson(t, events))
	s.Load(s.name("dynamic-made"), ndjson(t, events))
}
