package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink/signal"
	"esrule/rules"
)

// quietOneOf is how many events there are for each one that some rule matches.
const quietOneOf = 2000

// quietEvents are recorded events of Windows, again and again, of which one in quietOneOf is one
// that some rule in the folder matches.
func quietEvents(b *testing.B, folder string) func(at time.Time) ([]byte, error) {
	b.Helper()
	compiled := loadRules(b, func() (*rule.Set, error) { return rule.Load(folder) })
	var quiet, loud [][]byte
	for _, line := range bytes.Split(recordedWindows(b), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		matched := false
		input := scan.Input{Name: "line", Open: opens(line)}
		_, err := scan.Run(b.Context(), compiled, []scan.Input{input}, scan.Options{Workers: 1,
			Signal: func(*rule.Rule, signal.Signal) error {
				matched = true
				return nil
			}, Bad: func(err error) { b.Fatal(err) }})
		switch {
		case err != nil:
			b.Fatal(err)
		case matched:
			loud = append(loud, line)
		default:
			quiet = append(quiet, line)
		}
	}
	fmt.Fprintf(os.Stderr, "bench: %d of the recorded events match some rule, %d match none\n",
		len(loud), len(quiet))
	n := 0
	return func(at time.Time) ([]byte, error) {
		n++
		if n%quietOneOf == 0 {
			return retimed(loud[n/quietOneOf%len(loud)], n, at)
		}
		return retimed(quiet[n%len(quiet)], n, at)
	}
}

// retimed returns an event as one of its own that happened at another time.
func retimed(line []byte, number int, at time.Time) ([]byte, error) {
	var e map[string]any
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, err
	}
	e["@timestamp"] = at.UTC().Format(timeFormat)
	if of, ok := e["event"].(map[string]any); ok {
		delete(of, "ingested")
		of["id"] = fmt.Sprint("bench-", number)
	}
	return json.Marshal(e)
}

// eventRules is a folder with n of the corpus's rules that judge single events, of the folders with
// these names; 0 is all of them.
func eventRules(b *testing.B, n int, folders ...string) string {
	b.Helper()
	return rulesOfKind(b, n, is[*rule.EventQuery], folders...)
}

// is reports whether a body is of a kind.
func is[T rule.Body](body rule.Body) bool {
	_, ok := body.(T)
	return ok
}

// rulesOfKind is such a folder of rules whose body is wanted.
func rulesOfKind(b *testing.B, n int, want func(rule.Body) bool, folders ...string) string {
	b.Helper()
	to := b.TempDir()
	copied := 0
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(estest.Corpus(b), folder, "*.toml"))
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range names {
			if n > 0 && copied == n {
				return to
			}
			if !isOfKind(name, want) {
				continue
			}
			text, err := os.ReadFile(name)
			if err == nil {
				err = os.WriteFile(filepath.Join(to, folder+"-"+filepath.Base(name)), text, 0o600)
			}
			if err != nil {
				b.Fatal(err)
			}
			copied++
		}
	}
	return to
}

func isOfKind(name string, want func(rule.Body) bool) bool {
	set, err := rule.Load(name)
	if err != nil || len(set.Rules) != 1 {
		return false
	}
	if !want(set.Rules[0].Body) {
		return false
	}
	_, err = detect.New(set.Rules[0], nil)
	return err == nil
}

// copies gives a folder with the shipped rule so often, each time with an id and a name of its own.
func copies(b *testing.B, n int) string {
	b.Helper()
	text, err := rules.FS().ReadFile("exchange_um_suspicious_files.toml")
	if err != nil {
		b.Fatal(err)
	}
	id, name := regexp.MustCompile(`(?m)^rule_id = ".*"$`),
		regexp.MustCompile(`(?m)^name = "Microsoft Exchange .*"$`)
	folder := b.TempDir()
	for i := range n {
		one := id.ReplaceAll(text, fmt.Appendf(nil, `rule_id = "00000000-0000-4000-8000-%012d"`, i))
		one = name.ReplaceAll(one, fmt.Appendf(nil, `name = "Copy %d"`, i))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("copy%d.toml", i)), one,
			0o600); err != nil {
			b.Fatal(err)
		}
	}
	return folder
}

// asProcessStart makes of a file event the start of the process that wrote the file, with the file
// as its argument.
func asProcessStart(event []byte) ([]byte, error) {
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	process, file, about := e["process"].(map[string]any), e["file"].(map[string]any),
		e["event"].(map[string]any)
	delete(e, "file")
	process["args"] = []any{process["executable"], file["path"]}
	process["args_count"] = 2
	process["command_line"] = fmt.Sprintf("%s %s", process["executable"], file["path"])
	process["parent"] = map[string]any{"name": "services.exe",
		"executable": `C:\Windows\System32\services.exe`, "pid": 700}
	about["category"], about["type"], about["action"], about["code"] = []string{"process"},
		[]string{"start"}, "start", "1"
	e["message"] = "Process created: " + fmt.Sprint(process["name"])
	return json.Marshal(e)
}
