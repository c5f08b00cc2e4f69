package rule

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// These are far beyond a rule, and a catalogue of them: Elastic's 1,500 are an export of some 15
// MB. They keep a wrong path (a log, a device) from filling the memory.
const (
	maxTOML = 4 << 20
	maxFile = 64 << 20
)

// Extensions are the ends of the names of the files that are read of a folder. What a file holds,
// its content says.
func Extensions() []string { return []string{".toml", ".ndjson", ".json"} }

// Load reads rule files, and folders with everything below them that is named like one (see
// [Extensions]) and does not begin with a dot. The order is that of the paths, and of the names
// below a folder. A file that is named twice is read once.
//
// The error is of type [Errors] and holds what is wrong with all files; the set then holds the
// rest.
func Load(paths ...string) (*Set, error) {
	l := newLoader()
	for _, p := range paths {
		l.path(p)
	}
	return l.result()
}

// LoadFS is Load for all of a file system, whose files are called name/… in messages, and more
// paths.
func LoadFS(fsys fs.FS, name string, more ...string) (*Set, error) {
	l := newLoader()
	l.folder(fsys, func(p string) string { return path.Join(name, p) })
	for _, p := range more {
		l.path(p)
	}
	return l.result()
}

type loader struct {
	set     Set
	errs    Errors
	seen    map[string]bool // files by absolute path
	ids     map[ID]string   // the file that has a rule_id
	entries []entry         // in the order in which they were read
	exported
	exceptions []*Exception // of TOML files
}

// entry is a rule that was read, or what is wrong with a file.
type entry struct {
	doc  *document
	errs Errors

	name       string // of a TOML file
	text       []byte // of that file, until it is parsed
	exceptions []*Exception
	rule       *Rule // made of doc
	skipped    *Skipped
}

func newLoader() *loader {
	return &loader{seen: map[string]bool{}, ids: map[ID]string{},
		exported: exported{lists: map[string]*exceptionList{}}}
}

// result makes the rules once all is read: exceptions come after the rules that name them, or in a
// file of their own.
func (l *loader) result() (*Set, error) {
	each(len(l.entries), func(i int) { l.entries[i].parse() })
	for _, e := range l.entries {
		l.exceptions = append(l.exceptions, e.exceptions...)
	}
	l.leaveOutOlder()
	l.readItems()
	l.noteUse() // from here on the lists of exceptions do not change
	each(len(l.entries), func(i int) {
		if e := &l.entries[i]; e.doc != nil {
			e.rule, e.skipped = readRule(e.doc, &l.exported)
		}
	})
	for _, e := range l.entries {
		l.errs = append(l.errs, e.errs...)
		if e.doc != nil {
			l.take(e)
		}
	}
	if len(l.errs) > 0 {
		return &l.set, l.errs
	}
	return &l.set, nil
}

// Each calls do for each of the rules with its place, for as many at once as there are processors:
// a catalogue is thousands of rules, and a run that cron starts waits for them.
func (s *Set) Each(do func(place int, r *Rule)) {
	each(len(s.Rules), func(i int) { do(i, s.Rules[i]) })
}

// each calls do for every number below n, for as many at once as there are processors.
func each(n int, do func(i int)) {
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		workers.Go(func() error {
			do(i)
			return nil
		})
	}
	_ = workers.Wait()
}

func (l *loader) path(name string) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		l.unreadable(name, err)
	case info.IsDir():
		l.folder(os.DirFS(name), func(p string) string {
			return filepath.Join(name, filepath.FromSlash(p))
		})
	default:
		if l.first(name) {
			l.file(name, func() (io.ReadCloser, error) { return os.Open(name) })
		}
	}
}

// folder reads the rule files of a file system. Names with a dot in front are left out: besides
// what editors leave behind, a mounted ConfigMap has its files once more in such a folder.
func (l *loader) folder(fsys fs.FS, display func(string) string) {
	_ = fs.WalkDir(fsys, ".", func(p string, entry fs.DirEntry, err error) error {
		name := display(p)
		switch {
		case err != nil:
			l.unreadable(name, err)
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case p != "." && strings.HasPrefix(path.Base(p), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		if l.isRuleFile(fsys, p, name, entry) && l.first(name) {
			l.file(name, func() (io.ReadCloser, error) { return fsys.Open(p) })
		}
		return nil
	})
}

// isRuleFile reports whether a folder's entry is to be read, looking through links. A link to a
// folder is not followed, since it may lead in a circle; it is an error, since passing over it in
// silence would lose the rules in it.
func (l *loader) isRuleFile(fsys fs.FS, p, name string, entry fs.DirEntry) bool {
	named := slices.Contains(Extensions(), strings.ToLower(path.Ext(p)))
	mode := entry.Type()
	if mode&fs.ModeSymlink != 0 {
		info, err := fs.Stat(fsys, p)
		if err != nil {
			if named {
				l.unreadable(name, err)
			}
			return false
		}
		mode = info.Mode().Type()
	}
	switch {
	case mode.IsDir():
		l.fail(name, "is a link to a folder, which is not followed",
			"Name the folder itself as one of the paths.", nil)
	case named && !mode.IsRegular():
		l.fail(name, "is not a regular file",
			"Take it out of the folder, or name it as one of the paths.", nil)
	case !named:
		l.set.Unread = append(l.set.Unread, name)
	default:
		return true
	}
	return false
}

// first reports whether a file is met for the first time.
func (l *loader) first(name string) bool {
	full, err := filepath.Abs(name)
	if err != nil {
		full = name
	}
	if l.seen[full] {
		return false
	}
	l.seen[full] = true
	return true
}

// file reads one file into the set or the errors.
func (l *loader) file(name string, open func() (io.ReadCloser, error)) {
	text, err := readAll(open)
	if err != nil {
		l.unreadable(name, err)
		return
	}
	format, most, advice := "TOML", maxTOML, "A rule is a few kilobytes; is this the right file?"
	if isJSON(name) || looksJSON(text) {
		format, most, advice = "JSON", maxFile,
			"A whole catalogue is smaller; is this the right file?"
	}
	switch {
	case len(text) > most:
		l.fail(name, fmt.Sprintf("is larger than %d MiB", most>>20), advice, nil)
	case isUTF16(text):
		l.fail(name, "the file is UTF-16 text", format+" is UTF-8: save the file in that encoding.",
			nil)
	case format == "JSON":
		l.json(name, text)
	default:
		l.entries = append(l.entries, entry{name: name, text: text})
	}
}

// parse parses the text of a TOML file, if the entry is one.
func (e *entry) parse() {
	if e.name == "" {
		return
	}
	d, fault := parse(e.name, e.text)
	e.text = nil
	if advice := FormatAdvice(e.name); fault != nil && advice != "" {
		fault = &Error{File: e.name, Message: "is no rule in TOML", Advice: advice, Err: fault}
	}
	if fault != nil {
		e.errs = Errors{fault}
		return
	}
	var errs Errors
	e.exceptions, errs = readExceptions(d)
	d.errs = append(d.errs, errs...)
	e.doc = d
}

// json reads a JSON file.
func (l *loader) json(name string, text []byte) {
	objects, errs := parseJSON(name, text)
	for _, o := range objects {
		l.object(o)
	}
	l.entries = append(l.entries, entry{errs: errs})
}

func isJSON(name string) bool {
	extension := strings.ToLower(path.Ext(filepath.ToSlash(name)))
	return extension == ".json" || extension == ".ndjson"
}

// isUTF16 reports whether a file begins with the byte order mark of UTF-16.
func isUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff"))
}

// trimMark takes off the byte order mark that editors on Windows write.
func trimMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// take adds an entry's rule, unless another has its id.
func (l *loader) take(e entry) {
	d, rule, skipped := e.doc, e.rule, e.skipped
	if rule != nil {
		l.except(&rule.Head)
	}
	id, place := d.id()
	if other, taken := l.ids[id]; taken && id != "" {
		d.report(place, fmt.Sprintf("rule_id %q is that of %s already", id, other),
			"Two rules with one id would hide each other's signals: give one of them an id of "+
				"its own, or leave one file out.")
	} else {
		l.ids[id] = d.shownName()
	}
	switch {
	case len(d.errs) > 0:
		slices.SortStableFunc(d.errs, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		l.errs = append(l.errs, d.errs...)
	case skipped != nil:
		l.set.Skipped = append(l.set.Skipped, *skipped)
	case rule != nil: // else the file holds exceptions alone
		l.set.Rules = append(l.set.Rules, rule)
	}
}

func readAll(open func() (io.ReadCloser, error)) ([]byte, error) {
	file, err := open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxFile+1))
}

func (l *loader) unreadable(name string, err error) {
	advice := "Check the path."
	if errors.Is(err, fs.ErrPermission) {
		advice = "The user that runs esrule must be able to read it."
	}
	cause := err
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		cause = pathError.Err // the path is in front already
	}
	l.fail(name, "read: "+cause.Error(), advice, err)
}

func (l *loader) fail(name, message, advice string, cause error) {
	fault := &Error{File: name, Message: message, Advice: advice, Err: cause}
	l.entries = append(l.entries, entry{errs: Errors{fault}})
}
