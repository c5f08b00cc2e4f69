package event

import (
	"strings"

	"github.com/valyala/fastjson"

	"esrule/internal/ascii"
)

// Event is one event. It is made once and reads one document or line after another, so that reading
// a million events allocates nothing. It is not safe for concurrent use: one a worker.
type Event struct {
	fields *Fields

	source         *fastjson.Value // nil where the event was skimmed
	extra, ignored *fastjson.Value // see [Document]
	skimmed        []byte          // the text that was; nil where the event was parsed
	isLine         bool            // of which the event may be a part
	matched        map[string]bool // see [Event.Holds]
	parsers        parsers

	mapping *Mapping
	binding
	bindings map[*Mapping]binding

	slots   []slot
	round   uint64 // counts resets; a slot of another round is not resolved yet
	scratch []byte // holds the texts made for this event

	walked     []byte          // see collectWild
	whole      *fastjson.Value // the source of a skimmed event, parsed in wholeRound
	wholeRound uint64
}

// binding is what a mapping makes of the fields.
type binding struct {
	bound   []field // by slot
	skimmer *skimmer
}

type slot struct {
	round  uint64
	values []Value
}

// New gives an event that resolves the fields of f, all of them added by now.
func New(f *Fields) *Event {
	return &Event{
		fields: f, slots: make([]slot, f.slots().count()), bindings: map[*Mapping]binding{},
	}
}

// reset makes e the event of a parsed `_source`, or of none yet.
func (e *Event) reset(m *Mapping, source *fastjson.Value) {
	e.source, e.extra, e.ignored, e.skimmed, e.isLine = source, nil, nil, nil, false
	e.scratch = e.scratch[:0]
	clear(e.matched)
	e.round++
	if m != e.mapping || e.bound == nil {
		e.bind(m)
	}
}

func (e *Event) bind(m *Mapping) {
	e.mapping = m
	if b, ok := e.bindings[m]; ok {
		e.binding = b
		return
	}
	e.bound = make([]field, len(e.slots))
	for _, of := range e.fields.own {
		bound := &e.bound[of.slot]
		switch {
		case of.wild:
			*bound = newWild(of.path, m)
		case m != nil:
			*bound = newField(m.Fields[of.path], of.tree) // the zero value is unmapped
		case of.path == "@timestamp":
			*bound = newField(FieldMapping{Type: Date, FromFields: true}, of.tree)
		default:
			*bound = newField(of.untyped, of.tree)
		}
	}
	e.skimmer = newSkimmer(e.fields.own, e.bound)
	e.bindings[m] = e.binding
}

// HasFields reports whether the event came with the `fields` of its hit.
func (e *Event) HasFields() bool { return e.extra != nil || e.ignored != nil }

// untyped is what is known of a field without a mapping. Elastic Defend's `.caseless` fields are
// multi-fields with the normalizer lowercase, and ECS's `.text` fields are texts: an event has both
// under their parents' names.
func untyped(path string) FieldMapping {
	f := FieldMapping{Type: Untyped, FromFields: true} // where a hit has `fields`
	if parent, ok := strings.CutSuffix(path, ".caseless"); ok && parent != "" {
		f.SourcePath, f.Copied = parent, []string{path}
		f.Normalizer = &Normalizer{Name: "lowercase", Lowercase: true}
	}
	if parent, ok := strings.CutSuffix(path, ".text"); ok && parent != "" {
		f.SourcePath, f.Copied = parent, []string{path}
	}
	if isWords(path) {
		f.Name = "text"
	}
	return f
}

// isWords reports whether a field is a text in the mappings of ECS and Beats: KQL compares its
// words.
func isWords(path string) bool {
	switch path {
	case "message", "error.message", "powershell.file.script_block_text":
		return true
	}
	return strings.HasSuffix(path, ".text")
}

// Mapped says what the event's index makes of a field. known is false where the event came without
// a mapping.
func (e *Event) Mapped(s Slot) (f FieldMapping, known bool) {
	return e.bound[s].FieldMapping, e.mapping != nil
}

// Values returns the field's values; none where the field is missing, null, empty, unmapped, or has
// only what its type cannot take. The slice is valid until the next event is read.
func (e *Event) Values(s Slot) []Value {
	sl := &e.slots[s]
	if sl.round != e.round {
		sl.round = e.round
		sl.values = e.resolve(s, sl.values[:0])
	}
	return sl.values
}

// Written returns the texts that `_source` has for a field, whatever its index makes of them. It
// costs memory: it is for explanations.
func (e *Event) Written(s Slot) []string {
	raw := field{FieldMapping: FieldMapping{Type: Untyped}, path: e.bound[s].path}
	var texts []string
	for _, v := range e.collect(e.Source(), raw.path, &raw, nil) {
		texts = append(texts, string(v.Text))
	}
	return texts
}

// Source returns the event's `_source`, parsed now where it was skimmed. Of an event that is nested
// too deeply to be parsed it has only the fields.
func (e *Event) Source() *fastjson.Value {
	if e.skimmed == nil {
		return e.source
	}
	if e.wholeRound == e.round {
		return e.whole
	}
	v, err := e.parsers.source.ParseBytes(MendSurrogates(e.skimmed))
	if err != nil {
		return nil // cannot be: it was skimmed
	}
	if e.isLine && e.skimmer.hit {
		v = v.Get("_source")
	}
	e.whole, e.wholeRound = v, e.round
	return v
}

// Round stands for the event that is read: it is another number after each.
func (e *Event) Round() uint64 { return e.round }

func (e *Event) resolve(s Slot, into []Value) []Value {
	f := &e.bound[s]
	switch {
	case f.wild != nil:
		return e.resolveWild(f.wild, into)
	case f.Type == Unmapped:
		return into
	case f.OnlyFields, f.ServerRead:
	case e.skimmed != nil:
		into = e.skim(s, f, into)
	default:
		into = e.collectAll(e.source, f, into)
	}
	return e.complete(f, into)
}

// collectAll walks `_source` for the field and for what is copied to it.
func (e *Event) collectAll(source *fastjson.Value, f *field, into []Value) []Value {
	into = e.collect(source, f.path, f, into)
	for _, path := range f.copied {
		into = e.collect(source, path, f, into)
	}
	return into
}

// complete adds the values that `_source` does not have.
func (e *Event) complete(f *field, into []Value) []Value {
	if f.FromFields && len(f.copied) == 0 {
		into = e.collect(e.extra, f.asked, f, into)
		if !f.ServerRead { // else what is ignored are texts that are no dates
			into = e.collect(e.ignored, f.asked, f, into)
		}
	}
	if f.Constant != "" && len(into) == 0 {
		// A constant_keyword's, of every document of its index.
		into = e.append(f, into, []byte(f.Constant), false)
	}
	return into
}

// collect walks every way in which the rest of a path can stand in v. The depth of the walk is the
// path's, but for arrays in arrays, which the parser bounds.
func (e *Event) collect(v *fastjson.Value, rest *lookup, f *field, into []Value) []Value {
	if v == nil {
		return into
	}
	switch v.Type() {
	case fastjson.TypeArray:
		for _, item := range v.GetArray() {
			into = e.collect(item, rest, f, into)
		}
	case fastjson.TypeObject:
		if f.Leaves {
			return e.collectLeaves(v.GetObject(), rest, f, into)
		}
		if rest == nil {
			break
		}
		o := v.GetObject()
		for i := range rest.steps {
			if child := o.Get(rest.steps[i].key); child != nil {
				into = e.collect(child, rest.steps[i].rest, f, into)
			}
		}
	case fastjson.TypeNull:
		if rest == nil && f.HasNullValue {
			into = e.append(f, into, []byte(f.NullValue), false)
		}
	case fastjson.TypeString, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		if rest != nil {
			break
		}
		if text, ok := textOf(v, &e.scratch); ok {
			into = e.append(f, into, text, v.Type() == fastjson.TypeString)
		}
	}
	return into
}

// collectLeaves is collect for a field whose values are all scalars below it. A key with dots may
// lead into it: {"labels.env": "x"} is {"labels": {"env": "x"}}.
func (e *Event) collectLeaves(o *fastjson.Object, rest *lookup, f *field, into []Value) []Value {
	o.Visit(func(key []byte, child *fastjson.Value) {
		if rest == nil {
			into = e.collect(child, nil, f, into)
			return
		}
		for i := range rest.steps {
			tail, ok := strings.CutPrefix(string(key), rest.steps[i].key)
			switch {
			case !ok:
			case tail == "":
				into = e.collect(child, rest.steps[i].rest, f, into)
			case tail[0] == '.' && rest.steps[i].rest == nil:
				into = e.collect(child, nil, f, into)
			}
		}
	})
	return into
}

// append adds a scalar as a value of the field, if its type takes it. quoted says that it was
// written as a string.
func (e *Event) append(f *field, into []Value, text []byte, quoted bool) []Value {
	if f.NoCoerce && f.coerces(text, quoted) {
		return into
	}
	if f.Normalizer != nil {
		start := len(e.scratch)
		e.scratch = f.Normalizer.appendValue(e.scratch, text)
		text = e.scratch[start:]
	}
	into = f.append(into, text)
	if f.Type == Untyped {
		into[len(into)-1].Bare = !quoted
	}
	return into
}

func (f *field) append(into []Value, text []byte) []Value {
	if len(text) == 0 && f.HasNullValue && (f.Type == Integer || f.Type == Unsigned ||
		f.Type == Float) {
		text = []byte(f.NullValue) // number fields take an empty text for a null
	}
	if kind, ok := f.textKind(); ok {
		return f.appendText(into, kind, text)
	}
	if value, ok := f.read(text); ok {
		into = append(into, value)
	}
	return into
}

// textKind gives the kind of a field whose values are texts of any form, as most are.
func (f *field) textKind() (Kind, bool) {
	switch f.Type {
	case Keyword, Text, Other:
		return KindText, true
	case Untyped:
		return KindUntyped, true
	case Unmapped, Integer, Unsigned, Float, Boolean, Date, DateNanos, IP, Version, Object:
	}
	return 0, false
}

// appendText fills the place of a value of an event before, of which it sets only what a text has:
// a Value is large, and every event passes here.
func (f *field) appendText(into []Value, kind Kind, text []byte) []Value {
	n := len(into)
	if n == cap(into) {
		return append(into, Value{Kind: kind, Text: text, field: f})
	}
	into = into[:n+1]
	v := &into[n]
	v.Kind, v.Bare, v.Text, v.field, v.lower = kind, false, text, f, nil
	return into
}

// Lower gives a value's text with the letters A to Z in lower case, made at most once an event.
// v must be an element of a slice that Values gave.
//
// Elasticsearch folds ASCII only in case-insensitive queries (eql.md §4), so this does too.
func (e *Event) Lower(v *Value) []byte {
	if v.lower == nil {
		v.lower = e.fold(v.Text)
	}
	return v.lower
}

func (e *Event) fold(text []byte) []byte {
	first := 0
	for first < len(text) && (text[first] < 'A' || text[first] > 'Z') {
		first++
	}
	if first == len(text) {
		return text
	}
	start := len(e.scratch)
	e.scratch = ascii.AppendLower(e.scratch, text)
	return e.scratch[start:]
}
