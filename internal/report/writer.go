package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"esrule/internal/query/rule"
)

const temporaryName = ".esrule-report-*"

// Beyond these a browser can no longer open the page. Signals are still counted then, and the page
// says how many it does not list.
const (
	manyListed = 100_000
	manyBytes  = 256 << 20
)

// Writer gathers the signals of a report. It is safe for concurrent use. Its first error stays: Add
// and Finish return it from then on, so that a caller may go on with its signals and learn of it at
// the end.
type Writer struct {
	path       string
	manyListed int

	mu       sync.Mutex
	err      error
	spool    *spool
	rules    map[rule.ID]*ruleTally
	inOrder  []*ruleTally
	byName   [perSignal]*tally
	techs    *tally
	timeline *timeline
	start    opening
	signals  int
	listed   int
	broken   []string // why signals could not be read, the first few
	unread   int
}

type ruleTally struct {
	ruleFacts
	Number     int
	Signals    int
	Techniques []int // by their numbers among the techniques
}

// Create begins a report that will be at path. It fails at once where no file can be made there, so
// that nobody learns of it after hours. An older report at path stays until Finish.
func Create(path string) (*Writer, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf(
			"write the report to %s: it is there and is no regular file: name another", path)
	}
	s, err := newSpool(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("write the report to %s: make a temporary file beside it: %w", path,
			bare(err))
	}
	w := &Writer{path: path, manyListed: manyListed, spool: s, rules: map[rule.ID]*ruleTally{},
		techs: newTally(), timeline: newTimeline()}
	for i := range w.byName {
		w.byName[i] = newTally()
	}
	return w, nil
}

// bare takes the temporary file's name, which tells a user nothing, out of an error.
func bare(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// Add takes a signal. One whose document cannot be read is counted and named on the page, and is no
// error.
func (w *Writer) Add(s Signal) error {
	f, unreadable := read(s.Document)
	lines := f.lines(s)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.signals++
	if unreadable != nil {
		w.unread++
		if len(w.broken) < 3 {
			w.broken = append(w.broken, short(unreadable.Error(), longSubject))
		}
		return nil
	}
	r := w.ruleOf(f.document.ruleID(), f.document.rule)
	row := w.count(f, r)
	if w.listed >= w.manyListed || w.spool.written >= manyBytes {
		return nil
	}
	w.listed++
	w.start.add(f, r.Name, s.Decided)
	if err := w.spool.add(lines, row); err != nil {
		w.err = fmt.Errorf("write the report to %s: keep a signal: %w", w.path, bare(err))
	}
	return w.err
}

// lines are what the script shows of a signal: its fields' names and what is not searched, the
// texts that are, and what decided.
func (f facts) lines(s Signal) [3]any {
	paths := make([]string, len(f.event))
	texts := [][]string{append([]string{f.id}, visibleAll(f.source)...)}
	for i, p := range f.event {
		paths[i] = visible(p.path)
		texts = append(texts, visibleAll(p.values))
	}
	return [3]any{
		map[string]any{"p": paths, "r": visible(f.reason), "w": f.written},
		texts,
		newDecided(s.Decided),
	}
}

func visibleAll(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = visible(v)
	}
	return out
}

// count enters a signal everywhere and gives its row: time, rule, severity, the numbers of its
// names, subject.
func (w *Writer) count(f facts, r *ruleTally) []any {
	r.Signals++
	for _, n := range r.Techniques {
		w.techs.counts[n]++
	}
	if len(r.Techniques) == 0 {
		w.techs.none++
	}
	severity := severityNumber(f.severity)
	w.timeline.add(f.at, severity)
	var at any
	if !f.at.IsZero() {
		at = f.at.UnixMilli()
	}
	row := []any{at, r.Number, severity}
	for i, names := range f.names {
		row = append(row, w.byName[i].add(names))
	}
	return append(row, f.subject)
}

// ruleOf gives what is counted of a rule; what is said of it is read where it is new.
func (w *Writer) ruleOf(id rule.ID, read func() ruleFacts) *ruleTally {
	if r := w.rules[id]; r != nil {
		return r
	}
	r := &ruleTally{ruleFacts: read(), Number: len(w.inOrder)}
	for _, name := range r.ruleFacts.Techniques {
		r.Techniques = append(r.Techniques, w.techs.numberOf(visible(name)))
	}
	w.rules[id] = r
	w.inOrder = append(w.inOrder, r)
	return r
}

// Finish writes the page, readable by its owner only, and puts it in place of what was there. The
// writer is done with after it.
func (w *Writer) Finish(r Report) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.finish(r)
	}
	err := w.err
	w.end()
	return err
}

func (w *Writer) finish(r Report) error {
	for _, one := range r.Rules {
		w.ruleOf(one.ID, func() ruleFacts { return factsOf(one) })
	}
	if err := w.spool.flush(); err != nil {
		return fmt.Errorf("write the report to %s: keep signals: %w", w.path, bare(err))
	}
	if err := w.place(w.page(r)); err != nil {
		return fmt.Errorf("write the report to %s: %w", w.path, bare(err))
	}
	return nil
}

// place writes beside the path and renames, so that nobody meets half a report.
func (w *Writer) place(p page) (err error) {
	// mode 0600: it holds event data
	file, err := os.CreateTemp(filepath.Dir(w.path), temporaryName)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	out := bufio.NewWriterSize(file, 64<<10)
	if err := p.write(out, func(to io.Writer) error { return w.spool.copyTo(to) }); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), w.path)
}

// Discard drops a report that will not be finished. It does nothing behind Finish, so it can be
// deferred.
func (w *Writer) Discard() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
}

var errEnded = errors.New("the report is finished")

func (w *Writer) end() {
	if w.spool != nil {
		w.spool.close()
		w.spool = nil
	}
	if w.err == nil {
		w.err = errEnded
	}
}
