package main

import (
	"bytes"
	"strings"
	"testing"
)

// overAlerts is a rule over alerts and other events.
func overAlerts(index string) string {
	return strings.Replace(ruleText("33333333-3333-4333-8333-333333333333", "over.exe"),
		`index = ["logs-*"]`, "index = "+index, 1)
}

// command runs a command over a rule file.
func command(t *testing.T, rule string, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errs)
	code = run(t.Context(), a, append(words, "--rules", writeFile(t, "rule.toml", rule)))
	return code, out.String(), errs.String()
}

// The role reads what the rules do: the signals index with its mapping, where it stands in for
// alerts.
func TestRoleOverAlerts(t *testing.T) {
	f := func(index, variable, flag string, want string) {
		t.Helper()
		setEnvironment(t, "ESRULE_ALERTS_INDEX="+variable)
		words := []string{"setup", "--role-only"}
		if flag != "" {
			words = append(words, "--alerts-index", flag)
		}
		code, role, errs := command(t, overAlerts(index), words...)
		names := strings.Join(strings.Fields(role), " ")
		if code != 0 || !strings.Contains(names, `"names": [ `+want+` ], "privileges": [ "read", `+
			`"view_index_metadata" ]`) {
			t.Errorf("%s with %q and %q: exit code %d, got\n%s%s\nwant %s to be read", index,
				variable, flag, code, role, errs, want)
		}
	}
	f(`["a-*", ".alerts-security.*"]`, "", "", `".alerts-security.*", "a-*"`)
	f(`["a-*", ".alerts-security.*"]`, ".alerts-security.*", "", `"a-*", "esrule-signals"`)
	f(`["a-*", ".alerts-security.*"]`, "", ".alerts-security.*", `"a-*", "esrule-signals"`)
	f(`["a-*", ".alerts-security.*"]`, ".alerts-security.*", "b-*", `".alerts-security.*", "a-*"`)
	f(`[".alerts-security.*"]`, ".siem-signals-*, .alerts-security.*", "", `"esrule-signals"`)
	f(`[".alerts-security.alerts-default", "-.alerts-security.alerts-x"]`, ".alerts-security.*",
		"", `"esrule-signals"`)
	f(`["esrule-signals"]`, "esrule-signals", "", `"esrule-signals"`)
}

// What such a rule does not see is said, and what the option stands in for nowhere.
func TestAlertsAreSaid(t *testing.T) {
	f := func(index, variable string, code int, want string) {
		t.Helper()
		setEnvironment(t, "ESRULE_ALERTS_INDEX="+variable)
		got, _, errs := command(t, overAlerts(index), "setup", "--role-only")
		if got != code || !strings.Contains(errs, want) || want == "" && errs != "" {
			t.Errorf("%s with %q: exit code %d, want %d, and got\n%s\nwant %q", index, variable,
				got, code, errs, want)
		}
	}
	const unseen = "does not see esrule's own signals"
	f(`["a-*"]`, "", 0, "")
	f(`["a-*", ".alerts-security.*"]`, "", 0, unseen)
	f(`[".alerts-security.alerts-default"]`, "", 0, unseen)
	f(`[".siem-signals-*"]`, "", 0, unseen)
	f(`["*", "-.alerts-security.*"]`, "", 0, "")
	f(`[".alerts-security.*"]`, ".alerts-security.*", 0, "")
	f(`[".alerts-security.*"]`, ".alerts-security.alerts-*", 0, unseen)
	f(`[".alerts-security.*"]`, ".alert-security.*", 0, "stands in for nothing")
	f(`["esrule-signals"]`, "", 2, "--alerts-index")
	f(`["a-*"]`, "-.alerts-security.*", 2, "no exclusion")
	f(`["a-*"]`, "*", 2, "the patterns of all rules")
	f(`["a-*"]`, "r:.alerts-security.*", 2, "of this cluster")
	f(`["a-*"]`, "Alerts", 2, "capital letter")

	// What is wider than the option, or of another cluster, is not what it stands in for.
	f(`[".alerts-*"]`, "", 0, `with --alerts-index \".alerts-*\"`)
	f(`[".alerts-*"]`, ".alerts-security.*", 0, `with --alerts-index \".alerts-*\"`)
	f(`[".internal.alerts*"]`, "", 0, unseen)
	f(`["logs-endpoint.alerts-*"]`, "", 0, "")
	f(`["r:.alerts-security.*"]`, "", 0, "")
	f(`["r:.alerts-security.*"]`, "*alerts-security*", 0, "stands in for nothing")

	// Nor are events.
	f(`["a-*"]`, "*-*", 2, "or of most")
	f(`["a-*"]`, ".*", 2, "or of most")
	f(`["a-*"]`, "a*", 0, "patterns=[a-*]")
	f(`["detections-*"]`, "detections-*", 0, "patterns=[detections-*]")
}

// A threat_index that names alerts is held as index is.
func TestAlertsAsIndicators(t *testing.T) {
	f := func(threats, variable string, code int, says, names string) {
		t.Helper()
		setEnvironment(t, "ESRULE_ALERTS_INDEX="+variable)
		text := strings.NewReplacer(`type = "eql"`, `type = "threat_match"
threat_index = `+threats+`
threat_query = "*:*"`, `language = "eql"`, `language = "kuery"`, "process where", "").Replace(
			ruleText("44444444-4444-4444-8444-444444444444", "x")) + `
[[rule.threat_mapping]]
[[rule.threat_mapping.entries]]
field = "source.ip"
type = "mapping"
value = "source.ip"
`
		got, role, errs := command(t, text, "setup", "--role-only")
		if got != code || !strings.Contains(errs, says) || says == "" && errs != "" ||
			!strings.Contains(strings.Join(strings.Fields(role), " "), names) {
			t.Errorf("%s with %q: exit code %d, got\n%s%s\nwant %d, %q and %s", threats, variable,
				got, role, errs, code, says, names)
		}
	}
	const unseen = "does not see esrule's own signals"
	f(`["ti-*"]`, "", 0, "", `"logs-*", "ti-*"`)
	f(`[".alerts-security.*"]`, "", 0, unseen, `".alerts-security.*", "logs-*"`)
	f(`[".alerts-security.*"]`, ".alerts-security.*", 0, "", `"esrule-signals", "logs-*"`)
	f(`["ti-*", ".alerts-security.*"]`, ".alerts-security.*", 0, "",
		`"esrule-signals", "logs-*", "ti-*"`)
	f(`["esrule-signals"]`, "", 2, "threat_index pattern \"esrule-signals\"", "")
	f(`["esrule-signals"]`, "esrule-signals", 0, "", `"esrule-signals", "logs-*"`)
}
