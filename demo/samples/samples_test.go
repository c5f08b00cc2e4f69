package samples_test

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/demo/samples"
)

func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 123456789, time.UTC) }

func load(t *testing.T) map[string]samples.Event {
	t.Helper()
	events, err := samples.Events(noon())
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]samples.Event{}
	for _, e := range events {
		if _, twice := byID[e.ID()]; twice {
			t.Errorf("two events are called %s", e.ID())
		}
		byID[e.ID()] = e
	}
	return byID
}

func TestEventsAreComplete(t *testing.T) {
	patterns, err := samples.Patterns("")
	if err != nil {
		t.Fatal(err)
	}
	slug := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for id, e := range load(t) {
		if !slug.MatchString(e.Name) {
			t.Errorf("%s: name %q is no slug", id, e.Name)
		}
		if !strings.HasSuffix(e.Why, ".") || strings.Contains(e.Why, "\n") {
			t.Errorf("%s: why is not one sentence: %q", id, e.Why)
		}
		pattern := patterns[slices.Index(samples.Sources(), e.Source)]
		if ok, err := path.Match(pattern, e.Index); !ok || err != nil {
			t.Errorf("%s: index %s is not one of %s", id, e.Index, pattern)
		}
		if !json.Valid(e.JSON) {
			t.Errorf("%s: not JSON: %s", id, e.JSON)
		}
	}
}

func TestMatchFlags(t *testing.T) {
	matches := map[string]int{}
	for id, e := range load(t) {
		missed := shortfall(t, e.JSON)
		if got := missed == ""; got != e.Match {
			t.Errorf("%s: match is %v, but the conditions written by hand say %v %s\n%s", id,
				e.Match, got, missed, e.JSON)
		}
		if e.Match {
			matches[e.Source]++
		}
	}
	for _, source := range samples.Sources() {
		if matches[source] < 2 {
			t.Errorf("%s has %d matches, want 2 or more", source, matches[source])
		}
	}
}

func TestCopiesAreTheSameRecord(t *testing.T) {
	events := load(t)
	copies := 0
	for id, e := range events {
		if e.SameAs == "" {
			continue
		}
		copies++
		original, ok := events[e.Source+"."+e.SameAs]
		if !ok || !original.Match || !e.Match {
			t.Errorf("%s is a copy of %s, which is no match or is not there", id, e.SameAs)
		}
		for _, field := range []string{"@timestamp", "winlog.record_id", "winlog.computer_name",
			"file.path"} {
			if got, want := fieldOf(t, e, field), fieldOf(t, original, field); !slices.Equal(got,
				want) || len(got) != 1 {
				t.Errorf("%s: %s is %v, in the original %v", id, field, got, want)
			}
		}
	}
	if copies == 0 {
		t.Error("no event is a copy of another")
	}
}

func fieldOf(t *testing.T, e samples.Event, field string) []string {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(e.JSON, &doc); err != nil {
		t.Fatal(err)
	}
	return values(doc, field)
}

// The rule's conditions and the events that meet or just miss each of them.
func TestEveryConditionHasItsEvents(t *testing.T) {
	events := load(t)
	meets := func(wantBranch string, ids ...string) {
		t.Helper()
		for _, id := range ids {
			e, ok := events[id]
			if !ok {
				t.Errorf("there is no event %s", id)
				continue
			}
			if got := branch(fieldOf(t, e, "file.path"),
				fieldOf(t, e, "file.name")); got != wantBranch || !e.Match {
				t.Errorf("%s: branch %q, match %v; want branch %q, match true", id, got, e.Match,
					wantBranch)
			}
		}
	}
	misses := func(want string, ids ...string) {
		t.Helper()
		for _, id := range ids {
			e, ok := events[id]
			if !ok {
				t.Errorf("there is no event %s", id)
				continue
			}
			if got := shortfall(t, e.JSON); got != want {
				t.Errorf("%s: misses %q, want %q", id, got, want)
			}
		}
	}

	// Branches, each from several sources.
	meets("aspnet_client", "winlogbeat.aspnet-client-aspx", "endpoint.aspnet-client-php-umservice",
		"sysmon_operational.aspnet-client-asmx",
		"m365_defender.aspnet-client-jsp-umservice", "sentinel_one.aspnet-client-php",
		"endgame.aspnet-client-aspx")
	meets("owa", "winlogbeat.owa-auth-umservice-lower-case", "endpoint.owa-auth-aspx",
		"sysmon_operational.owa-auth-shtml",
		"m365_defender.owa-auth-aspx", "sentinel_one.shared-id-owa",
		"endgame.owa-auth-jsp-umservice")
	meets("ecp", "winlogbeat.ecp-auth-js", "endpoint.ecp-auth-cfm",
		"sysmon_operational.ecp-auth-asax-umservice",
		"m365_defender.ecp-auth-js", "sentinel_one.shared-id-ecp", "endgame.ecp-auth-aspx")

	// What stands beside an exclusion, and matches.
	meets("owa", "endpoint.owa-version-lookalike", "endpoint.owa-auth-subfolder",
		"m365_defender.owa-auth-timeoutlogoff")
	meets("ecp", "winlogbeat.ecp-timeoutlogout", "winlogbeat.ecp-auth-logon")

	// Letter case, drives, wildcards.
	meets("aspnet_client", "winlogbeat.upper-case-throughout", "sysmon_operational.other-drive")
	meets("owa", "m365_defender.lower-case-path", "sysmon_operational.extension-mixed-case",
		"endpoint.other-exchange-version-and-drive")
	meets("ecp", "sysmon_operational.two-matching-folders")

	// Odd shapes of what matches.
	meets("owa", "winlogbeat.path-beyond-ignore-above", "winlogbeat.dotted-keys-beside-objects",
		"winlogbeat.scalars-for-arrays",
		"winlogbeat.owa-auth-name-missing", "endpoint.owa-auth-name-null",
		"endpoint.two-event-types", "endpoint.late-arrival")
	meets("ecp", "endpoint.ecp-auth-name-number")
	meets("aspnet_client", "winlogbeat.dotted-keys-throughout", "winlogbeat.timestamp-as-number",
		"m365_defender.long-path-in-the-index",
		"sysmon_operational.sysmon-27-blocked-page")

	// Each condition missed alone.
	misses("category", "winlogbeat.category-capital-letter", "endpoint.category-other")
	misses("os", "endpoint.linux-host", "endpoint.os-type-capital-letter",
		"winlogbeat.os-type-empty-array", "endgame.os-type-missing",
		"sysmon_operational.os-type-missing-over-httpjson",
		"m365_defender.os-type-missing-without-sid", "sentinel_one.linux-endpoint")
	misses("type", "endpoint.rename-instead-of-creation", "endpoint.deletion",
		"endpoint.event-type-capital-letter", "winlogbeat.event-type-null",
		"winlogbeat.sysmon-2-creation-time-changed", "sysmon_operational.sysmon-23-deletion",
		"m365_defender.old-package",
		"m365_defender.modified-instead-of-created", "sentinel_one.rename",
		"sentinel_one.modification", "endgame.rename-instead-of-creation")
	misses("process", "winlogbeat.process-iis-worker", "winlogbeat.process-name-missing",
		"endpoint.process-without-exe",
		"endpoint.process-name-longer", "m365_defender.process-kelvin-sign",
		"sentinel_one.process-empty-array", "endgame.process-transport")
	misses("extension", "winlogbeat.extension-php5", "winlogbeat.extension-number",
		"winlogbeat.extension-cut-from-the-whole-path",
		"sysmon_operational.extension-with-backslashes",
		"sysmon_operational.sysmon-27-blocked-program", "sysmon_operational.sysmon-29-program",
		"endpoint.extension-with-dot", "endpoint.extension-html",
		"m365_defender.extension-with-blank", "m365_defender.extension-config",
		"sentinel_one.extension-missing", "endgame.extension-txt")
	misses("path", "winlogbeat.two-drive-letters", "winlogbeat.wwwroot-itself",
		"endpoint.path-missing", "endpoint.custom-install-path",
		"endpoint.install-at-drive-root", "endpoint.clientaccess-not-frontend",
		"sysmon_operational.device-path", "sysmon_operational.network-share",
		"sysmon_operational.aspnet-client-lookalike", "sysmon_operational.owa-auth-lookalike",
		"sysmon_operational.owa-itself",
		"sysmon_operational.ecp-itself", "m365_defender.exchange-without-blank",
		"sentinel_one.short-names", "sentinel_one.path-null",
		"endgame.path-with-slashes")

	// Each exclusion.
	misses("owa version", "winlogbeat.owa-excluded-version",
		"winlogbeat.owa-excluded-version-beyond-ignore-above")
	misses("owa name",
		"winlogbeat.owa-excluded-errorfe",
		"endgame.owa-excluded-expiredpassword",
		"endpoint.owa-excluded-frowny",
		"sentinel_one.owa-excluded-getidtoken",
		"m365_defender.owa-excluded-logoff",
		"winlogbeat.owa-excluded-logon-upper-case",
		"endpoint.owa-excluded-outlookcn",
		"sysmon_operational.owa-excluded-redirsuite",
		"sysmon_operational.owa-excluded-signout",
		"endpoint.owa-excluded-name-in-subfolder",
		"endpoint.owa-excluded-one-of-two-names")
	misses("ecp name", "endpoint.ecp-excluded-timeoutlogoff",
		"sysmon_operational.ecp-excluded-timeoutlogoff-mixed-case",
		"endgame.ecp-excluded-timeoutlogoff")

	// Documents that miss more than one, as they really occur.
	misses("category", "winlogbeat.winlogbeat-7-7")
	misses("os", "endgame.only-endgame-fields")
	misses("extension", "sysmon_operational.sysmon-17-pipe")
}

// A near miss misses one condition only, so that it tests that condition. Documents that miss more
// are listed, with the reason.
func TestNearMissesMissOneCondition(t *testing.T) {
	severalMissing := []string{
		"winlogbeat.winlogbeat-7-7",         // the old shape lacks most fields
		"endgame.only-endgame-fields",       // the old shape lacks most fields
		"sysmon_operational.sysmon-17-pipe", // a pipe has neither path nor extension
	}
	for id, e := range load(t) {
		if e.Match {
			continue
		}
		second := shortfall(t, mend(t, e, shortfall(t, e.JSON)))
		if got, want := second != "", slices.Contains(severalMissing, id); got != want {
			t.Errorf("%s: misses a second condition: %v %q, want %v\n%s", id, got, second, want,
				e.JSON)
		}
	}
}

// mend makes a document meet one condition of the rule.
func mend(t *testing.T, e samples.Event, condition string) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(e.JSON, &doc); err != nil {
		t.Fatal(err)
	}
	set := func(object, field string, value any) {
		inner, ok := doc[object].(map[string]any)
		if !ok {
			inner = map[string]any{}
			doc[object] = inner
		}
		inner[field] = value
	}
	switch condition {
	case "category":
		set("event", "category", "file")
	case "os":
		set("host", "os", map[string]any{"type": "windows"})
	case "type":
		set("event", "type", "creation")
	case "process":
		set("process", "name", "umservice.exe")
	case "extension":
		set("file", "extension", "aspx")
	case "path", "owa version", "owa name", "ecp name":
		set("file", "path", `C:\inetpub\wwwroot\aspnet_client\x.aspx`)
	default:
		t.Fatalf("%s misses %q", e.ID(), condition)
	}
	mended, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return mended
}

func TestEveryListedValueMatchesSomewhere(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range load(t) {
		if !e.Match {
			continue
		}
		for _, field := range []string{"process.name", "file.extension"} {
			for _, v := range fieldOf(t, e, field) {
				seen[asciiLower(v)] = true
				seen[v] = true
			}
		}
	}
	for _, want := range []string{
		"umworkerprocess.exe", "umservice.exe", "UmService.exe", "UMWorkerProcess.exe",
		"php", "jsp", "js", "aspx", "asmx", "asax", "cfm", "shtml", "ASPX",
	} {
		if !seen[want] {
			t.Errorf("no match has %s", want)
		}
	}
}

// The traits that make a source's documents what they are.
func TestSourceShapes(t *testing.T) {
	millis := regexp.MustCompile(`^\d{13}$`)
	f := func(id, field string, want *regexp.Regexp) {
		t.Helper()
		e, ok := load(t)[id]
		if !ok {
			t.Fatalf("there is no event %s", id)
		}
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(e.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		inner := doc[field]
		if object, name, ok := strings.Cut(field, "."); ok {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(doc[object], &fields); err != nil {
				t.Fatal(err)
			}
			inner = fields[name]
		}
		if !want.Match(inner) {
			t.Errorf("%s: %s is %s, want %s", id, field, inner, want)
		}
	}
	absent := regexp.MustCompile(`^$`)
	array := regexp.MustCompile(`^\["`)
	f("winlogbeat.aspnet-client-aspx", "event.type", array)
	f("winlogbeat.aspnet-client-aspx", "event.id", absent)
	f("winlogbeat.aspnet-client-aspx", "event.ingested", regexp.MustCompile(`\.\d{9}Z"$`))
	f("winlogbeat.timestamp-as-number", "@timestamp", millis)
	f("endpoint.owa-auth-aspx", "@timestamp", regexp.MustCompile(`\.\d{7}Z"$`))
	f("endpoint.owa-auth-aspx", "event.ingested", regexp.MustCompile(`:\d\dZ"$`))
	f("sysmon_operational.aspnet-client-asmx", "@timestamp", regexp.MustCompile(`\.\d{3}Z"$`))
	f("sysmon_operational.aspnet-client-asmx", "event.id", absent)
	f("m365_defender.owa-auth-aspx", "event.id", absent)
	f("m365_defender.owa-auth-aspx", "event.module", absent)
	f("sentinel_one.aspnet-client-php", "event.action", array)
	f("sentinel_one.shared-id-owa", "event.id", regexp.MustCompile(`SHARED`))
	f("sentinel_one.shared-id-ecp", "event.id", regexp.MustCompile(`SHARED`))
	f("endgame.aspnet-client-aspx", "@timestamp", millis)
	f("endgame.aspnet-client-aspx", "event.type", regexp.MustCompile(`^"creation"$`))
	f("endgame.aspnet-client-aspx", "event.ingested", absent)
}
