package date

import (
	"strings"
	"time"
)

// Format reads the dates of one field.
type Format struct {
	readers   []reader
	served    bool // its values are printed by the server, its constants may be of any form
	constants Constants
}

// reader reads a whole text in one format.
type reader func(text []byte, up bool) (Instant, bool)

// Default is the format of a date field whose mapping names none.
const Default = "strict_date_optional_time||epoch_millis"

// DefaultNanos is that of a date_nanos field.
const DefaultNanos = "strict_date_optional_time_nanos||epoch_millis"

// Printed is the format in which the server is asked to write values that only it can read.
const Printed = "strict_date_optional_time_nanos"

// Constants are the constants of rules that the server read in a field's own format.
type Constants map[string]Span

// Span is what a constant stands for, from its first to its last instant.
type Span struct{ First, Last Instant }

// New returns the format of a mapping's text, in which several are joined with "||"; empty is
// [Default]. Of formats that are not plain it reads no text: see [Plain].
func New(formats string) *Format {
	if formats == "" {
		formats = Default
	}
	f := &Format{}
	for name := range strings.SplitSeq(formats, "||") {
		read, ok := readerOf(name)
		if !ok {
			return &Format{}
		}
		f.readers = append(f.readers, read)
	}
	return f
}

// Served returns the format of a field that the server reads. constants are those that it takes.
func Served(constants Constants) *Format {
	return &Format{readers: []reader{readPrinted}, served: true, constants: constants}
}

// Plain reports whether a mapping's formats are all read here: ISO 8601 with every digit, and epoch
// numbers.
func Plain(formats string) bool { return len(New(formats).readers) > 0 }

func readerOf(name string) (reader, bool) {
	switch name {
	case "epoch_millis":
		return readEpoch(1e3), true
	case "epoch_second":
		return readEpoch(1), true
	case "strict_date_optional_time":
		return readISO, true
	case "strict_date_optional_time_nanos":
		return readISOSeconds, true
	}
	return nil, false
}

// Parse reads the value of a document.
func (f *Format) Parse(text []byte) (Instant, bool) { return f.parse(text, false) }

// parse reads a text without date math. What the text leaves out is the first of its kind, or with
// up the last: "2020-01-01" is the end of that day then.
func (f *Format) parse(text []byte, up bool) (Instant, bool) {
	for _, read := range f.readers {
		if i, ok := read(text, up); ok {
			return i, true
		}
	}
	return Instant{}, false
}

// Range reads a constant of a query as the first and last instant that it stands for. relative says
// that it depends on now. Where the format does not take it, ISO 8601 and epoch milliseconds do:
// for a mapping of epoch_second alone an ISO date would be an error in Elasticsearch.
func (f *Format) Range(text string, now time.Time) (first, last Instant, relative, ok bool) {
	if s, ok := f.constants[text]; ok {
		return s.First, s.Last, false, true
	}
	if first, last, ok = f.span(text, now); !ok || f.served {
		fallback := Format{readers: []reader{readISO, readEpoch(1e3)}}
		first, last, ok = fallback.span(text, now)
	}
	return first, last, IsRelative(text), ok
}

// IsRelative reports whether a constant depends on now.
func IsRelative(text string) bool { return strings.HasPrefix(text, "now") }

// Number reads a constant of a query that is a number: it counts milliseconds since 1970, whatever
// the format.
func Number(text string) (first, last Instant, ok bool) {
	read := readEpoch(1e3)
	first, ok = read([]byte(text), false)
	if !ok {
		return Instant{}, Instant{}, false
	}
	last, ok = read([]byte(text), true)
	return first, last, ok
}

func (f *Format) span(text string, now time.Time) (first, last Instant, ok bool) {
	first, ok = f.resolve(text, false, now)
	if !ok {
		return Instant{}, Instant{}, false
	}
	last, ok = f.resolve(text, true, now)
	return first, last, ok
}

func (f *Format) resolve(text string, up bool, now time.Time) (Instant, bool) {
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		return calculate(rest, now.UTC().Truncate(time.Millisecond), up)
	}
	anchor, math, found := strings.Cut(text, "||")
	if !found {
		return f.parse([]byte(text), up)
	}
	i, ok := f.parse([]byte(anchor), false)
	if !ok {
		return Instant{}, false
	}
	return calculate(math, i.Time(), up)
}
