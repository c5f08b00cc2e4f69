package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/schedule/backfill"
)

// history is the range of loadCrowd's events and then some.
var history = []string{"backfill", "--from", "now-30d", "--to", "now", "--slice-size", "100",
	"--lease", "1s"}

func withMore(args []string, more ...string) []string { return append(slices.Clone(args), more...) }

// slicesOf are the slices in the state index.
func slicesOf(s *stage) []backfill.Slice {
	s.t.Helper()
	s.Refresh(s.stateIndex())
	var all []backfill.Slice
	for _, hit := range s.Hits(s.stateIndex()) {
		var one backfill.Slice
		if err := json.Unmarshal(hit.Source, &one); err == nil && one.Kind == "slice" {
			all = append(all, one)
		}
	}
	return all
}

func TestBackfill(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.run(withMore(history, "--plan")...).want(t, 0).says(t, s.patterns[0], "1810", "1210",
		"slices")
	if n := len(s.Hits(s.prefix + "-out-*")); n != 0 {
		t.Errorf("--plan wrote %d documents", n)
	}
	s.run(history...).want(t, 0).says(t, fmt.Sprintf("%d signals created", len(want)))
	wantExactly(t, s, want)
	for _, hit := range s.signals() {
		if !strings.Contains(string(hit.Source), `"kibana.alert.rule.execution.type":"manual"`) {
			t.Fatalf("a backfill's signal is not marked as one: %s", hit.Source)
		}
	}
	s.run(history...).want(t, 0).says(t, "covered already", "--restart")
	s.run(withMore(history, "--restart")...).want(t, 0).says(t, "0 signals created",
		fmt.Sprintf("%d alerted before", len(want)))
	wantExactly(t, s, want)
	if answer := string(s.Do(http.MethodGet, s.stateIndex()+"/_count?q=kind:ledger",
		nil)); !strings.Contains(answer, `"count":0`) {
		t.Errorf("the backfill touched the ledger of the polling job: %s", answer)
	}
	s.more["START"] = "3h"
	s.runOnce().says(t, "created=0", fmt.Sprintf("duplicates=%d", len(want)))
}

// A backfill that is killed at any moment and started again comes to the same as one that is left
// alone.
func TestBackfillKilled(t *testing.T) {
	t.Parallel()
	events := newStage(t, "events-*")
	want := loadCrowd(t, events)
	n := 0
	f := func(at string, nth int, forward bool, is func(*stage, call) bool) {
		t.Helper()
		n++
		prefix := fmt.Sprintf("%s-bfkilled%d", events.prefix, n)
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := stageOn(t, events.Cluster, prefix)
			s.patterns = events.patterns
			s.more = map[string]string{"PAGE_SIZE": "50"}
			p := newProxy(t, s.url)
			p.holdAt(nth, forward, func(c call) bool { return is(s, c) })
			direct := s.url
			s.url = p.URL
			running := start(t, s.env(), history...)
			select {
			case <-p.held:
			case <-running.ended:
				t.Fatalf("it ended without that request: %+v", running.wait())
			}
			if err := running.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			running.wait().want(t, -1)
			s.url = direct
			s.run(history...).want(t, 0)
			wantExactly(t, s, want)
			for _, slice := range slicesOf(s) {
				if slice.State != backfill.Done {
					t.Errorf("slice %s is %s, want done", slice.Window, slice.State)
				}
			}
		})
	}
	isPlan := func(_ *stage, c call) bool {
		return c.method == http.MethodPut && strings.Contains(c.path, "/backfill-")
	}
	isSlice := func(_ *stage, c call) bool {
		return c.method == http.MethodPut && strings.Contains(c.path, "/slice-")
	}
	isDone := func(s *stage, c call) bool {
		return isSlice(s, c) && strings.Contains(c.body, `"done"`)
	}
	f("before the plan is kept", 1, false, isPlan)
	f("with nothing but a plan", 1, true, isPlan)
	f("between claiming a slice and hearing of it", 2, true, isSlice)
	f("between two pages", 5, true, isPage)
	f("before signals are sent", 2, false, isBulk)
	f("between sending signals and hearing of them", 2, true, isBulk)
	f("between signals and the slice's end", 3, false, isDone)
	f("between the slice's end and hearing of it", 3, true, isDone)
}

// Two processes share the work, and what comes out is as from one.
func TestBackfillShared(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	shared := withMore(history, "--workers", "1")
	// The first keeps its first slice in hand until the second has done one: neither is fast enough
	// to do all.
	p := newProxy(t, s.url)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	p.before(1, func(c call) bool { return isPage(s, c) }, func(call) {
		close(arrived)
		<-goOn
	})
	direct := s.url
	s.url = p.URL
	first := start(t, s.env(), shared...)
	select {
	case <-arrived:
	case <-first.ended:
		t.Fatalf("it ended without a page: %+v", first.wait())
	}
	s.url = direct
	second := start(t, s.env(), shared...)
	eventually(t, "the second has done a slice", func() bool {
		return slices.ContainsFunc(slicesOf(s), func(one backfill.Slice) bool {
			return one.State == backfill.Done
		})
	})
	release()
	one, two := first.wait().want(t, 0), second.wait().want(t, 0)
	wantExactly(t, s, want)
	did := map[string]int{}
	for _, slice := range slicesOf(s) {
		did[slice.Worker]++
		if slice.State != backfill.Done {
			t.Errorf("slice %s is %s, want done", slice.Window, slice.State)
		}
	}
	if len(did) != 2 {
		t.Errorf("slices by process: got %v, want two processes", did)
	}
	summary := regexp.MustCompile(`\d+ of \d+ slices are covered: .*;`)
	if a, b := summary.FindString(one.stderr), summary.FindString(two.stderr); a != b || a == "" {
		t.Errorf("the two sum up differently:\n%s\n%s", a, b)
	}
}

// The first Ctrl-C ends in order and says how to go on, which works.
func TestBackfillStopped(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.more["PAGE_SIZE"] = "50"
	// minutes, unless it is stopped
	slow := start(t, s.env(), withMore(history, "--max-rate", "10")...)
	eventually(t, "a slice is under way", func() bool {
		p, err := s.Client.Indices.Exists([]string{s.stateIndex()})
		return err == nil && p.StatusCode == http.StatusOK && len(slicesOf(s)) > 0
	})
	if err := slow.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	slow.wait().want(t, 1).says(t, "since it was stopped", "To resume",
		"esrule backfill --from now-30d --to now")
	for _, slice := range slicesOf(s) {
		if slice.State != backfill.Done && slice.State != backfill.Free {
			t.Errorf("slice %s is %s behind an orderly end, want done or free", slice.Window,
				slice.State)
		}
	}
	s.run(history...).want(t, 0).says(t, "Resuming the plan")
	wantExactly(t, s, want)
}

// Where few documents a second may be read, pages are small: between two large ones the point in
// time would expire.
func TestBackfillMaxRate(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	loadCrowd(t, s)
	p := newProxy(t, s.url)
	p.holdAt(2, false, func(c call) bool { return isPage(s, c) })
	s.url = p.URL
	start(t, s.env(), withMore(history, "--max-rate", "5", "--workers", "1")...)
	<-p.held
	for _, c := range p.seen() {
		if isPage(s, c) && !strings.Contains(c.body, `"size":50,`) {
			t.Errorf("a page of %.300s, want 50 hits: ten seconds of 5", c.body)
		}
	}
}

// A dry run says what it would write, each signal once, and leaves no trace.
func TestBackfillDryRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	p := newProxy(t, s.url)
	s.url = p.URL
	r := s.run(withMore(history, "--dry-run")...).want(t, 0).says(t, "it starts over")
	var got []string
	for lines := bufio.NewScanner(strings.NewReader(r.stdout)); lines.Scan(); {
		var signal struct {
			ID string `json:"kibana.alert.uuid"`
		}
		if err := json.Unmarshal(lines.Bytes(), &signal); err != nil {
			t.Fatalf("not a signal: %s: %v", lines.Text(), err)
		}
		got = append(got, signal.ID)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %d signals, want %d, or they are others", len(got), len(want))
	}
	writes := regexp.MustCompile(`/_(bulk|create|update)|/_doc/|_index_template`)
	for _, c := range p.seen() {
		if c.method == http.MethodPut || writes.MatchString(c.path) && c.method != http.MethodGet {
			t.Errorf("a dry run sent %s %s", c.method, c.path)
		}
	}
}

func TestBackfillBadInput(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	f := func(code int, says string, args ...string) {
		t.Helper()
		s.run(append([]string{"backfill"}, args...)...).want(t, code).says(t, says)
	}
	f(2, "is not before", "--from", "2021-02-02", "--to", "2021-01-01")
	f(2, "future", "--from", "2021-02-02", "--to", "2999-01-01")
	f(2, "is no time", "--from", "yesterday", "--to", "now")
	f(2, "no index that may be read matches", "--from", "now-1d", "--to", "now", "--index",
		s.name("nosuch-*"))
	f(2, "--index", "--from", "now-1d", "--to", "now", "--index", "_all")
	f(2, "--workers", "--from", "now-1d", "--to", "now", "--workers", "0")
	f(2, "required flag", "--from", "now-1d")
}

// What cannot be searched is said before the start and at the end, and the rest is searched.
func TestBackfillNotReached(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.Create(s.name("events-closed"), ecs)
	s.put("events-1", "there", match(time.Hour))
	timeless := match(time.Hour)
	delete(timeless, "@timestamp")
	s.put("events-1", "timeless", timeless)
	s.Do(http.MethodPost, s.name("events-closed")+"/_close", nil)
	r := s.run(history...).want(t, 1).says(t, s.name("events-closed"), "it is closed",
		"cannot be reached by time")
	if !regexp.MustCompile(regexp.QuoteMeta(s.patterns[0]) +
		`\s+1\s+1\s+1\s`).MatchString(r.stderr) {
		t.Errorf("the plan does not count 1 index, 1 document, 1 without @timestamp:\n%s", r.stderr)
	}
	s.wantFound("there")

	s.Do(http.MethodPost, s.name("events-closed")+"/_open?wait_for_active_shards=1", nil)
	s.put("events-closed", "opened", match(2*time.Hour))
	s.run(withMore(history, "--restart")...).want(t, 0)
	s.wantFound("opened", "there")
}

// An index that takes no signals, as on a full disk: the slices are not covered, and are when it
// takes them again.
func TestBackfillCannotWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.run("setup").want(t, 0)
	block := func(on any) {
		s.Do(http.MethodPut, s.signalsIndex()+"/_settings",
			map[string]any{"index.blocks.read_only_allow_delete": on})
	}
	block(true)
	big := []string{"backfill", "--from", "now-30d", "--to", "now"}
	s.run(big...).want(t, 1).says(t, s.signalsIndex(), "the index takes no writes", "To resume")
	s.run("status").want(t, 1).says(t, "takes no writes")
	block(nil)
	s.run(big...).want(t, 0)
	wantExactly(t, s, want)
}

// An index that is deleted, and another that comes, while a backfill is stopped: both are named.
func TestBackfillIndicesChange(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.Create(s.name("events-2"), ecs)
	s.put("events-2", "gone", match(90*time.Minute))
	p := newProxy(t, s.url)
	p.holdAt(1, false, func(c call) bool { return isPage(s, c) })
	direct := s.url
	s.url = p.URL
	running := start(t, s.env(), history...)
	<-p.held
	_ = running.cmd.Process.Kill()
	running.wait()
	s.url = direct
	s.Delete(s.name("events-2"))
	s.Create(s.name("events-3"), ecs)
	s.run(history...).want(t, 0).says(t, s.name("events-2")+
		" was there when the plan was made and is gone", s.name("events-3")+" came after")
	wantExactly(t, s, want)
}

// A point in time that ends too early costs a repetition of its slice.
func TestBackfillPointInTimeExpires(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.more["PAGE_SIZE"] = "50"
	p := newProxy(t, s.url)
	p.before(3, func(c call) bool { return isPage(s, c) }, func(c call) {
		var page struct{ PIT struct{ ID string } }
		if err := json.Unmarshal([]byte(c.body), &page); err != nil {
			t.Error(err)
		}
		s.Do(http.MethodDelete, "_pit", map[string]string{"id": page.PIT.ID})
	})
	s.url = p.URL
	s.run(history...).want(t, 0).says(t, "it is tried again")
	wantExactly(t, s, want)
}

// The report of a backfill names what was covered and what was not, and holds every signal with
// what decided.
func TestBackfillReport(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.Create(s.name("events-closed"), ecs)
	s.Do(http.MethodPost, s.name("events-closed")+"/_close", nil)
	s.put("events-1", "there", match(time.Hour))
	// A poll has alerted it already; the report shows it all the same.
	s.run("run", "--once").want(t, 1).says(t, s.name("events-closed"), "closed")
	s.put("events-1", "old", match(48*time.Hour))
	read := func(args []string, code int) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "report.html")
		s.run(withMore(args, "--report", file)...).want(t, code)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	wants := func(page string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("the report does not hold %q: its numbers are %q", part,
					regexp.MustCompile(`<dt>[^<]*</dt><dd>[^<]*</dd>`).FindAllString(page, -1))
			}
		}
	}
	page := read(history, 1)
	wants(page, "<dt>signals</dt><dd>2</dd>", s.name("events-closed"), "It is closed",
		"Microsoft Exchange Server UM Writing Suspicious Files", "shell.aspx",
		"UMWorkerProcess.exe")
	wants(read(withMore(history, "--dry-run"), 1), "<dt>signals</dt><dd>2</dd>", "A dry run")
}

// The report of a backfill shows the signals of events whose index maps their time in another way
// than most.
func TestBackfillReportOfOtherTimestamps(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	f := func(name, timestamp, field string, at any) {
		mapping := strings.Replace(ecs, `"@timestamp": {"type": "date"}`, `"@timestamp": `+
			timestamp, 1)
		if mapping == ecs {
			t.Fatal("the mapping of the timestamp was not found")
		}
		s.Create(s.name("events-"+name), mapping)
		e := match(48 * time.Hour)
		delete(e, "@timestamp")
		e[field] = at
		s.put("events-"+name, name, e)
	}
	at := time.Now().Add(-48 * time.Hour).UTC()
	f("seconds", `{"type": "date", "format": "epoch_second"}`, "@timestamp", at.Unix())
	f("slashes", `{"type": "date", "format": "yyyy/MM/dd HH:mm:ss"}`, "@timestamp",
		at.Add(time.Hour).Format("2006/01/02 15:04:05"))
	f("alias", `{"type": "alias", "path": "time"}, "time": {"type": "date"}`, "time",
		at.Add(2*time.Hour).Format(time.RFC3339))
	file := filepath.Join(t.TempDir(), "report.html")
	s.run(withMore(history, "--report", file)...).want(t, 0)
	s.wantFound("seconds", "slashes", "alias")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "<dt>signals</dt><dd>3</dd>"; !strings.Contains(string(page), want) {
		t.Errorf("the report does not hold %q: its numbers are %q", want,
			regexp.MustCompile(`<dt>[^<]*</dt><dd>[^<]*</dd>`).FindAllString(string(page), -1))
	}
	days := regexp.MustCompile(`kibana.alert.original_time":"(\d{4}-\d{2}-\d{2})T`)
	for _, hit := range s.signals() {
		if found := days.FindSubmatch(hit.Source); found == nil ||
			string(found[1]) < at.Format(time.DateOnly) {
			t.Errorf("the signal of %s has the original time %q", hit.ID, found)
		}
	}
}

// No more points in time are open at once than there are workers, and each is closed.
func TestBackfillClosesPointsInTime(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	loadCrowd(t, s)
	p := newProxy(t, s.url)
	s.url = p.URL
	s.run(withMore(history, "--workers", "3")...).want(t, 0)
	opened, closed, most := 0, 0, 0
	for _, c := range p.seen() {
		switch {
		case isOpening(s, c):
			opened++
		case c.method == http.MethodDelete && c.path == "/_pit":
			closed++
		}
		most = max(most, opened-closed)
	}
	if opened < 4 || opened != closed || most > 3 {
		t.Errorf("points in time: %d opened, %d closed, at most %d at once; want several, all "+
			"closed, at most 3 at once", opened, closed, most)
	}
}

// A second Ctrl-C ends at once, whatever is in flight; the same command goes on.
func TestBackfillStoppedTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.more["PAGE_SIZE"] = "50"
	p := newProxy(t, s.url)
	// The first page of a slice: with a later one, the page before it may still be judged, and its
	// end ends the slice.
	p.holdAt(1, false, func(c call) bool { return isPage(s, c) })
	direct := s.url
	s.url = p.URL
	running := start(t, s.env(), history...)
	<-p.held
	for range 2 {
		if err := running.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // two of a kind at once are one
	}
	// with a page in flight that never comes, only the second one can have ended it
	running.wait().want(t, -1)
	s.url = direct
	s.run(history...).want(t, 0)
	wantExactly(t, s, want)
}
