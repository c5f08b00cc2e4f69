package schedule_test

import (
	"testing"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/estest"
)

// A document that came without its content makes only those rules blind that could match it.
func TestDocumentWithoutContent(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.event(index, 1, "bad.exe", 1)
	w.event(index, 2, "other.exe", 2)
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{w.URL},
		Transport: estest.Emptied{Holding: "other.exe"}, DisableRetry: true})
	if err != nil {
		t.Fatal(err)
	}
	w.through = client
	rules := w.together(`process where process.name == "bad.exe"`,
		`process where process.name == "other.exe"`)
	for i, r := range w.runAll(rules...) {
		if open := len(r.Open); r.Err != nil || open != i || r.Run.Created != 1-i {
			t.Errorf("rule %d: got %d open indices, %d created, error %v, want %d and %d", i, open,
				r.Run.Created, r.Err, i, 1-i)
		}
	}
}
