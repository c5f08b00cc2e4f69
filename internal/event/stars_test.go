package event_test

import (
	"strings"
	"testing"

	"esrule/internal/event"
)

// TestFieldsOf finds the fields that a path of a rule stands for.
func TestFieldsOf(t *testing.T) {
	m := &event.Mapping{Fields: map[string]event.FieldMapping{"a.b": {}, "a.b.c": {}, "ab": {},
		"x": {}}}
	f := func(path, want string) {
		t.Helper()
		fields := m.FieldsOf(path)
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
		for name := range m.Fields {
			found := strings.Contains(" "+want+" ", " "+name+" ")
			if got := event.StandsFor(path, name); got != found {
				t.Errorf("%s stands for %s: got %v, want %v", path, name, got, found)
			}
		}
	}
	f("x", "x")
	f("y", "")
	f("a.*", "a.b a.b.c")
	f("a*b", "a.b ab")
	f("*", "a.b a.b.c ab x")
}
