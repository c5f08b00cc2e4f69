package date

import (
	"strings"
	"time"
)

// Format is a mapping's list of formats, compiled.
type Format struct {
	readers []reader
	// Unknown is the first format that is not understood, or empty. A text that no format before it takes is refused:
	// what the server makes of it is not known.
	Unknown string
}

// reader reads a whole text in one format.
type reader func(text []byte, up bool) (Instant, bool)

// Default is the format of a date field whose mapping names none.
const Default = "strict_date_optional_time||epoch_millis"

// DefaultNanos is that of a date_nanos field.
const DefaultNanos = "strict_date_optional_time_nanos||epoch_millis"

// New compiles formats as a mapping writes them; empty means [Default].
func New(formats string) *Format {
	if formats == "" {
		formats = Default
	}
	f := &Format{}
	for _, name := range strings.Split(formats, "||") {
		name = strings.TrimPrefix(strings.TrimSpace(name), "8") // once the mark of java.time patterns
		read, ok := readerOf(name)
		if !ok {
			f.Unknown = name
			break // what it would not take is not known, so what the formats behind it are asked for is not either
		}
		f.readers = append(f.readers, read)
	}
	return f
}

func readerOf(name string) (reader, bool) {
	switch name {
	case "epoch_millis":
		return readEpoch(1e3), true
	case "epoch_second":
		return readEpoch(1), true
	case "iso8601", "strict_date_optional_time", "strictDateOptionalTime":
		return isoStrict.read, true
	case "strict_date_optional_time_nanos":
		return isoSeconds.read, true
	case "date_optional_time", "dateOptionalTime":
		return isoLenient.read, true
	}
	if n, ok := named(name); ok {
		return n.read, true
	}
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == "" && strings.Contains(name, "_") {
		return nil, false // the name of a format that is not known, not a pattern
	}
	p, ok := compilePattern(name)
	if !ok {
		return nil, false
	}
	return p.read, true
}

// Parse reads a text as it stands in a document or, without date math, in a query. What the text leaves
// out is the first of its kind, or with up the last: "2020-01-01" is the end of that day then.
func (f *Format) Parse(text []byte, up bool) (Instant, bool) {
	for _, read := range f.readers {
		if i, ok := read(text, up); ok {
			return i, true
		}
	}
	return Instant{}, false
}

// Range reads a constant of a query as the first and last instant that it stands for. relative tells that it
// depends on now. Where the format does not take it, ISO 8601 and epoch milliseconds do: for a mapping of
// epoch_second alone an ISO date would be an error in Elasticsearch.
func (f *Format) Range(text string, now time.Time) (from, to Instant, relative, ok bool) {
	from, to, relative, ok = f.span(text, now)
	if !ok && f.Unknown == "" {
		fallback := Format{readers: []reader{isoStrict.read, readEpoch(1e3)}}
		from, to, relative, ok = fallback.span(text, now)
	}
	return from, to, relative, ok
}

// Number reads a constant of a query that is a number: it counts milliseconds since 1970, whatever the format.
func Number(text string) (from, to Instant, ok bool) {
	read := readEpoch(1e3)
	from, ok = read([]byte(text), false)
	if !ok {
		return Instant{}, Instant{}, false
	}
	to, ok = read([]byte(text), true)
	return from, to, ok
}

func (f *Format) span(text string, now time.Time) (from, to Instant, relative, ok bool) {
	relative = strings.HasPrefix(text, "now")
	from, ok = f.resolve(text, false, now)
	if !ok {
		return Instant{}, Instant{}, relative, false
	}
	to, ok = f.resolve(text, true, now)
	return from, to, relative, ok
}

func (f *Format) resolve(text string, up bool, now time.Time) (Instant, bool) {
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		return calculate(rest, now.UTC().Truncate(time.Millisecond), up)
	}
	anchor, math, found := strings.Cut(text, "||")
	if !found {
		return f.Parse([]byte(text), up)
	}
	i, ok := f.Parse([]byte(anchor), false)
	if !ok {
		return Instant{}, false
	}
	return calculate(math, i.Time(), up)
}
