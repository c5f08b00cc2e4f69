package signal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"esrule/internal/query/rule"
)

// ID identifies one event under one rule: 64 hexadecimal digits. It is the signal's document
// id.
type ID string

// subjectFields tell apart the events that a source gives one event.id. The list is fixed for good:
// a field added or removed changes the id of every event that has it, and each is alerted a second
// time. It follows neither the rule, whose next version may read other fields, nor what an
// enrichment adds later.
var subjectFields = [...]string{
	"event.category", "event.type", "event.action", "event.code",
	"process.entity_id", "process.pid", "process.name", "process.command_line",
	"file.path", "dll.path", "registry.path", "registry.value",
	"source.ip", "source.port", "destination.ip", "destination.port", "destination.domain",
	"dns.question.name",
}

// unsteadyFields differ between two copies of one event: when and by what it was shipped, not what
// happened. They and everything below them are left out of the content's digest. Fixed for good, as
// subjectFields.
var unsteadyFields = [...]string{
	"event.ingested", "event.created", "agent.ephemeral_id", "agent.version",
	"ecs", "data_stream", "elastic_agent", "tags",
}

const timestampField = "@timestamp"

// Identify returns the identity of an event under a rule. Neither the index nor the document's id
// is part of it, so the same event reindexed, restored, sent again or scanned from a file keeps it.
// It is made of the first of these that the event has:
//
//  1. event.id, the agent, the time, and the subject (one event.id may stand for several events);
//  2. a Windows record: computer, channel, record number, time;
//  3. its whole content.
func Identify(id rule.ID, source []byte) (ID, error) {
	n, err := parse(source)
	if err != nil {
		return "", fmt.Errorf("read the event: %w", err)
	}
	var i identity
	i.read(n, 0)
	return i.first(id), nil
}

// identity is what an event is identified by under any rule.
type identity struct {
	subject digest // a rule's id goes before it
	wider   digest // of the second version; empty where there is none
	fields  fields
	whole   []byte // what the last id is the hash of
}

// read makes it that of another event, in the same memory.
func (i *identity) read(event *node, belowMillisecond int) {
	i.fields.read(event)
	i.subject.parts, i.wider.parts = i.subject.parts[:0], i.wider.parts[:0]
	i.subject.identify(event, i.fields)
	i.wider.widen(event, i.fields, belowMillisecond)
}

// first returns the first version of the identity under a rule.
func (i *identity) first(of rule.ID) ID {
	d := digest{i.whole[:0]}
	d.text(string(of))
	i.whole = append(d.parts, i.subject.parts...)
	return (&digest{i.whole}).id()
}

func (d *digest) identify(event *node, f fields) {
	switch {
	case f.has("event.id"):
		d.values("event.id", f["event.id"])
		// One label for both: an agent that is known by its host is still one agent.
		agent := "agent.id"
		if !f.has(agent) {
			agent = "host.id"
		}
		d.values("agent.id", f[agent])
		d.values(timestampField, f[timestampField])
		for _, name := range subjectFields {
			d.values(name, f[name])
		}
	case f.isWindowsRecord():
		for _, name := range []string{"winlog.computer_name", "winlog.channel", "winlog.record_id",
			timestampField} {
			d.values(name, f[name])
		}
	default:
		d.values(timestampField, f[timestampField])
		d.content(event)
	}
}

// fields holds an event's values of the fields that an identity can be made of.
type fields map[string]values

// otherFields are what an identity is made of beside subjectFields.
var otherFields = [...]string{
	"event.id", "agent.id", "host.id", timestampField, "winlog.computer_name", "winlog.channel",
	"winlog.record_id",
}

// read makes it the fields of another event.
func (f *fields) read(event *node) {
	if *f == nil {
		*f = fields{}
	}
	f.empty()
	event.eachLeaf(func(path []byte, leaf *node) {
		f.add(otherFields[:], path, leaf)
		f.add(subjectFields[:], path, leaf)
	})
	(*f)[timestampField] = instants((*f)[timestampField])
}

// empty takes out all values, and keeps their memory.
func (f fields) empty() {
	for name, its := range f {
		f[name] = its[:0]
	}
}

// add adds the value of a leaf if its path is one of the names.
func (f fields) add(names []string, path []byte, leaf *node) {
	for _, name := range names {
		if name == string(path) {
			f[name] = append(f[name], leaf.text)
			return
		}
	}
}

// has reports whether a field can identify anything: an empty text is a value, but the same one for
// every event.
func (f fields) has(name string) bool {
	return slices.ContainsFunc(f[name], func(v string) bool { return v != "" })
}

// isWindowsRecord reports whether an event has no event.id, and what a Windows record is known by.
func (f fields) isWindowsRecord() bool {
	return !f.has("event.id") && f.has("winlog.computer_name") && f.has("winlog.channel") &&
		f.has("winlog.record_id")
}

// instants replaces dates by their milliseconds, so that one instant has one text. What is no date
// stays as it is.
func instants(dates values) values {
	for i, date := range dates {
		if t, ok := instant(date); ok {
			dates[i] = strconv.FormatInt(t.UnixMilli(), 10)
		}
	}
	return dates
}

// values are the texts of a field. They count as a set: neither order nor repetition matters.
type values []string

// digest is a text of length-delimited parts, so that no two lists of parts give the same bytes.
type digest struct{ parts []byte }

func (d *digest) text(s string) {
	d.length(len(s))
	d.parts = append(d.parts, s...)
}

func (d *digest) values(name string, v values) {
	d.text(name)
	slices.Sort(v)
	v = slices.Compact(v)
	d.length(len(v))
	for _, s := range v {
		d.text(s)
	}
}

func (d *digest) length(n int) {
	d.parts = binary.BigEndian.AppendUint64(d.parts, uint64(n))
}

// id is the hash of the parts.
func (d *digest) id() ID {
	sum := sha256.Sum256(d.parts)
	return ID(hex.EncodeToString(sum[:]))
}

// content writes every steady leaf. A leaf is filed under its path's hash, not the path: the paths
// of a deeply nested event can be many times as long as the event.
func (d *digest) content(event *node) {
	type leaf struct {
		path [sha256.Size]byte
		text string
	}
	leaves := make([]leaf, 0, 64)
	event.eachLeaf(func(path []byte, n *node) {
		if string(path) != timestampField && !unsteady(path) {
			leaves = append(leaves, leaf{sha256.Sum256(path), n.text})
		}
	})
	slices.SortFunc(leaves, func(a, b leaf) int { return bytes.Compare(a.path[:], b.path[:]) })
	texts := make(values, 0, 8)
	for i, one := range leaves {
		texts = append(texts, one.text)
		if i+1 == len(leaves) || leaves[i+1].path != one.path {
			d.values(string(one.path[:]), texts)
			texts = texts[:0]
		}
	}
}

func unsteady(path []byte) bool {
	return slices.ContainsFunc(unsteadyFields[:], func(name string) bool {
		rest, ok := bytes.CutPrefix(path, []byte(name))
		return ok && (len(rest) == 0 || rest[0] == '.')
	})
}
