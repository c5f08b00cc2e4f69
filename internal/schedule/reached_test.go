package schedule_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// around calls before the first request whose method and path end like that, and after the first of
// them that is answered well.
type around struct {
	path          string
	before, after func()
}

func (a *around) RoundTrip(req *http.Request) (*http.Response, error) {
	mine := a.after != nil && strings.HasSuffix(req.Method+" "+req.URL.Path, a.path)
	if mine && a.before != nil {
		before := a.before
		a.before = nil
		before()
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if mine && err == nil && res.StatusCode == http.StatusOK {
		after := a.after
		a.after = nil
		after()
	}
	return res, err
}

// closing ends the search of a piece.
const closing = "DELETE /_pit"

// TestIndexOutOfReachWithinARun has an index that no search of a run reaches, and that is as before
// at its end: its time stays open, and the next run finds its event.
func TestIndexOutOfReachWithinARun(t *testing.T) {
	f := func(why string, pattern string, away, back func(w *world, index string)) {
		t.Helper()
		for _, until := range []string{"/_pit", closing} {
			if until == "/_pit" && why == "blocked" { // a refused request is sent again
				continue
			}
			t.Run(why+" until "+until, func(t *testing.T) {
				w := newWorld(t)
				w.event(w.index("a"), 3, "bad.exe", 1)
				index := w.index("b")
				w.event(index, 3, "bad.exe", 2)
				if pattern != "" {
					w.rule.Index = append(w.rule.Index[:1:1], w.Index(pattern))
				}
				returns := func() { back(w, index); w.wait(index) }
				trip := &around{path: "/_pit", before: func() { away(w, index) }, after: returns}
				if until != "/_pit" {
					trip.after = func() {
						trip.path, trip.after = until, returns
					}
				}
				w.through = w.Through(trip)
				report := w.run()
				w.wantSignals("in the run", 1)
				if len(report.Open) != 1 || report.Open[0].Index != index {
					t.Errorf("open behind the run: %+v, want %s", report.Open, index)
				}
				w.through = nil
				if report := w.pass(time.Minute); len(report.Open) != 0 {
					t.Errorf("open behind the next run: %+v", report.Open)
				}
				w.wantSignals("behind the next run", 2)
			})
		}
	}
	set := func(settings string) func(w *world, index string) {
		return func(w *world, index string) { w.Do(http.MethodPut, index+"/_settings", settings) }
	}
	f("closed", "", func(w *world, index string) { w.Do(http.MethodPost, index+"/_close", nil) },
		func(w *world, index string) { w.Do(http.MethodPost, index+"/_open", nil) })
	f("hidden", "", set(`{"index.hidden":true}`), set(`{"index.hidden":null}`))
	f("blocked for reading", "", set(`{"index.blocks.read":true}`),
		set(`{"index.blocks.read":null}`))
	f("blocked", "", set(`{"index.blocks.metadata":true}`), set(`{"index.blocks.metadata":null}`))
}

// wait waits until an index can be searched.
func (w *world) wait(index string) {
	w.t.Helper()
	w.Do(http.MethodGet, "_cluster/health/"+index+"?wait_for_status=yellow&timeout=30s", nil)
}

// TestIndexComesWithinARun has an index that the patterns stand for only after the search of a run.
// One that is older than the run may hold events of any time; one that is made meanwhile holds
// newer ones.
func TestIndexComesWithinARun(t *testing.T) {
	f := func(why string, come func(w *world) (index string), open bool) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w := newWorld(t)
			w.rule.Index = []string{w.Index("events-*"), w.Index("alias")}
			w.event(w.index("a"), 3, "bad.exe", 1)
			w.Create(w.Index("other"), `{"mappings":`+processMapping+`}`)
			w.event(w.Index("other"), 3, "bad.exe", 2)
			w.theirs = func() time.Time { return time.Now().UTC() }
			time.Sleep(10 * time.Millisecond)
			var index string
			w.through = w.Through(&around{path: closing, after: func() { index = come(w) }})
			report := w.run()
			if got := len(report.Open) == 1 && report.Open[0].Index == index; got != open {
				t.Errorf("open: %+v, want %s: %v", report.Open, index, open)
			}
			w.through = nil
			if report := w.pass(time.Minute); len(report.Open) != 0 {
				t.Errorf("open behind the next run: %+v", report.Open)
			}
			w.wantSignals("behind the next run", 2)
		})
	}
	point := func(w *world, actions string) {
		w.Do(http.MethodPost, "_aliases", `{"actions":[`+actions+`]}`)
	}
	f("an alias is pointed at it", func(w *world) string {
		point(w, `{"add":{"index":"`+w.Index("other")+`","alias":"`+w.Index("alias")+`"}}`)
		return w.Index("other")
	}, true)
	f("made new", func(w *world) string {
		w.event(w.index("new"), 3, "bad.exe", 2)
		return w.Index("events-new")
	}, false)
	f("made new in place of another", func(w *world) string {
		w.event(w.index("new"), 3, "bad.exe", 2)
		w.Delete(w.Index("events-a"))
		return w.Index("events-new")
	}, true)
}

// TestSearchKnowsWhatItReached has a point in time that lacks an index whose mapping is read.
func TestSearchKnowsWhatItReached(t *testing.T) {
	w := newWorld(t)
	w.index("a")
	index := w.index("b")
	c := search.NewCluster(w.Client, search.Options{})
	f := func(why string, change func(), want ...string) {
		t.Helper()
		pit, err := c.OpenPointInTime(t.Context(), w.rule.Index)
		if err != nil {
			t.Fatal(err)
		}
		change()
		all, err := c.Standings(t.Context(), w.rule.Index)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pit.Lacks(t.Context(), all)
		if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: the point in time lacks %q, want %q, %v", why, got, want, err)
		}
		if err := pit.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	f("nothing changed", func() {})
	w.Do(http.MethodPost, index+"/_close", nil)
	f("closed", func() {})
	f("opened", func() { w.Do(http.MethodPost, index+"/_open", nil); w.wait(index) }, index)
	f("made new", func() { w.index("c") }, w.Index("events-c"))
	w.Delete(w.Index("events-a"))
	w.Delete(w.Index("events-c"))
	w.Do(http.MethodPost, index+"/_close", nil)
	f("the only one is opened", func() {
		w.Do(http.MethodPost, index+"/_open", nil)
		w.wait(index)
	}, index)
}

// TestPartOfAPatternMayBeRead has an index whose settings may be seen, and which may not be read:
// the pattern stays open for it, and not the index by a name of its own.
func TestPartOfAPatternMayBeRead(t *testing.T) {
	t.Parallel()
	w := worldOn(t, estest.Own(t, estest.Options{
		Users: []estest.User{{Name: "reader", Password: "reader-password",
			Roles: []string{"reader"}}},
		Roles: map[string]string{"reader": `{"cluster":["monitor"],"indices": [
			{"names": ["*"], "privileges": ["view_index_metadata"]},
			{"names": ["*events-open", "*signals", "*state", "*dead"], "privileges": ["all"]}]}`},
	}))
	w.event(w.index("open"), 3, "bad.exe", 1)
	w.event(w.index("secret"), 3, "bad.exe", 2)
	w.through = w.As("reader", "reader-password")
	for range 2 {
		report := w.pass(time.Minute)
		if len(report.Open) != 1 || report.Open[0].Index != w.rule.Index[0] {
			t.Errorf("open: %+v, want the pattern alone", report.Open)
		}
	}
	w.wantSignals("of what may be read", 1)
}
