package rule

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile is far beyond any rule; it keeps a wrong path (a log, a device) from filling the memory.
const maxFile = 4 << 20

// Load reads rule files, and folders with everything below them that is named *.toml and does not
// begin with a dot. The order is that of the paths, and of the names below a folder. A file that is
// named twice is read once.
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

// LoadFS is Load for all of a file system, whose files are called name/… in messages.
func LoadFS(fsys fs.FS, name string) (*Set, error) {
	l := newLoader()
	l.folder(fsys, func(p string) string { return path.Join(name, p) })
	return l.result()
}

type loader struct {
	set  Set
	errs Errors
	seen map[string]bool // files by absolute path
	ids  map[ID]string   // the file that has a rule_id
}

func newLoader() *loader {
	return &loader{seen: map[string]bool{}, ids: map[ID]string{}}
}

func (l *loader) result() (*Set, error) {
	if len(l.errs) > 0 {
		return &l.set, l.errs
	}
	return &l.set, nil
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
	toml := strings.EqualFold(path.Ext(p), ".toml")
	mode := entry.Type()
	if mode&fs.ModeSymlink != 0 {
		info, err := fs.Stat(fsys, p)
		if err != nil {
			if toml {
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
	case toml && !mode.IsRegular():
		l.fail(name, "is not a regular file",
			"Take it out of the folder, or name it as one of the paths.", nil)
	case !toml:
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
	if len(text) > maxFile {
		l.fail(name, fmt.Sprintf("is larger than %d MiB", maxFile>>20),
			"A rule is a few kilobytes; is this the right file?", nil)
		return
	}
	d, fault := parse(name, text)
	if advice := FormatAdvice(name); fault != nil && advice != "" {
		l.fail(name, "is no rule in TOML", advice, fault)
		return
	}
	if fault != nil {
		l.errs = append(l.errs, fault)
		return
	}
	l.take(d)
}

// take adds a document's rule, unless another has its id.
func (l *loader) take(d *document) {
	rule, skipped := readRule(d)
	id, place := d.id()
	if other, taken := l.ids[id]; taken && id != "" {
		d.report(place, fmt.Sprintf("rule_id %q is that of %s already", id, other),
			"Two rules with one id would hide each other's signals: give one of them an id of "+
				"its own, or leave one file out.")
	} else {
		l.ids[id] = d.file
	}
	switch {
	case len(d.errs) > 0:
		slices.SortStableFunc(d.errs, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		l.errs = append(l.errs, d.errs...)
	case skipped != nil:
		l.set.Skipped = append(l.set.Skipped, *skipped)
	default:
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
	l.errs = append(l.errs, &Error{File: name, Message: message, Advice: advice, Err: cause})
}
