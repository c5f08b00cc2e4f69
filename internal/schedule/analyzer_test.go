package schedule_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/finding"
	"esrule/internal/query/kql"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
)

// texts makes an index whose field m is a text with an analyzer.
func (w *world) texts(name, analyzer string) string {
	w.t.Helper()
	full := w.Index("events-" + name)
	w.Create(full, strings.Replace(`{"settings":{"number_of_replicas":0},"mappings":`+
		processMapping+`}`, `"properties":{`, fmt.Sprintf(
		`"properties":{"m":{"type":"text","analyzer":%q},`, analyzer), 1))
	return full
}

// says writes an event that so many minutes before now had a text, under an id that is the text.
func (w *world) says(index string, minutesAgo float64, pid int, text string) {
	w.t.Helper()
	when := w.clock.Add(-time.Duration(minutesAgo * float64(time.Minute))).Format(time.RFC3339Nano)
	w.Do(http.MethodPost, fmt.Sprintf("%s/_doc/%s?refresh=true", index,
		strings.ReplaceAll(text, " ", "-")), fmt.Sprintf(
		`{"@timestamp":%q,"process":{"name":"bad","pid":%d},"m":%q}`, when, pid, text))
}

// kuery returns a rule like the world's with a condition of KQL.
func (w *world) kuery(id, text string) *rule.Rule {
	w.t.Helper()
	query, err := kql.Parse(text)
	if err != nil {
		w.t.Fatal(err)
	}
	one := *w.rule
	one.ID, one.Name, one.Type, one.Language = rule.ID(id), text, "query", "kuery"
	one.Body = &rule.EventQuery{Query: query}
	return &one
}

// Rules that compare words which only the index knows, in a group and of every kind, have the
// signals that Kibana's query would find. The analyzer simple makes "op" and "node" of op1node,
// the standard one does not.
func TestWordsOfOtherAnalyzers(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	simple, standard := w.texts("simple", "simple"), w.texts("standard", "standard")
	excepting := w.kuery("excepting", `process.name: bad`)
	excepting.Exceptions = []*rule.Exception{{Name: "node",
		Query: w.kuery("", `m: node`).Body.Queries()[0]}}
	group := []*rule.Rule{w.kuery("word", `m: node`), w.kuery("not", `not m: node`),
		w.kuery("phrase", `m: "op node"`), w.kuery("pattern", `m*: nod* and process.pid > 0`),
		w.kuery("other", `process.name: bad`), excepting}
	terms := w.newTerms(2*time.Hour, []string{"process.pid"})[0]
	terms.Body.(*rule.NewTermsQuery).Query = w.kuery("", `m: node`).Body.Queries()[0]
	counting := w.threshold(2)
	counting.Body.(*rule.ThresholdQuery).Query = w.kuery("", `m: node`).Body.Queries()[0]
	rules := append(group, terms, counting)
	w.says(simple, 60, 1, "op5node") // before the rules' time began: pid 1 is not new
	w.says(simple, 3, 1, "op1node")
	w.says(simple, 3, 2, "op2node")
	w.says(simple, 2, 2, "node op")
	w.says(simple, 2, 3, "nobody")
	w.says(standard, 3, 4, "op1node")
	w.says(standard, 3, 5, "op node")
	w.wantCreated("all", rules, 4, 2, 3, 4, 6, 2, 2, 1)

	check := w.check(group[0])
	if found := about(check.All(), finding.AskedOfIndex, finding.CannotJudge); len(found) != 1 ||
		!strings.Contains(found[0].Text, "m (analyzer simple)") {
		t.Errorf("check: got %v, want that m is asked of the index", found)
	}
	cluster := search.NewCluster(w.Client, search.Options{Tries: 1})
	explain := func(r *rule.Rule, index, text string, want bool, note string) {
		t.Helper()
		d, err := detect.New(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.ExplainOn(t.Context(), cluster, detect.Sample{Index: index,
			ID: strings.ReplaceAll(text, " ", "-"), Source: []byte(fmt.Sprintf(`{"m":%q}`, text))},
			w.clock)
		if err != nil || x.Matches != want || !strings.Contains(fmt.Sprint(x.Notes), note) {
			t.Errorf("explain %q of %s: got %v, %v, %v, want %v with %q", r.Name, text, x.Matches,
				x.Notes, err, want, note)
		}
	}
	explain(group[0], simple, "op1node", true, "asked of the index")
	explain(group[1], simple, "op1node", false, "asked of the index")
	explain(group[0], simple, "op9node", false, "it has no document op9node")
	var words []string
	for i := range prefilter.MostAsked {
		words = append(words, fmt.Sprintf("m: node%d", i))
	}
	many := w.kuery("many", strings.Join(words, " or "))
	many.Name = "many"
	explain(many, simple, "op1node", false, "run does not judge them, and says so")
	explain(many, standard, "op1node", false, "[]")
}

// mute takes what the server says of the queries that a hit satisfies out of its answers.
type mute struct{}

func (mute) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	body = bytes.ReplaceAll(body, []byte(`"matched_queries"`), []byte(`"other"`))
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer.Header.Del("Content-Length")
	return answer, nil
}

// An index whose answers do not say what it was asked stays open for the rules that ask, and for
// no other; what the history of new terms does not say fails its piece.
func TestIndexThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.through = w.Through(mute{})
	simple := w.texts("simple", "simple")
	terms := w.newTerms(2*time.Hour, []string{"process.pid"})[0]
	terms.Body.(*rule.NewTermsQuery).Query = w.kuery("", `m: node`).Body.Queries()[0]
	rules := []*rule.Rule{w.kuery("word", `m: node`), w.kuery("not", `not m: node`),
		w.kuery("other", `process.name: bad`), terms}
	w.says(simple, 3, 1, "op1node")
	for i, r := range w.runAll(rules...) {
		isOpen := len(r.Open) == 1 && strings.Contains(r.Open[0].Reason, "matched_queries")
		if i == 2 && (r.Run.Created != 1 || len(r.Open) > 0) || i != 2 && !isOpen {
			t.Errorf("rule %d: got %d created and open %+v", i, r.Run.Created, r.Open)
		}
	}
	w.through = nil
	w.clock = w.clock.Add(15 * time.Minute)
	w.wantCreated("answered again", rules, 1, 0, 0, 1)
}

// Of rules that together ask an index more than one search has room for, those for which there is
// room are searched together; one that asks too much by itself is not judged there, and check says
// so.
func TestMoreThanCanBeAsked(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	simple := w.texts("simple", "simple")
	words := func(id string, n int) *rule.Rule {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(id, "x", i)
		}
		return w.kuery(id, `m: (node or `+strings.Join(list, " or ")+`)`)
	}
	rules := []*rule.Rule{words("a", 300), words("b", 300), words("c", 600),
		w.kuery("other", `process.name: bad`), words("d", 100)}
	w.says(simple, 3, 1, "op1node")
	for i, r := range w.runAll(rules...) {
		if want := []int{3, 1, 1, 3, 3}[i]; max(r.Run.Together, 1) != want {
			t.Errorf("rule %d: got %d searched together, want %d", i, r.Run.Together, want)
		}
		isOpen := len(r.Open) == 1 && strings.Contains(r.Open[0].Reason, "more than 500")
		if isOpen != (i == 2) || r.Run.Created != 1 && i != 2 {
			t.Errorf("rule %d: got %d created and open %+v, %v", i, r.Run.Created, r.Open, r.Err)
		}
	}
	found := about(w.check(rules[2]).All(), finding.CannotJudge)
	if len(found) != 1 || !strings.Contains(found[0].Text, "more than 500") {
		t.Errorf("check: got %v", found)
	}
}
