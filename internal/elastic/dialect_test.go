package elastic

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDialect: what the version says is the first value, and a refusal overrules it until the next
// connect. What is not known is tried.
func TestDialect(t *testing.T) {
	f := func(s Server, refused []Capability, want ...Capability) {
		t.Helper()
		d := new(Dialect)
		d.connected(s)
		for _, c := range refused {
			d.Refused(c)
		}
		var got []Capability
		for _, one := range Differences() {
			if !d.Can(one.Capability) {
				got = append(got, one.Capability)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s that refused %v: got %v as lacking, want %v", s, refused, got, want)
		}
	}
	all := []Capability{PartialPointInTime, ReadResolvesIndices, ResolvesClusters, ClusterDetails}
	refused := []Capability{PartialPointInTime}
	f(Server{7, ""}, nil, all...)
	f(Server{7, "7.17.29"}, nil, all...)
	f(Server{8, ""}, nil)
	f(Server{8, ""}, refused, PartialPointInTime)
	f(Server{8, "8.0.1"}, nil, all...)
	f(Server{8, "8.11.4"}, nil, PartialPointInTime, ResolvesClusters)
	f(Server{8, "8.15.5"}, nil, PartialPointInTime)
	f(Server{8, "8.16.0-SNAPSHOT"}, nil)
	f(Server{9, ""}, nil)
	f(Server{9, "9.2.4"}, refused, PartialPointInTime)

	d := new(Dialect)
	d.Refused(PartialPointInTime)
	d.connected(Server{8, ""})
	if d.Can(PartialPointInTime) {
		t.Error("a connect that learns no version forgot a refusal")
	}
	d.connected(Server{8, "8.19.13"})
	if !d.Can(PartialPointInTime) {
		t.Error("the version found at a new connect does not follow a refusal of before")
	}
	if !(*Dialect)(nil).Can(PartialPointInTime) {
		t.Error("nothing is known, and it is not tried")
	}
}

// TestDifferencesAreDocumented: docs/architecture.md has the table as it is here.
func TestDifferencesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for at, one := range Differences() {
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", one.Name, one.Elasticsearch, one.Without,
			one.Why)
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/architecture.md lacks the row\n%s", row)
		}
		if int(one.Capability) != at {
			t.Errorf("%s: row %d describes capability %d", one.Name, at, one.Capability)
		}
	}
}
