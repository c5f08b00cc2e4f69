package indicator

import (
	"cmp"
	"errors"
	"hash/maphash"
	"iter"
	"slices"

	"esrule/internal/event"
)

// Most is how many values a set holds at most: each takes 16 bytes or a few times that, and each
// document about 30.
const Most = 5_000_000

// Few is how many values a set has at most for a search to look them up in the index of the events.
const Few = 10_000

// ErrTooMany is that indicators have more values than a set holds.
var ErrTooMany = errors.New("too many values to hold at once")

// Document is the place of an indicator's document.
type Document struct{ Index, ID string }

// Set is the values of indicators. It is safe for concurrent use.
type Set struct {
	seeds   [2]maphash.Seed
	fields  []string // of the indicators
	entries []entry  // in order
	blocks  map[int]bool
	values  int

	documents []document
	ids       []byte
	indices   []string
	texts     map[string][]string // by the field; nil where there are too many
}

// entry is a value, as a hash with its field, of a document.
type entry struct {
	hash     uint64
	more     uint32 // of the hash
	document uint32
}

func (e entry) compareHash(other entry) int {
	return cmp.Or(cmp.Compare(e.hash, other.hash), cmp.Compare(e.more, other.more))
}

// document is where a document's id ends in ids, and its index.
type document struct{ end, index uint32 }

// Builder makes a [Set] of documents. It is not safe for concurrent use.
type Builder struct {
	set     *Set
	slots   []event.Slot
	indices map[string]uint32
	seen    map[string]bool // the texts of the set, with their fields
	key     []byte
	most    int
}

// NewBuilder returns a builder of the set of the values that documents have in the indicators'
// fields of a plan. It adds them to fields. The set holds [Most] values where most is 0.
func NewBuilder(p *Plan, fields *event.Fields, most int) *Builder {
	b := &Builder{indices: map[string]uint32{}, seen: map[string]bool{}, most: cmp.Or(most, Most),
		set: &Set{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
			fields: p.IndicatorFields(), blocks: map[int]bool{}, texts: map[string][]string{}}}
	for _, field := range b.set.fields {
		b.slots = append(b.slots, fields.Add(field))
	}
	return b
}

// Add adds the document that e is. held reports whether it has a value, and is number
// [Builder.Len]-1 then. The error is [ErrTooMany].
func (b *Builder) Add(e *event.Event, at Document) (held bool, err error) {
	s := b.set
	number := uint32(len(s.documents))
	for i, slot := range b.slots {
		values := e.Values(slot)
		for v := range values {
			if len(values[v].Text) == 0 {
				continue // an indicator of nothing
			}
			held = true
			s.values++
			b.remember(s.fields[i], values[v].Text)
			b.key = appendField(b.key[:0], i)
			for key := range s.keysOf(b.key, values[v].Text) {
				s.entries = append(s.entries, s.entry(key, number))
			}
		}
	}
	if held {
		b.place(at)
	}
	if s.values > b.most {
		return held, ErrTooMany
	}
	return held, nil
}

// remember keeps the text of a value, of which the index of the events is asked, while there are
// few.
func (b *Builder) remember(field string, text []byte) {
	s := b.set
	if s.texts == nil {
		return
	}
	name := field + "\x00" + string(text)
	if b.seen[name] {
		return
	}
	if b.seen[name] = true; len(b.seen) > Few {
		s.texts, b.seen = nil, nil
		return
	}
	s.texts[field] = append(s.texts[field], string(text))
}

func (b *Builder) place(at Document) {
	s := b.set
	index, known := b.indices[at.Index]
	if !known {
		index = uint32(len(s.indices))
		s.indices = append(s.indices, at.Index)
		b.indices[at.Index] = index
	}
	s.ids = append(s.ids, at.ID...)
	s.documents = append(s.documents, document{uint32(len(s.ids)), index})
}

// Len is how many documents have values so far.
func (b *Builder) Len() int { return len(b.set.documents) }

// Set returns the set. Nothing is added to it after that.
func (b *Builder) Set() *Set {
	slices.SortFunc(b.set.entries, func(x, y entry) int {
		return cmp.Or(x.compareHash(y), cmp.Compare(x.document, y.document))
	})
	b.set.entries = slices.Compact(b.set.entries)
	return b.set
}

// Values is how many values the documents have.
func (s *Set) Values() int { return s.values }

// Documents is how many documents have values.
func (s *Set) Documents() int { return len(s.documents) }

// Document returns the place of a document by its number.
func (s *Set) Document(number int) Document {
	begin := uint32(0)
	if number > 0 {
		begin = s.documents[number-1].end
	}
	d := s.documents[number]
	return Document{s.indices[d.index], string(s.ids[begin:d.end])}
}

func (s *Set) entry(key []byte, document uint32) entry {
	return entry{maphash.Bytes(s.seeds[0], key), uint32(maphash.Bytes(s.seeds[1], key)), document}
}

// having yields the numbers of the documents that have a value.
func (s *Set) having(key []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		wanted := s.entry(key, 0)
		at, _ := slices.BinarySearchFunc(s.entries, wanted, func(e, wanted entry) int {
			return cmp.Or(e.compareHash(wanted), cmp.Compare(e.document, wanted.document))
		})
		for ; at < len(s.entries) && s.entries[at].compareHash(wanted) == 0; at++ {
			if !yield(int(s.entries[at].document)) {
				return
			}
		}
	}
}
